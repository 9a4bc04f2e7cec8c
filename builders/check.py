"""Build a region again from what its manifest records and compare the tables, digest by digest."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from builders.manifest import sha256_of
from builders.pipeline import OnStep, build_region, bundled_cells
from edgebench.errors import EdgeBenchError
from edgebench.region import Region, read_region
from edgebench.registry import SAMPLE_EDITION
from edgebench.schema import TABLES
from edgebench.scratch import scratch
from edgebench.spec import RegionSpec
from edgebench.spec_check import spec_from_manifest


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


def check_region(
    region: Region, cells: Path | None, on_step: OnStep, *, tokens: Path | None = None
) -> list[TableCheck]:
    """Build `region` again in a temporary folder, with the recorded specification and seed.

    Args:
        region: A built region.
        cells: The file it was built from; None for the sample edition, which comes from the bundled sample.
        on_step: Told of each step, as in `builders.pipeline.build_region`.
        tokens: The CSV of token lengths the specification names; None where it names none.

    Returns:
        One row a table, in the order of `edgebench.schema.TABLES`.

    Raises:
        EdgeBenchError: The cells or the tokens are missing, needless or not those of the manifest, the manifest does
            not say how the region was built, or the build itself fails.
    """
    spec, seed, sha256 = _recorded(region)
    _check_cells(region, spec, cells, sha256)
    spec = _with_tokens(region, spec, tokens)
    with scratch("edgebench-check-") as folder:
        target = build_region(
            spec, cells=cells, edition=region.edition, seed=seed, on_step=on_step, target=folder / "region"
        )
        rebuilt = read_region(target).manifest["tables"]
    recorded = region.manifest["tables"]
    return [TableCheck(name, recorded[name]["digest"], rebuilt[name]["digest"]) for name in TABLES]


def _recorded(region: Region) -> tuple[RegionSpec, int, str]:
    """Specification, seed and SHA-256 of the cells, as the manifest has them."""
    manifest = region.manifest
    if "system" in manifest.get("source", {}):
        raise EdgeBenchError(
            "the region was imported, not built from cells",
            where=str(region.path),
            mend=f"import it again: edgebench import {manifest['source']['system']} DIR --as {region.name}; "
            "it is refused where anything differs",
        )
    try:
        spec = spec_from_manifest(manifest)
        seed, sha256 = manifest["seed"], manifest["source"]["sha256"]
    except (EdgeBenchError, KeyError, TypeError) as error:
        raise _unusable(region, str(error)) from error
    if spec.name != region.name:
        raise _unusable(region, f"its specification is of {spec.name!r}")
    if type(seed) is not int:
        raise _unusable(region, f"its seed is {seed!r}")
    return spec, seed, str(sha256)


def _with_tokens(region: Region, spec: RegionSpec, tokens: Path | None) -> RegionSpec:
    """The specification with the path of its token lengths on this machine."""
    named = spec.workload.tokens
    if named is None and tokens is not None:
        raise EdgeBenchError("the region was built without token lengths", where=str(tokens), mend="leave out --tokens")
    if named is None:
        return spec
    if tokens is None:
        raise EdgeBenchError(f"the token lengths of {named} are needed", mend="add --tokens FILE")
    recorded = region.manifest.get("files", {}).get("tokens", {}).get("sha256")
    if sha256_of(tokens) != recorded:
        raise EdgeBenchError(
            f"the region was built from other token lengths: sha256 {recorded}",
            where=str(tokens),
            mend="give the file that manifest.json names",
        )
    return dataclasses.replace(spec, workload=dataclasses.replace(spec.workload, tokens=str(tokens)))


def _check_cells(region: Region, spec: RegionSpec, cells: Path | None, sha256: str) -> None:
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
    source = cells or bundled_cells(spec)
    found = sha256_of(source)
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
        mend="build the region again with --force",
    )
