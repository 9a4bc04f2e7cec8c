"""An original folder -> a region in `processed/`, with its report beside it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from builders.feasibility import prove_feasible, quickest_ms
from builders.importers.mapping import in_node_order, make_region_tables
from builders.importers.mending import mend_all
from builders.importers.report import Report
from builders.importers.topofreerl import read_topofreerl
from builders.importers.vamappo import Placement, read_vamappo
from builders.manifest import describe_tables
from builders.pipeline import as_arrow
from builders.streams import region_seed
from edgebench import __version__
from edgebench.atomic import atomic_folder
from edgebench.card import write_description
from edgebench.compat.data import LegacyData
from edgebench.constants import STAGES_PER_TASK
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.paths import is_folder_name, processed_dir
from edgebench.region import read_region
from edgebench.registry import REGISTERED, SAMPLE_EDITION
from edgebench.schema import FORMAT_VERSION, TABLES, region_digest, table_digest
from edgebench.spec import Range, RegionSpec, TrapSpec, WorkloadSpec

SYSTEMS: Final = ("vamappo", "topofreerl")
LEGACY_EDITION: Final = "legacy"
AS_IMPORTED: Final = "as imported"
"""In place of a method's name."""
REPORT: Final = "report.json"
"""The data report, beside the tables."""
NO_LICENCE: Final = "no licence stated: for your own use, do not pass on"
POSITIONS: Final = "Positions come from the OpenCelliD Project (https://opencellid.org), CC-BY-SA-4.0."

_UNUSABLE: Final = ("unreadable", "unknown server", "unknown type")
"""Kinds of defects that even the original formulas cannot pass over."""


@dataclass(frozen=True)
class Import:
    """What is asked for: which system's folder, the region's name (None: after the folder), and how."""

    system: str
    folder: Path
    name: str | None = None
    edition: str = LEGACY_EDITION
    placement: Placement = "random"
    mend: bool = False
    force: bool = False


def read_legacy(system: str, folder: Path, report: Report, placement: Placement = "random") -> LegacyData:
    """The folder's tables as they are; `report` is told what cannot be read.

    Raises:
        EdgeBenchError: No such system, or a file is missing or cannot be read at all.
    """
    if system == "vamappo":
        return read_vamappo(folder, report, placement)
    if system == "topofreerl":
        if placement != "random":
            raise EdgeBenchError("TopoFreeRL has one deployment", where="--placement", mend="leave out --placement")
        return read_topofreerl(folder, report)
    raise unknown_name("system", system, SYSTEMS)


def import_region(wanted: Import, report: Report) -> Path:
    """Import a folder as a region, whole or not at all.

    Args:
        wanted: What is asked for.
        report: Collects the defects; it is complete also where the import is refused for them.

    Returns:
        The region's folder: tables, manifest.json and report.json.

    Raises:
        EdgeBenchError: A file cannot be read; defects forbid a region; the name is taken or cannot be one; or another
            region stands there and `force` is not set.
    """
    data = read_legacy(wanted.system, wanted.folder, report, wanted.placement)
    name = wanted.name or _default_name(data, wanted.placement)
    _check_names(name, wanted.edition)
    mended = mend_all(data, report)
    report.refuse(mend=wanted.mend, where=str(wanted.folder))
    tables = make_region_tables(mended, region_seed(name, 0))
    manifest = _manifest(wanted, name, mended, tables, report) | {"source": _source(wanted, data)}
    beside = report.as_json(mended=True) | {"nodes": in_node_order(mended).servers["server"].to_list()}
    return _write(processed_dir(name, wanted.edition), tables, manifest, beside, force=wanted.force)


def read_as_is(system: str, folder: Path) -> LegacyData:
    """The folder's tables without any mending, for the original formulas.

    Raises:
        EdgeBenchError: As `read_legacy`; or rows cannot be used at all.
    """
    report = Report()
    data = read_legacy(system, folder, report)
    mend_all(data, report)
    unusable = [defect for defect in report.defects if defect.grade == "fatal" or defect.kind in _UNUSABLE]
    if unusable:
        first = unusable[0]
        raise EdgeBenchError(first.what, where=f"{folder}: {first.file}, row {first.row}", mend="correct the files")
    return data


def _default_name(data: LegacyData, placement: Placement) -> str:
    if data.system == "topofreerl":
        return f"legacy-trap{data.servers.height}"
    digits = re.sub(r"\D", "", data.files["servers"])
    return f"legacy-s{digits}" + ("" if placement == "random" else f"-{placement}")


def _check_names(name: str, edition: str) -> None:
    for option, value in (("--as", name), ("--edition", edition)):
        if not is_folder_name(value):
            raise EdgeBenchError(
                f"{value!r} cannot be a name", where=option, mend="use small letters, digits and hyphens: legacy-s1"
            )
    if name in REGISTERED or edition == SAMPLE_EDITION:
        taken = f"the region {name!r}" if name in REGISTERED else f"the edition {edition!r}"
        raise EdgeBenchError(
            f"{taken} is EdgeBench's own", where="--as, --edition", mend="take another name, legacy-s1 for example"
        )


