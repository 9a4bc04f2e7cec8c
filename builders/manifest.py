"""The manifest of a region: where it came from, what was dropped, what it holds."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from builders.burstgpt import describe_trace
from builders.ledger import Ledger
from builders.sample import FOLDER
from builders.workload import rate_per_s
from edgebench import __version__
from edgebench.errors import EdgeBenchError
from edgebench.registry import SAMPLE_ATTRIBUTION
from edgebench.schema import FORMAT_VERSION, SPLITS, region_digest, table_digest
from edgebench.spec import RegionSpec, WorkloadSpec

SAMPLE_LICENCE: Final = "CC0-1.0"
CELLS_LICENCE: Final = "CC-BY-SA-4.0"
CELLS_ATTRIBUTION: Final = (
    "OpenCelliD Project (https://opencellid.org) is licensed under a Creative Commons Attribution-ShareAlike 4.0 "
    "International License (https://creativecommons.org/licenses/by-sa/4.0/). "
    "Changes were made: filtered, clustered, enriched. "
    "Licence of raw cells from elsewhere: see their source; treat this region as CC-BY-SA-4.0"
)
_DUMP_DATE: Final = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])(?:-?(0[1-9]|[12]\d|3[01]))?(?!\d)")


@dataclass(frozen=True)
class Build:
    """What one build was given and what its filters did."""

    spec: RegionSpec
    edition: str
    seed: int
    cells: Path
    ledger: Ledger
    files: Mapping[str, Path] = field(default_factory=dict)


def make_manifest(build: Build, tables: dict[str, pa.Table], statistics: dict[str, Any]) -> dict[str, Any]:
    """Everything one must know of a region, as plain JSON values; the same for the same build, without any clock."""
    digests = {name: table_digest(table) for name, table in tables.items()}
    bundled = is_bundled(build.cells)
    return {
        "format_version": FORMAT_VERSION,
        "region": build.spec.name,
        "title": build.spec.title,
        "edition": build.edition,
        "builder_version": __version__,
        "seed": build.seed,
        "spec": recorded_spec(build.spec),
        "files": {key: {"file": path.name, "sha256": sha256_of(path)} for key, path in sorted(build.files.items())},
        "source": describe_source(build.cells, build.ledger),
        "dropped": build.ledger.as_json(),
        "statistics": statistics,
        "tables": {name: {"rows": table.num_rows, "digest": digests[name]} for name, table in tables.items()},
        "digest": region_digest(digests),
        "licence": SAMPLE_LICENCE if bundled else CELLS_LICENCE,
        "attribution": SAMPLE_ATTRIBUTION if bundled else CELLS_ATTRIBUTION,
    }


def recorded_spec(spec: RegionSpec) -> dict[str, Any]:
    """The whole specification as plain JSON values; of a file it names the name alone, without folders."""
    entry = asdict(spec)
    if spec.workload.tokens is not None:
        entry["workload"]["tokens"] = Path(spec.workload.tokens).name
    return entry


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_bundled(cells: Path) -> bool:
    """Whether a file is one of the bundled sample, wherever it lies: its licence is the sample's."""
    own = FOLDER / cells.name
    return own.is_file() and sha256_of(own) == sha256_of(cells)


def describe_source(cells: Path, ledger: Ledger) -> dict[str, Any]:
    """The raw file: its name without folders, SHA-256, rows, and the date of the dump.

    The date is that of the record `edgebench fetch` left beside the file, if it is about these bytes; else what the
    file's name tells.
    """
    first, sha256 = ledger.entries[0], sha256_of(cells)
    date = fetched_date(cells, sha256) or dump_date(cells.name)
    return {"file": cells.name, "sha256": sha256, "rows": first.rows + first.left, "dump_date": date}


def fetched_date(cells: Path, sha256: str) -> str | None:
    """The date of the dump in the record beside a fetched file; None where no record is about these bytes."""
    from builders.fetch import record_path

    path = record_path(cells)
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return None if record["sha256"] != sha256 else record["dump_date"]
    except (ValueError, TypeError, LookupError) as error:
        raise EdgeBenchError(
            f"damaged record of a fetched file: {type(error).__name__}: {error}",
            where=str(path),
            mend="remove it, or fetch the file again with --force",
        ) from error


def dump_date(file_name: str) -> str | None:
    """`2024-03` or `2024-03-31` from a name like `228_mls_202403.csv.gz`; None where it holds no date."""
    found = _DUMP_DATE.search(file_name)
    return "-".join(part for part in found.groups() if part) if found else None


def describe_tables(
    tables: dict[str, pl.DataFrame],
    feasibility: dict[str, dict[str, float]],
    workload: WorkloadSpec = WorkloadSpec(),  # noqa: B008 - frozen
) -> dict[str, Any]:
    """The figures of a region that a reader wants before opening it; times over deadlines in `feasibility`."""
    nodes, links, tasks = tables["nodes"], tables["links"], tables["tasks"]
    degree = np.bincount(np.r_[links["src"].to_numpy(), links["dst"].to_numpy()], minlength=nodes.height)
    return {
        "nodes": nodes.height,
        "links": links.height,
        "degree": _spread(degree),
        "compute": _spread(nodes["compute"].to_numpy()),
        "storage_gb": _spread(nodes["storage_gb"].to_numpy()),
        "distance_km": _spread(links["distance_km"].to_numpy()),
        "trap_links": int(links["is_trap"].sum()),
        "instances": tables["instances"].height,
        "tasks": {split: int((tasks["split"] == split).sum()) for split in SPLITS},
        "rate_per_s": rate_per_s(tasks, nodes, tables["instances"], workload.utilisation),
        **({} if workload.tokens is None else {"token_lengths": describe_trace(Path(workload.tokens))}),
        "feasibility": feasibility,
    }


def _spread(values: np.ndarray[Any, Any]) -> dict[str, float]:
    return {"min": values.min().item(), "max": values.max().item(), "mean": round(float(values.mean()), 4)}
