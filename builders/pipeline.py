"""Cells -> region: the whole build, top to bottom."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders.catalogue import make_catalogue
from builders.cells import read_cells
from builders.feasibility import prove_feasible, quickest_ms, set_deadlines
from builders.filters import filter_cells
from builders.ledger import Ledger
from builders.links import build_links
from builders.manifest import Build, describe_tables, make_manifest
from builders.nodes import choose_nodes
from builders.placement import place_models
from builders.proofs import prove_structure
from builders.sample import sample_path
from builders.sites import find_sites
from builders.streams import region_seed
from builders.traps import mark_traps
from builders.workload import make_tasks
from edgebench.atomic import atomic_folder
from edgebench.card import write_description
from edgebench.errors import EdgeBenchError
from edgebench.paths import is_folder_name, processed_dir
from edgebench.region import read_region
from edgebench.registry import SAMPLE_EDITION
from edgebench.schema import TABLES
from edgebench.sim.topology import PATH
from edgebench.spec import RegionSpec

STEPS: Final = ("read", "filter", "sites", "nodes", "links", "traps", "models", "tasks", "proofs", "write")
"""What `on_step` is told, in this order."""

_EDITION: Final = re.compile(r"[a-z0-9-]*")

OnStep = Callable[[str, int, int], None]


def _silent(name: str, index: int, total: int) -> None:
    """Tell nobody."""


def build_region(
    spec: RegionSpec,
    *,
    cells: Path | None = None,
    edition: str = SAMPLE_EDITION,
    seed: int = 0,
    on_step: OnStep = _silent,
    target: Path | None = None,
    files: Mapping[str, Path] | None = None,
) -> Path:
    """Build a region from cells and write it, whole or not at all.

    Args:
        spec: What the region is to be.
        cells: A file `builders.cells.read_cells` reads; None for the bundled sample.
        edition: Name of the raw data, in file-name letters; `sample` for the bundled sample and nothing else.
        seed: Seed of all hashed draws, together with the name of the region's network; not negative.
        on_step: Called at the start of each step with its name, its index from 0 and the number of steps.
        target: Folder to write; None for the region's place in `processed/`.
        files: Files that values of the specification came from, by key; their digests enter the manifest.

    Returns:
        The folder with nodes, links, instances and tasks as Parquet, and manifest.json.

    Raises:
        EdgeBenchError: The names do not fit together, the region exceeds this machine's memory, the cells cannot be
            read or are too few, or a proof fails.
    """
    _check_names(spec, cells, edition, seed)
    check_memory(spec)
    build = Build(spec, edition, seed, cells or bundled_cells(spec), Ledger(), _with_tokens(spec, files or {}))
    tables, statistics = _make_tables(build, on_step)
    _tell(on_step, "write")
    return _write(build, tables, statistics, target or processed_dir(spec.name, edition))


def bundled_cells(spec: RegionSpec) -> Path:
    """The bundled sample of a region; EdgeBenchError where there is none."""
    path = sample_path(spec.network)
    if not path.is_file():
        what = f"there is no bundled sample of region {spec.network!r}"
        raise EdgeBenchError(what, mend="add --cells FILE --edition NAME")
    return path


def _with_tokens(spec: RegionSpec, files: Mapping[str, Path]) -> Mapping[str, Path]:
    tokens = spec.workload.tokens
    return files if tokens is None else {**files, "tokens": Path(tokens)}


def _check_names(spec: RegionSpec, cells: Path | None, edition: str, seed: int) -> None:
    for name in (spec.name, spec.network):
        if not is_folder_name(name):
            raise EdgeBenchError(f"{name!r} cannot name a region", mend="use small letters, digits and hyphens: bern")
    if not _EDITION.fullmatch(edition) or not is_folder_name(edition):
        raise EdgeBenchError(
            f"{edition!r} cannot name an edition",
            where="--edition",
            mend="use small letters, digits and hyphens, ocid-202603 for example",
        )
    if cells is not None and edition == SAMPLE_EDITION:
        raise EdgeBenchError(
            "the edition 'sample' is for the bundled sample; your cells need a name of their own",
            where=str(cells),
            mend="add --edition NAME, ocid-202603 for example",
        )
    if cells is None and edition != SAMPLE_EDITION:
        raise EdgeBenchError(f"edition {edition!r} needs cells", where="--edition", mend="add --cells FILE")
    if not 0 <= seed < 2**63:
        raise EdgeBenchError(f"seed {seed} is out of range", where="--seed", mend="use 0 or a positive whole number")


def check_memory(spec: RegionSpec) -> None:
    """Refuse a region whose table of paths alone, one entry a pair of nodes, exceeds the memory of this machine.

    Raises:
        EdgeBenchError: It does; both sizes are named.
    """
    needed, here = spec.nodes**2 * PATH.itemsize, memory_bytes()
    if here is not None and needed > here:
        raise EdgeBenchError(
            f"paths between {spec.nodes:,} nodes take {needed / 1e9:,.1f} GB, this machine has {here / 1e9:,.1f} GB",
            where=f"region {spec.name}",
            mend=f"ask for {math.isqrt(here // PATH.itemsize):,} nodes at most, or use a machine with more memory",
        )


def memory_bytes() -> int | None:
    """The memory of this machine, None where the system does not tell it in the way of POSIX."""
    if not hasattr(os, "sysconf"):
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _tell(on_step: OnStep, step: str) -> None:
    on_step(step, STEPS.index(step), len(STEPS))


def _make_tables(build: Build, on_step: OnStep) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    spec, seed = build.spec, region_seed(build.spec.network, build.seed)
    _tell(on_step, "read")
    raw = read_cells(build.cells, build.ledger, spec.mcc)
    _tell(on_step, "filter")
    cells = filter_cells(raw, spec, build.ledger, str(build.cells))
    _tell(on_step, "sites")
    sites = find_sites(cells)
    _tell(on_step, "nodes")
    nodes, _ = choose_nodes(sites, spec, seed)
    _tell(on_step, "links")
    plain_links = build_links(nodes, spec, seed)
    _tell(on_step, "traps")
    links = mark_traps(plain_links, nodes, spec.traps, seed)
    _tell(on_step, "models")
    instances = place_models(make_catalogue(spec.workload.experts), nodes, spec, seed)
    _tell(on_step, "tasks")
    drawn = make_tasks(nodes, sites, instances, spec, seed)
    quickest = quickest_ms(drawn, nodes, links, instances)
    tasks = set_deadlines(drawn, quickest)
    _tell(on_step, "proofs")
    tables = {"nodes": nodes, "links": links, "instances": instances, "tasks": tasks}
    prove_structure(tables, spec)
    return tables, describe_tables(tables, prove_feasible(tasks, quickest), spec.workload)


def _write(build: Build, tables: dict[str, pl.DataFrame], statistics: dict[str, Any], target: Path) -> Path:
    arrow = {name: as_arrow(tables[name], schema) for name, schema in TABLES.items()}
    manifest = make_manifest(build, arrow, statistics)
    with atomic_folder(target) as folder:
        for name, table in arrow.items():
            pq.write_table(table, folder / f"{name}.parquet")
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        (folder / "manifest.json").write_text(text, encoding="utf-8", newline="\n")
        write_description(manifest, folder)
        read_region(folder)
    return target


def as_arrow(table: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """`table` with exactly the columns, types, nullability and field metadata of `schema`."""
    return table.select(schema.names).to_arrow().cast(schema)
