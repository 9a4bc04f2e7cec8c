"""Mended original tables -> the tables of a region; docs/importing.md states every assumption."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.catalogue import make_catalogue
from builders.feasibility import quickest_ms, set_deadlines
from builders.geo import haversine_km
from builders.links import LEAST_LATENCY_MS
from builders.nodes import nearest_node
from builders.workload import rate_per_s
from edgebench.compat.data import LegacyData
from edgebench.compat.topofreerl import cost_factor
from edgebench.constants import DEADLINE_MS, FIBRE_MS_PER_KM, MODEL_TYPES, PAYLOAD_MB, PROMPT_MB, ROUTE_FACTOR
from edgebench.schema import SPLITS, TABLES
from edgebench.sim.counter import uniforms

VAL_SHARE: Final = 0.2
"""Share of the training users, the last ones, whose tasks become the split `val`."""
ARRIVAL_STREAM: Final = 401
"""Stream of the arrivals of `train`; `val` and `test` have the next two."""


def make_region_tables(data: LegacyData, seed: int) -> dict[str, pl.DataFrame]:
    """The tables `nodes`, `links`, `instances` and `tasks` of data without defects.

    Args:
        data: What `builders.importers.mending.mend_all` gives.
        seed: Seed of the hashed arrivals.
    """
    data = in_node_order(data)
    nodes = _nodes(data)
    links = _links(data, nodes)
    instances = _instances(data, nodes)
    drawn = _tasks(data, nodes, instances, seed)
    tasks = set_deadlines(drawn, quickest_ms(drawn, nodes, links, instances))
    tables = {"nodes": nodes, "links": links, "instances": instances, "tasks": tasks}
    return {name: tables[name].select(schema.names) for name, schema in TABLES.items()}


def in_node_order(data: LegacyData) -> LegacyData:
    """The servers by the number at the end of their name: row k becomes node k."""
    names = data.servers["server"].to_list()
    order = sorted(range(len(names)), key=lambda row: (int(f"0{_last_digits(names[row])}"), names[row]))
    return data.with_table("servers", data.servers[order])


def _last_digits(name: str) -> str:
    found = re.search(r"\d+$", name)
    return found[0] if found else ""


def _nodes(data: LegacyData) -> pl.DataFrame:
    servers = data.servers
    price = np.ones(servers.height)
    if data.traps is not None:
        compute = data.column("servers", "compute")
        price = cost_factor(data.column("servers", "lat"), data.column("servers", "lon"), compute / compute.max())
    return servers.select(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("node_id"),
        "lat",
        "lon",
        pl.col("compute").round().cast(pl.Int32),
        pl.col("storage").round().cast(pl.Int32).alias("storage_gb"),
        pl.Series("price", np.round(price, 3)),
        pl.lit(1, pl.Int32).alias("sites"),
        pl.lit(1, pl.Int32).alias("cells"),
        *(pl.lit(0.0).alias(radio) for radio in ("gsm", "umts", "lte", "nr")),
    )


def _links(data: LegacyData, nodes: pl.DataFrame) -> pl.DataFrame:
    row = {name: index for index, name in enumerate(data.servers["server"])}
    pairs = sorted({(row[src], row[dst]) for src, dst in data.links.select("src", "dst").iter_rows()})
    src, dst = np.array([pair for pair in pairs if pair[0] < pair[1]], np.int32).T
    lat, lon, mbps = (data.column("servers", name) for name in ("lat", "lon", "mbps"))
    km = np.round(haversine_km(lat[src], lon[src], lat[dst], lon[dst]), 3)
    latency = np.maximum(np.round(km * ROUTE_FACTOR * FIBRE_MS_PER_KM, 4), LEAST_LATENCY_MS)
    links = pl.DataFrame(
        {
            "link_id": np.arange(len(src), dtype=np.int32),
            "src": src,
            "dst": dst,
            "distance_km": km,
            "latency_ms": latency,
            "bandwidth_mbps": np.minimum(mbps[src], mbps[dst]),
        }
    )
    return _mark_traps(data, links)


def _mark_traps(data: LegacyData, links: pl.DataFrame) -> pl.DataFrame:
    """All links of the trap servers are bad at all times, at the latency and bandwidth of trap_config.json."""
    traps = data.traps
    trapped = data.servers["server"].is_in([] if traps is None else list(traps.servers)).to_numpy()
    latency, mbps = (0.0, None) if traps is None else (traps.latency_ms, traps.mbps)
    parameters = {
        "trap_enter": 1.0,
        "trap_leave": 0.0,
        "trap_extra_min_ms": latency,
        "trap_extra_max_ms": latency,
        "trap_rest_ms": 0.0,
        "trap_mbps": mbps,
        "trap_loss": 0.0,
    }
    is_trap = trapped[links["src"].to_numpy()] | trapped[links["dst"].to_numpy()]
    return links.with_columns(pl.Series("is_trap", is_trap)).with_columns(
        pl.when("is_trap").then(pl.lit(value, pl.Float64)).alias(name) for name, value in parameters.items()
    )


def _instances(data: LegacyData, nodes: pl.DataFrame) -> pl.DataFrame:
    """Quality from the arena score; memory, work and price from the model of our catalogue at the same rank."""
    types = data.models["type"].cast(pl.Int64).to_numpy() - 1
    scores, hosts = data.column("models", "score"), data.hosts()
    like = _catalogue_rows(types, scores)
    storage = nodes["storage_gb"].to_numpy()[hosts].astype(np.float64)
    stated = data.models["usd_per_1k"]
    price = stated.fill_null(1.0).to_numpy() if stated.null_count() == 0 else like["price_usd_per_1k_tokens"].to_numpy()
    number = data.models.select(pl.int_range(1, pl.len() + 1).over("type")).to_series()
    return pl.DataFrame(
        {
            "instance_id": np.arange(len(types), dtype=np.int32),
            "model_id": [f"{MODEL_TYPES[code]}-{k:03d}" for code, k in zip(types, number, strict=True)],
            "model_type": np.array(MODEL_TYPES)[types].tolist(),
            "quality": scores,
            "work": like["work"],
            "memory_gb": np.minimum(like["memory_gb"].to_numpy(), storage),
            "price_usd_per_1k_tokens": np.round(price * nodes["price"].to_numpy()[hosts], 6),
            "node_id": hosts.astype(np.int32),
        }
    )


def _catalogue_rows(types: NDArray[np.int64], scores: NDArray[np.float64]) -> pl.DataFrame:
    """For each model the catalogue's model of its type at the same share of the way from the best to the poorest."""
    catalogue = make_catalogue().with_row_index("row")
    chosen = np.empty(len(types), np.int64)
    for code in np.unique(types):
        mine = np.flatnonzero(types == code)
        best_first = mine[np.argsort(-scores[mine], kind="stable")]
        listed = catalogue.filter(pl.col("model_type") == MODEL_TYPES[code]).sort("quality", "row", descending=True)
        chosen[best_first] = listed["row"].to_numpy()[np.arange(len(mine)) * listed.height // len(mine)]
    return catalogue[chosen]


def _tasks(data: LegacyData, nodes: pl.DataFrame, instances: pl.DataFrame, seed: int) -> pl.DataFrame:
    tasks = _with_users(_split(data.tasks))
    stages = [_stages(*row) for row in tasks.select("route", "tokens", "size").iter_rows()]
    types, parents, tokens, outputs = (list(column) for column in zip(*stages, strict=True))
    tasks = tasks.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("task_id"),
        pl.Series("node_id", nearest_node(tasks, nodes), pl.Int32),
        pl.Series("stage_types", types, pl.List(pl.String)),
        pl.Series("stage_parents", parents, pl.List(pl.Int32)),
        pl.Series("stage_tokens", tokens, pl.List(pl.Int32)),
        pl.lit(PROMPT_MB).alias("prompt_mb"),
        pl.lit(DEADLINE_MS).alias("deadline_ms"),
        pl.Series("stage_output_mb", outputs, pl.List(pl.Float64)),
    )
    counts = [int((tasks["split"] == split).sum()) for split in SPLITS]
    return tasks.with_columns(pl.Series("arrival_ms", _arrivals(counts, rate_per_s(tasks, nodes, instances), seed)))


