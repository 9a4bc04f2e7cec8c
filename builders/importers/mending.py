"""Original tables -> tables that a region can have: each step names every defect it meets and mends it minimally."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from builders.geo import distance_matrix_km
from builders.importers.report import Report
from edgebench.compat.data import EXPERTS, LegacyData
from edgebench.constants import MAX_STAGES

WEIGHT_TOLERANCE: Final = 1e-6
"""Weights whose sum is nearer to 1 are left as they are, but for the last digits."""


def mend_all(data: LegacyData, report: Report) -> LegacyData:
    """Check the servers, links, models and tasks, in this order; `report` is told what was found and changed."""
    data = _mend_servers(data, report)
    if data.servers.height < 2:
        report.fatal("too few servers", data.files["servers"], 0, "a network needs two servers")
        return data
    for step in (_mend_links, _join_components, _mend_models, _mend_tasks):
        data = step(data, report)
    return data


def _mend_servers(data: LegacyData, report: Report) -> LegacyData:
    servers, file = data.servers, data.files["servers"]
    for line, name in _rows(servers.filter(~pl.col("server").is_first_distinct()), "line", "server"):
        report.fatal("duplicate server", file, line, f"server {name} stands twice")
    on_earth = pl.col("lat").is_between(-90, 90) & pl.col("lon").is_between(-180, 180)
    for line, lat, lon in _rows(servers.filter(~on_earth), "line", "lat", "lon"):
        report.fatal("position", file, line, f"latitude {lat}, longitude {lon}")
    for line, lat, lon in _rows(servers.filter(~pl.struct("lat", "lon").is_first_distinct()), "line", "lat", "lon"):
        report.note(
            "shared position", file, line, f"another server stands at {lat}, {lon} too", "kept: links of length 0"
        )
    for name in ("compute", "storage", "mbps"):
        for line, value in _rows(servers.filter(pl.col(name) < 1), "line", name):
            report.mend(f"{name} below 1", file, line, f"{name} is {value:g}", "becomes 1")
    once = servers.filter(pl.col("server").is_first_distinct())
    return data.with_table("servers", once.with_columns(pl.col("compute", "storage", "mbps").clip(lower_bound=1.0)))


def _mend_links(data: LegacyData, report: Report) -> LegacyData:
    links, file = data.links, data.files["links"]
    known = pl.col("src").is_in(data.servers["server"].to_list()) & pl.col("dst").is_in(
        data.servers["server"].to_list()
    )
    links = _without(links, ~known, report, file, "unknown server", "no such server")
    links = _without(links, pl.col("src") == pl.col("dst"), report, file, "self-loop", "a link to itself")
    repeated = ~pl.struct("src", "dst").is_first_distinct()
    links = _without(links, repeated, report, file, "duplicate link", "the link stands twice")
    pairs = set(links.select("src", "dst").iter_rows())
    reverse = []
    for src, dst, line in _rows(links, "src", "dst", "line"):
        if (dst, src) not in pairs:
            what = f"{src} to {dst} has no link back"
            report.mend("one direction", file, line, what, "the link back is added (symmetric closure)")
            reverse.append((dst, src, line))
    back = pl.DataFrame(reverse, schema={"src": pl.String, "dst": pl.String, "line": pl.Int64}, orient="row")
    return data.with_table("links", pl.concat([links, back], how="diagonal"))


def _without(links: pl.DataFrame, bad: pl.Expr, report: Report, file: str, kind: str, why: str) -> pl.DataFrame:
    for line, src, dst in _rows(links.filter(bad), "line", "src", "dst"):
        report.mend(kind, file, line, f"{src} to {dst}: {why}", "the link is left out")
    return links.filter(~bad)


def _join_components(data: LegacyData, report: Report) -> LegacyData:
    """Add the shortest links between components until one is left; of equally short ones the first by server rows."""
    names = data.servers["server"].to_list()
    part = _components(data)
    if not part.any():
        return data
    km = distance_matrix_km(data.column("servers", "lat"), data.column("servers", "lon"))
    added = []
    while part.any():
        apart = np.where(part[:, None] != part[None, :], km, np.inf)
        here, there = (int(row) for row in np.unravel_index(int(np.argmin(apart)), apart.shape))
        sizes = (
            f"parts of {int((part == part[here]).sum())} and {int((part == part[there]).sum())} servers are not joined"
        )
        mend = f"joined by the shortest link, {names[here]} to {names[there]}, {km[here, there]:.3f} km"
        report.mend("disconnected", data.files["links"], 0, sizes, mend)
        added += [(names[here], names[there], 0), (names[there], names[here], 0)]
        low, high = sorted((int(part[here]), int(part[there])))
        part = np.where(part == high, low, part)
        part = np.unique(part, return_inverse=True)[1]
    bridges = pl.DataFrame(added, schema={"src": pl.String, "dst": pl.String, "line": pl.Int64}, orient="row")
    return data.with_table("links", pl.concat([data.links, bridges], how="diagonal"))


def _components(data: LegacyData) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The connected part of each server, from 0."""
    row = {name: index for index, name in enumerate(data.servers["server"])}
    src, dst = ([row[name] for name in data.links[end]] for end in ("src", "dst"))
    adjacent = csr_array((np.ones(len(src)), np.array((src, dst), np.int32)), shape=(len(row), len(row)))
    return np.asarray(connected_components(adjacent, directed=False)[1], np.int64)


