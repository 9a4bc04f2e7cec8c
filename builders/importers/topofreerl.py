"""TopoFreeRL's folder `Server1_Trap`: servers, links, models, tasks, traps, and a request log that may be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from builders.importers.reading import (
    SERVER_COLUMNS,
    as_table,
    find_file,
    pointer_size,
    read_numbers,
    read_sheet,
    read_text,
    string_list,
)
from builders.importers.report import Report
from builders.importers.vamappo import task_table
from edgebench.compat.data import LegacyData, TrapConfig
from edgebench.errors import EdgeBenchError
from edgebench.foreign import json_object

EXPERT_NAMES: Final = {"ChatGPT": 1, "GPT-4": 2, "GPT-4v": 3}
"""Its names of the three model types."""
WEIGHT: Final = 0.5
"""Of quality and of speed: its tasks state neither."""

_SERVERS: Final = SERVER_COLUMNS | {"cell": ("OriginalID",)}
_LINKS: Final = {"src": ("SrcServerID",), "dst": ("DstServerID",), "latency_ms": ("BaseLatencyMs",)}
_MODELS: Final = {
    "type": ("ModelType",),
    "score": ("ArenaScore",),
    "usd_per_1k": ("CostPerToken",),
    "server": ("ServerID",),
}
_TASKS: Final = {
    "task": ("TaskID",),
    "split": ("Split",),
    "lon": ("TaskLongitude",),
    "lat": ("TaskLatitude",),
    "size": ("TaskSize",),
    "route": ("RequiredModelTypes",),
}
_TOKENS: Final = ("RequestLengthTokens", "ResponseLengthTokens")
_TRAPS: Final = {"trap_latency": 2000.0, "trap_bandwidth": 1.0, "trap_cost_multiplier": 1.2}


def read_topofreerl(folder: Path, report: Report) -> LegacyData:
    """Read the folder as it is; what cannot be read is added to `report`.

    Raises:
        EdgeBenchError: A file or a column is missing, or cannot be read at all.
    """
    paths = {
        "servers": find_file(folder, r"servers\.csv", "the servers"),
        "links": find_file(folder, r"network_links\.csv", "the links"),
        "models": find_file(folder, r"model_instances\.csv", "the model instances"),
        "tasks": find_file(folder, r"tasks\.csv", "the tasks"),
        "traps": find_file(folder, r"trap_config\.json", "the traps"),
    }
    servers = _read_servers(paths["servers"], report)
    files = {name: path.name for name, path in paths.items()}
    return LegacyData(
        system="topofreerl",
        title=f"TopoFreeRL, {servers.height} servers",
        servers=servers,
        links=_read_rows(paths["links"], _LINKS, ("latency_ms",), report),
        models=_read_rows(paths["models"], _MODELS, ("type", "score", "usd_per_1k"), report),
        tasks=_read_tasks(paths["tasks"], _read_tokens(folder, report), report),
        files={**files, "train": files["tasks"], "test": files["tasks"]},
        traps=_read_traps(paths["traps"], set(servers["server"]), report),
    )


def _read_rows(
    path: Path, names: Mapping[str, Sequence[str]], figures: tuple[str, ...], report: Report, *, needed: bool = False
) -> pl.DataFrame:
    sheet = read_sheet(path, names, report)
    values, rows = read_numbers(sheet, figures, report, needed=needed)
    texts = {name: [sheet.columns[name][row] for row in rows] for name in names if name not in figures}
    return as_table(texts, values, [sheet.lines[row] for row in rows])


def _read_servers(path: Path, report: Report) -> pl.DataFrame:
    figures = ("lon", "lat", "mbps", "compute", "storage")
    servers = _read_rows(path, _SERVERS, figures, report, needed=True)
    for line, cell in servers.filter(~pl.col("cell").is_first_distinct()).select("line", "cell").iter_rows():
        report.note("duplicate cell", path.name, line, f"cell {cell} is another server's too", "kept")
    return servers.drop("cell")


def _read_tasks(path: Path, tokens: dict[str, list[int]], report: Report) -> pl.DataFrame:
    sheet = read_sheet(path, _TASKS, report)
    values, rows = read_numbers(sheet, ("lon", "lat", "size"), report)
    routes = [string_list(sheet.columns["route"][row]) for row in rows]
    names = [sheet.columns["task"][row] for row in rows]
    return task_table(
        {
            "split": [sheet.columns["split"][row] for row in rows],
            "user": [f"{lat} {lon}" for lat, lon in zip(values["lat"], values["lon"], strict=True)],
            **values,
            "route": [None if route is None else [_expert(name) for name in route] for route in routes],
            "quality_weight": [WEIGHT] * len(rows),
            "speed_weight": [WEIGHT] * len(rows),
            "tokens": [tokens.get(name) for name in names],
            "line": [sheet.lines[row] for row in rows],
        }
    )


def _expert(name: object) -> int:
    """The number of a model type; 0 for a name that is none."""
    return EXPERT_NAMES.get(name, 0) if isinstance(name, str) else 0


def _read_tokens(folder: Path, report: Report) -> dict[str, list[int]]:
    """Tokens of each stage by task, from the request log; empty where the log is a pointer or absent."""
    for name in ("session_stats.csv", "request_log.csv"):
        path = folder / name
        size = pointer_size(path) if path.is_file() else None
        if size is not None:
            what = f"a Git-LFS pointer in place of a file of {size:,} bytes"
            report.note("Git-LFS pointer", name, 0, what, "not needed: tokens from the task's size")
    log, mapping = folder / "request_log.csv", folder / "task_request_mapping.csv"
    if not (log.is_file() and mapping.is_file()) or pointer_size(log) is not None:
        return {}
    return _join_tokens(log, mapping)


def _join_tokens(log: Path, mapping: Path) -> dict[str, list[int]]:
    try:
        wanted = pl.read_csv(mapping, columns=["TaskID", "WorkflowStepIndex", "MappedRequestID"])
        asked = pl.scan_csv(log, schema_overrides=dict.fromkeys(_TOKENS, pl.Int64)).select(
            MappedRequestID="RequestID", tokens=pl.sum_horizontal(*_TOKENS, ignore_nulls=False)
        )
        joined = wanted.lazy().join(asked, on="MappedRequestID", how="left").collect()
    except pl.exceptions.PolarsError as error:
        raise EdgeBenchError(f"the request log cannot be read: {error}", where=str(log), mend="remove it") from error
    stages = joined.sort("TaskID", "WorkflowStepIndex").group_by("TaskID", maintain_order=True).agg("tokens")
    return {task: tokens for task, tokens in stages.iter_rows() if None not in tokens}


def _read_traps(path: Path, servers: set[str], report: Report) -> TrapConfig:
    """trap_config.json; servers it does not know are left out by mending."""
    config = _trap_entries(path, report)
    named = [str(name) for name in config["trap_server_ids"]]
    for name in sorted(set(named) - servers):
        report.mend("unknown server", path.name, 0, f"the trap {name} is no server", "the trap is left out")
    latency, mbps, cost = (float(config[key]) for key in _TRAPS)
    return TrapConfig(tuple(name for name in named if name in servers), latency, mbps, cost)


def _trap_entries(path: Path, report: Report) -> dict[str, Any]:
    try:
        config = json_object(read_text(path, report))
    except ValueError as error:
        raise EdgeBenchError(f"not a JSON object: {error}", where=str(path), mend="fetch the file again") from error
    for key in _TRAPS:
        value = config.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise EdgeBenchError(f"{key} is {value!r}", where=str(path), mend=f"{_TRAPS[key]:g}, as published")
    if not isinstance(config.get("trap_server_ids"), list):
        raise EdgeBenchError("trap_server_ids is no list", where=str(path), mend="fetch the file again")
    return config