def _split(tasks: pl.DataFrame) -> pl.DataFrame:
    """Tasks by split: the last `VAL_SHARE` of the training users, in order of first appearance, become `val`."""
    users = tasks.filter(pl.col("split") == "train")["user"].unique(maintain_order=True)
    held_out = users[-max(1, round(VAL_SHARE * len(users))) :].to_list()
    is_val = (pl.col("split") == "train") & pl.col("user").is_in(held_out)
    moved = tasks.with_columns(pl.when(is_val).then(pl.lit("val")).otherwise("split").alias("split"))
    return pl.concat(moved.filter(pl.col("split") == split) for split in SPLITS)


def _with_users(tasks: pl.DataFrame) -> pl.DataFrame:
    """user_id from 0 over all splits; equal names in different splits are different users."""
    key = pl.struct("split", "user")
    return tasks.with_columns((key.rank("dense").cast(pl.Int32) - 1).alias("user_id"))


def _stages(
    route: list[int], tokens: list[int] | None, size: float
) -> tuple[list[str], list[int], list[int], list[float]]:
    """Types, parents, tokens and outputs of a chain."""
    counts = [max(1, round(size))] * len(route) if tokens is None else [max(1, count) for count in tokens]
    types = [MODEL_TYPES[expert - 1] for expert in route]
    parents = [1 << (stage - 1) if stage else 0 for stage in range(len(route))]
    return types, parents, counts, [PAYLOAD_MB[expert - 1] for expert in route]


def _arrivals(counts: list[int], rate: float, seed: int) -> NDArray[np.float64]:
    """Poisson arrivals in ms from the start of each split; gaps are whole microseconds, one at least."""
    parts = []
    for split, count in enumerate(counts):
        gaps_us = np.rint(-np.log1p(-uniforms(seed, ARRIVAL_STREAM + split, count)) / rate * 1e6)
        parts.append(np.cumsum(np.maximum(gaps_us, 1.0)) / 1000.0)
    return np.concatenate(parts)
