"""VAMAPPO's folders `Server1` … `Server4`: a topology, its models, and the tasks of two splits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from builders.importers.reading import (
    SERVER_COLUMNS,
    as_table,
    find_file,
    number,
    read_cells,
    read_numbers,
    read_sheet,
    string_list,
)
from builders.importers.report import Report
from edgebench.compat.data import LegacyData

Placement = Literal["random", "single"]

_LARGE: Final = 2**31
_MODELS: Final = {"type": ("ModelType",), "score": ("ArenaScore",), "server": ("ServerID",), "name": ("Model",)}
_TASKS: Final = {
    "user": ("UserId",),
    "lat": ("La", "Lat", "Latitude"),
    "lon": ("Lo", "Lon", "Longitude"),
    "route": ("route",),
    "quality_weight": ("w1",),
    "speed_weight": ("w2",),
    "size": ("size",),
}


def read_vamappo(folder: Path, report: Report, placement: Placement = "random") -> LegacyData:
    """Read one topology as it is; what cannot be read is added to `report`.

    Args:
        folder: `Server1` for example: information, topology, deployment, train and test.
        report: Told of everything that is not as it should be.
        placement: Which deployment file, `RandomDeployment` or `SingleDeployment`.

    Raises:
        EdgeBenchError: A file or a column is missing, or cannot be read at all.
    """
    information = find_file(folder, r"server\d+_information\.csv", "the servers")
    topology = find_file(folder, r"server\d+_topology\.csv", "the adjacency matrix")
    deployment = find_file(folder, rf"server\d+_{placement}deployment\.csv", f"the {placement} deployment")
    splits = {split: find_file(folder, rf"{split}\.csv", f"the {split} tasks") for split in ("train", "test")}
    servers = _read_servers(information, report)
    paths = {"servers": information, "links": topology, "models": deployment, **splits}
    digits = re.sub(r"\D", "", information.stem)
    return LegacyData(
        system="vamappo",
        title=f"VAMAPPO Server{digits}",
        servers=servers,
        links=_read_links(topology, report),
        models=_read_models(deployment, report),
        tasks=pl.concat(_read_tasks(path, split, report) for split, path in splits.items()),
        files={name: path.name for name, path in paths.items()},
    )


def _read_servers(path: Path, report: Report) -> pl.DataFrame:
    sheet = read_sheet(path, SERVER_COLUMNS, report)
    values, rows = read_numbers(sheet, [name for name in SERVER_COLUMNS if name != "server"], report, needed=True)
    names = [sheet.columns["server"][row] for row in rows]
    return as_table({"server": names}, values, [sheet.lines[row] for row in rows])


def _read_links(path: Path, report: Report) -> pl.DataFrame:
    """One row for every cell of the matrix that is not 0."""
    header, rows, lines = read_cells(path, report)
    found = []
    for (src, *cells), line in zip(rows, lines, strict=True):
        for dst, cell in zip(header[1:], cells, strict=True):
            value = number(cell)
            if value is None:
                report.mend("unreadable", path.name, line, f"{src} to {dst} is {cell!r}", "taken as no link")
            elif value:
                found.append((src, dst, None, line))
    schema = {"src": pl.String, "dst": pl.String, "latency_ms": pl.Float64, "line": pl.Int64}
    return pl.DataFrame(found, schema=schema, orient="row")


def _read_models(path: Path, report: Report) -> pl.DataFrame:
    sheet = read_sheet(path, _MODELS, report, optional=["name"])
    for name, line in zip(sheet.columns["name"], sheet.lines, strict=True):
        if name.lower() == "ours":
            report.note("own model", path.name, line, f"a model is called {name!r}", "kept")
    values, rows = read_numbers(sheet, ("type", "score"), report)
    servers = [sheet.columns["server"][row] for row in rows]
    figures: dict[str, Sequence[float | None]] = {**values, "usd_per_1k": [None] * len(rows)}
    return as_table({"server": servers}, figures, [sheet.lines[row] for row in rows])


def _read_tasks(path: Path, split: str, report: Report) -> pl.DataFrame:
    sheet = read_sheet(path, _TASKS, report)
    values, rows = read_numbers(sheet, ("lat", "lon", "quality_weight", "speed_weight", "size"), report)
    routes = [string_list(sheet.columns["route"][row]) for row in rows]
    return task_table(
        {
            "split": [split] * len(rows),
            "user": [sheet.columns["user"][row] for row in rows],
            **values,
            "route": [None if route is None else [_type(entry) for entry in route] for route in routes],
            "tokens": [None] * len(rows),
            "line": [sheet.lines[row] for row in rows],
        }
    )


def _type(entry: object) -> int:
    """A model type as the data has it; 0 for anything that is no whole number of a sane size."""
    return entry if isinstance(entry, int) and not isinstance(entry, bool) and abs(entry) < _LARGE else 0


def task_table(columns: Mapping[str, Sequence[object]]) -> pl.DataFrame:
    """The columns of `LegacyData.tasks` in one order and type."""
    schema: dict[str, Any] = {
        "split": pl.String,
        "user": pl.String,
        "lat": pl.Float64,
        "lon": pl.Float64,
        "route": pl.List(pl.Int64),
        "quality_weight": pl.Float64,
        "speed_weight": pl.Float64,
        "size": pl.Float64,
        "tokens": pl.List(pl.Int64),
        "line": pl.Int64,
    }
    return pl.DataFrame(columns, schema_overrides=schema).select(list(schema))