def _manifest(
    wanted: Import, name: str, data: LegacyData, tables: dict[str, pl.DataFrame], report: Report
) -> dict[str, Any]:
    arrow = {table: as_arrow(tables[table], schema) for table, schema in TABLES.items()}
    digests = {table: table_digest(values) for table, values in arrow.items()}
    feasibility = prove_feasible(tables["tasks"], quickest_ms(**tables))
    return {
        "format_version": FORMAT_VERSION,
        "region": name,
        "title": data.title,
        "edition": wanted.edition,
        "builder_version": __version__,
        "seed": 0,
        "spec": _spec(name, data, tables),
        "dropped": [],
        "mended": report.counts("mend"),
        "noted": report.counts("note"),
        "statistics": describe_tables(tables, feasibility),
        "tables": {table: {"rows": values.num_rows, "digest": digests[table]} for table, values in arrow.items()},
        "digest": region_digest(digests),
        **_terms(wanted),
    }


def _spec(name: str, data: LegacyData, tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """What the imported region turned out to be, in the words of a specification; nothing is built from it."""
    nodes, links = tables["nodes"], tables["links"]
    lon, lat = nodes["lon"].to_numpy(), nodes["lat"].to_numpy()
    trapped = 0 if data.traps is None else len(data.traps.servers)
    chains_of_5 = bool((data.tasks["route"].list.len() == STAGES_PER_TASK).all())
    spec = RegionSpec(
        name=name,
        title=data.title,
        mcc=(),
        nets=(),
        bbox=(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())),
        nodes=nodes.height,
        compute=_range(nodes["compute"].to_numpy()),
        storage_gb=_range(nodes["storage_gb"].to_numpy()),
        mean_degree=round(2.0 * links.height / nodes.height, 4),
        traps=TrapSpec("top-compute", trapped / nodes.height, "flat"),
        workload=WorkloadSpec(workflow="chain-5" if chains_of_5 else "chain"),
        family="imported",
    )
    entry = asdict(spec) | dict.fromkeys(("nodes_by", "links_by", "placement"), AS_IMPORTED)
    entry["traps"]["which"] = AS_IMPORTED if trapped else "none"
    entry["workload"]["tokens"] = "task sizes" if data.tasks["tokens"].null_count() else "request log"
    return entry


def _range(values: np.ndarray[Any, Any]) -> Range:
    return Range(int(values.min()), int(values.max()), round(float(values.mean()), 4))


def _source(wanted: Import, data: LegacyData) -> dict[str, Any]:
    """The original files by name with their SHA-256, and one digest over all of them."""
    files = {}
    for file in sorted(set(data.files.values())):
        with (wanted.folder / file).open("rb") as stream:
            files[file] = hashlib.file_digest(stream, "sha256").hexdigest()
    listed = "".join(f"{file}={digest};" for file, digest in files.items())
    return {
        "file": wanted.folder.resolve().name,
        "system": wanted.system,
        "sha256": hashlib.sha256(listed.encode()).hexdigest(),
        "files": files,
        "rows": sum(getattr(data, table).height for table in ("servers", "links", "models", "tasks")),
        "dump_date": None,
    }


def _terms(wanted: Import) -> dict[str, Any]:
    """Licence, attribution and whether the region may be handed on: only with a licence file beside the data."""
    licence = _licence_file(wanted.folder) if wanted.system == "vamappo" else None
    credit = {"vamappo": "Data set of VAMAPPO", "topofreerl": "Data set of TopoFreeRL"}[wanted.system]
    if licence is None:
        return {"licence": NO_LICENCE, "attribution": f"{credit}. {POSITIONS}", "redistributable": False}
    holder = next((line.strip() for line in licence.splitlines() if line.strip().lower().startswith("copyright")), "")
    return {"licence": "MIT", "attribution": f"{credit}, {holder}. {POSITIONS}", "redistributable": True}


def _licence_file(folder: Path) -> str | None:
    """The text of an MIT licence in the folder or one of the two above it, as the repository has it; else None."""
    resolved = folder.resolve()
    for place in (resolved, *list(resolved.parents)[:2]):
        path = place / "LICENSE"
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            return text if "MIT License" in text else None
    return None


def _write(
    target: Path, tables: dict[str, pl.DataFrame], manifest: dict[str, Any], report: dict[str, Any], *, force: bool
) -> Path:
    if (target / "manifest.json").exists() and not force:
        if json.loads((target / "manifest.json").read_text(encoding="utf-8")) == json.loads(json.dumps(manifest)):
            return target
        raise EdgeBenchError("another region stands there", where=str(target), mend="replace it with --force")
    with atomic_folder(target) as folder:
        for name, schema in TABLES.items():
            pq.write_table(as_arrow(tables[name], schema), folder / f"{name}.parquet")
        for file, entries in (("manifest.json", manifest), (REPORT, report)):
            text = json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
            (folder / file).write_text(text, encoding="utf-8", newline="\n")
        write_description(manifest, folder)
        read_region(folder)
    return target
