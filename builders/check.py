"""Build a region again from what its manifest records and compare the tables, digest by digest."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.pipeline import OnStep, build_region
from builders.sample import sample_path
from edgebench.errors import EdgeBenchError
from edgebench.region import Region, read_region
from edgebench.registry import SAMPLE_EDITION
from edgebench.schema import TABLES
from edgebench.spec import Range, RegionSpec


@dataclass(frozen=True)
class TableCheck:
    """One table of a region: the digest its manifest records and that of the table built again."""

    table: str
    recorded: str
    rebuilt: str

    @property
    def same(self) -> bool:
        """Whether the two digests agree."""
        return self.recorded == self.rebuilt


def check_region(region: Region, cells: Path | None, on_step: OnStep) -> list[TableCheck]:
    """Build `region` again in a temporary folder, with the recorded specification and seed.

    Args:
        region: A built region.
        cells: The file it was built from; None for the sample edition, which comes from the bundled sample.
        on_step: Told of each step, as in `builders.pipeline.build_region`.

    Returns:
        One row a table, in the order of `edgebench.schema.TABLES`.

    Raises:
        EdgeBenchError: The cells are missing, needless or not those of the manifest, the manifest does not say how
            the region was built, or the build itself fails.
    """
    spec, seed, sha256 = _recorded(region)
    _check_cells(region, cells, sha256)
    with tempfile.TemporaryDirectory(prefix="edgebench-check-") as folder:
        target = build_region(
            spec, cells=cells, edition=region.edition, seed=seed, on_step=on_step, target=Path(folder) / "region"
        )
        rebuilt = read_region(target).manifest["tables"]
    recorded = region.manifest["tables"]
    return [TableCheck(name, recorded[name]["digest"], rebuilt[name]["digest"]) for name in TABLES]


def _recorded(region: Region) -> tuple[RegionSpec, int, str]:
    """Specification, seed and SHA-256 of the cells, as the manifest has them."""
    manifest = region.manifest
    try:
        spec = recorded_spec(manifest["spec"])
        seed, sha256 = manifest["seed"], manifest["source"]["sha256"]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _unusable(region, str(error)) from error
    if spec.name != region.name:
        raise _unusable(region, f"its specification is of {spec.name!r}")
    if type(seed) is not int:
        raise _unusable(region, f"its seed is {seed!r}")
    return spec, seed, str(sha256)


def recorded_spec(entry: dict[str, Any]) -> RegionSpec:
    """The specification a manifest holds; TypeError, ValueError or KeyError where it is none."""
    fields = dict(entry)
    for key in ("compute", "storage_gb"):
        fields[key] = Range(int(entry[key]["min"]), int(entry[key]["max"]), float(entry[key]["mean"]))
    for key in ("mcc", "nets"):
        fields[key] = tuple(int(number) for number in entry[key])
    west, south, east, north = (float(degrees) for degrees in entry["bbox"])
    fields |= {"bbox": (west, south, east, north), "nodes": int(entry["nodes"])}
    fields["mean_degree"] = float(entry["mean_degree"])
    return RegionSpec(**fields)


def _check_cells(region: Region, cells: Path | None, sha256: str) -> None:
    sample = region.edition == SAMPLE_EDITION
    if sample and cells is not None:
        raise EdgeBenchError(
            "the sample edition is built from the bundled sample alone", where=str(cells), mend="leave out --cells"
        )
    if not sample and cells is None:
        raise EdgeBenchError(
            f"to build {region.name!r} of edition {region.edition!r} again, its cells are needed",
            mend=f"add --cells FILE, the file that was {region.manifest['source'].get('file')}",
        )
    source = cells or sample_path(region.name)
    with source.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise EdgeBenchError(
            f"the region was built from other cells: sha256 {sha256}, this file has {found}",
            where=str(source),
            mend="build the region again with --force" if sample else "give the file that manifest.json names",
        )


def _unusable(region: Region, what: str) -> EdgeBenchError:
    return EdgeBenchError(
        f"the manifest does not say how the region was built: {what}",
        where=str(region.path / "manifest.json"),
        mend=f"build the region again: edgebench build --region {region.name} --force",
    )