def _mend_models(data: LegacyData, report: Report) -> LegacyData:
    models, file = data.models, data.files["models"]
    known = pl.col("server").is_in(data.servers["server"].to_list())
    for line, server in _rows(models.filter(~known), "line", "server"):
        report.mend("unknown server", file, line, f"no server {server}", "the model is left out")
    typed = pl.col("type").is_in([float(expert) for expert in EXPERTS])
    for line, kind in _rows(models.filter(~typed), "line", "type"):
        report.mend("unknown type", file, line, f"type {kind:g}", "the model is left out")
    for line, score in _rows(models.filter(~pl.col("score").is_between(0, 1)), "line", "score"):
        report.mend("score out of range", file, line, f"score {score:g}", "moved to the nearer of 0 and 1")
    for line, price in _rows(models.filter(pl.col("usd_per_1k") < 0), "line", "usd_per_1k"):
        report.mend("negative price", file, line, f"price {price:g}", "becomes 0")
    models = models.filter(known & typed).with_columns(
        pl.col("score").clip(0.0, 1.0), pl.col("usd_per_1k").clip(lower_bound=0.0)
    )
    hosting = pl.col("server").is_in(models["server"].to_list())
    for line, server in _rows(data.servers.filter(~hosting), "line", "server"):
        report.note("empty server", data.files["servers"], line, f"server {server} holds no model", "kept")
    return data.with_table("models", models)


def _mend_tasks(data: LegacyData, report: Report) -> LegacyData:
    tasks = _readable_tasks(data, report)
    _note_places(data, tasks, report)
    total = pl.col("quality_weight") + pl.col("speed_weight")
    sound = (pl.col("quality_weight") >= 0) & (pl.col("speed_weight") >= 0) & (total > 0)
    uneven = tasks.filter((~sound) | ((total - 1.0).abs() > WEIGHT_TOLERANCE))
    for split, line, quality, speed in _rows(uneven, "split", "line", "quality_weight", "speed_weight"):
        usable = quality >= 0 and speed >= 0 and quality + speed > 0
        mend = "divided by their sum" if usable else "become 0.5 and 0.5"
        report.mend("weights", data.files[split], line, f"{quality:g} + {speed:g} is not 1", mend)
    for split, line, size in _rows(tasks.filter(pl.col("size") <= 0), "split", "line", "size"):
        report.mend("zero size", data.files[split], line, f"size {size:g}", "becomes 1")
    share = pl.when(sound).then(pl.col("quality_weight") / total).otherwise(0.5)
    mended = tasks.with_columns(quality_weight=share, speed_weight=1.0 - share, size=_at_least_one("size"))
    for expert in sorted(set(mended["route"].explode()) - set(data.models["type"].cast(pl.Int64))):
        report.fatal("no host", data.files["models"], 0, f"tasks need type {expert}, which no server holds")
    for split in ("train", "test"):
        if len(mended.filter(pl.col("split") == split)["user"].unique()) < 2:
            report.fatal("too few tasks", data.files[split], 0, f"{split} has fewer than two users")
    return data.with_table("tasks", mended)


def _at_least_one(name: str) -> pl.Expr:
    return pl.when(pl.col(name) > 0).then(pl.col(name)).otherwise(1.0)


def _readable_tasks(data: LegacyData, report: Report) -> pl.DataFrame:
    """The tasks whose split, place and route can be read; the others are left out."""
    kept = []
    for row, (split, line, lat, lon, route) in enumerate(_rows(data.tasks, "split", "line", "lat", "lon", "route")):
        why = _unreadable(split, lat, lon, route)
        if why:
            report.mend("unreadable", data.files.get(split, data.files["train"]), line, why, "the task is left out")
        else:
            kept.append(row)
    return data.tasks[kept]


def _unreadable(split: str, lat: float, lon: float, route: list[int] | None) -> str:
    """Why a task cannot be read; empty where it can."""
    if split not in ("train", "test"):
        return f"split {split!r}"
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return f"latitude {lat}, longitude {lon}"
    if not route:
        return "the route is no list of types" if route is None else "the route is empty"
    if len(route) > MAX_STAGES:
        return f"the route has {len(route)} stages, {MAX_STAGES} at most"
    unknown = [entry for entry in route if entry not in EXPERTS]
    return f"the route {route} holds an unknown type" if unknown else ""


def _note_places(data: LegacyData, tasks: pl.DataFrame, report: Report) -> None:
    """Users outside the rectangle of the servers, and places that are in both splits."""
    servers = data.servers
    inside = pl.col("lat").is_between(servers["lat"].min(), servers["lat"].max()) & pl.col("lon").is_between(
        servers["lon"].min(), servers["lon"].max()
    )
    for split, line in _rows(tasks.filter(~inside), "split", "line"):
        report.note("user outside", data.files[split], line, "the user is outside the servers' rectangle", "kept")
    both = pl.col("split").n_unique().over("lat", "lon") > 1
    for split, line in _rows(tasks.filter(both), "split", "line"):
        report.note("place in two splits", data.files[split], line, "train and test share a place", "kept")


def _rows(table: pl.DataFrame, *names: str) -> Sequence[tuple[Any, ...]]:
    return table.select(names).rows()
