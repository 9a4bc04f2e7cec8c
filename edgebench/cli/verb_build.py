"""`edgebench build`: cells in, regions out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from edgebench.cli.common import (
    facts,
    json_option,
    names,
    print_json,
    progress,
    region_tables,
    stderr,
    stdout,
    verb,
)
from edgebench.errors import EdgeBenchError


@verb("edgebench build --region s1 --cells 228.csv.gz --edition ocid-202603")
@click.option("--region", "regions", multiple=True, metavar="NAMES", help="s1, or s1,s2; may be repeated.")
@click.option("--all", "every", is_flag=True, help="Build every region.")
@click.option("--cells", type=click.Path(path_type=Path), help="OpenCellID or MLS file, gz or plain; else the sample.")
@click.option("--edition", help="Name of the raw data.  [default: sample; with --cells: cells]")
@click.option("--seed", default=0, show_default=True, help="Seed of every hashed draw.")
@click.option("--force", is_flag=True, help="Build again what is built already.")
@json_option
def command(
    regions: tuple[str, ...],
    every: bool,
    cells: Path | None,
    edition: str | None,
    seed: int,
    force: bool,
    as_json: bool,
) -> None:
    """Build regions: cells, sites, nodes, links, traps, model placements and tasks, as Parquet with a manifest."""
    built = []
    for name in _wanted(regions, every):
        built.append(_build(name, cells, edition or ("cells" if cells else "sample"), seed, force))
        if not as_json:
            _print(*built[-1])
    if as_json:
        print_json([{**manifest, "seconds": seconds} for manifest, seconds, _ in built])


def _wanted(regions: tuple[str, ...], every: bool) -> list[str]:
    from edgebench.registry import REGIONS

    if every == bool(regions):
        raise EdgeBenchError("which regions?", mend="edgebench build --region s1, or --all")
    return names("all" if every else ",".join(regions), "region", REGIONS)


def ensure_built(regions: Iterable[str], edition: str) -> None:
    """Build the regions of the sample edition that are not built yet, and say so.

    Raises:
        EdgeBenchError: A region of another edition is not built; the command that builds it is named.
    """
    from edgebench.paths import processed_dir
    from edgebench.registry import SAMPLE_EDITION

    for name in regions:
        if (processed_dir(name, edition) / "manifest.json").is_file():
            continue
        if edition != SAMPLE_EDITION:
            raise EdgeBenchError(
                f"region {name!r} of edition {edition!r} is not built",
                mend=f"edgebench build --region {name} --cells FILE --edition {edition}",
            )
        stderr().print(f"{name} is not built yet: building it from the bundled sample")
        _run_build(name, None, edition, 0)


def _build(name: str, cells: Path | None, edition: str, seed: int, force: bool) -> tuple[dict[str, Any], float, Path]:
    """Manifest, seconds (0 where it was built already) and folder of one region."""
    from edgebench.paths import processed_dir

    folder = processed_dir(name, edition)
    if (folder / "manifest.json").is_file() and not force:
        return _already(name, edition, cells, seed), 0.0, folder
    start = time.perf_counter()
    folder = _run_build(name, cells, edition, seed)
    seconds = round(time.perf_counter() - start, 3)
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8")), seconds, folder


def _run_build(name: str, cells: Path | None, edition: str, seed: int) -> Path:
    from builders.pipeline import build_region
    from edgebench.registry import region_spec

    with progress("steps") as report:
        return build_region(
            region_spec(name), cells=cells, edition=edition, seed=seed,
            on_step=lambda step, index, total: report(f"{name}: {step}", index, total),
        )  # fmt: skip


def _already(name: str, edition: str, cells: Path | None, seed: int) -> dict[str, Any]:
    """The manifest of the region that stands there, if it is the one asked for; it is read and checked in full."""
    import hashlib

    from edgebench.region import load

    manifest = load(name, edition=edition).manifest
    different = []
    if manifest["seed"] != seed:
        different.append(f"seed {manifest['seed']}")
    if cells is not None:
        with cells.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != manifest["source"]["sha256"]:
                different.append(f"other cells ({manifest['source']['file']})")
    if different:
        raise EdgeBenchError(
            f"region {name!r} of edition {edition!r} was built from {' and '.join(different)}",
            mend="give your cells an edition of their own with --edition, or replace the region with --force",
        )
    return manifest


def _print(manifest: dict[str, Any], seconds: float, folder: Path) -> None:
    console = stdout()
    if not seconds:
        stderr().print(
            f"{manifest['region']} is built already (edition {manifest['edition']}); --force builds it again"
        )
    for part in region_tables(manifest):
        console.print(part)
    spent = {"seconds": f"{seconds:.2f}"} if seconds else {}
    console.print(facts({"digest": str(manifest["digest"]), "folder": str(folder), **spent}), soft_wrap=True)
