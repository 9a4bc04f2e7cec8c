"""Proofs that the tables of a region are what they claim to be, before they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from builders.links import link_count
from builders.traps import most_traps
from edgebench.constants import MODEL_TYPES, MODELS, SPLIT_TASKS, SPLIT_USERS
from edgebench.errors import EdgeBenchError
from edgebench.schema import SPLITS
from edgebench.spec import Range, RegionSpec

MEAN_TOLERANCE: Final = 0.01
"""The means of a specification are met within this share."""

DISTANCE_TOLERANCE_KM: Final = 0.002
"""Two roundings to a metre."""

Claims = Iterator[tuple[str, bool]]


def prove_structure(tables: dict[str, pl.DataFrame], spec: RegionSpec) -> None:
    """Check the tables `nodes`, `links`, `instances` and `tasks` against `spec` and against each other.

    Raises:
        EdgeBenchError: A claim does not hold; all that do not are named.
    """
    claims = (
        *_node_claims(tables["nodes"], spec),
        *_link_claims(tables["links"], tables["nodes"], spec),
        *_instance_claims(tables["instances"], tables["nodes"]),
        *_task_claims(tables["tasks"], spec.nodes),
    )
    broken = [claim for claim, holds in claims if not holds]
    if broken:
        raise EdgeBenchError(
            f"the region does not hold what it claims: {'; '.join(broken)}",
            where=f"region {spec.name}",
            mend="correct the region's specification or edgebench/constants.py",
        )


def _node_claims(nodes: pl.DataFrame, spec: RegionSpec) -> Claims:
    yield f"{spec.nodes} nodes", nodes.height == spec.nodes
    yield "node_id counts from 0", nodes["node_id"].to_list() == list(range(nodes.height))
    yield "nodes stand at different places", not nodes.select("lat", "lon").is_duplicated().any()
    yield f"compute is as in {spec.compute}", _meets(nodes["compute"].to_numpy(), spec.compute)
    yield f"storage_gb is as in {spec.storage_gb}", _meets(nodes["storage_gb"].to_numpy(), spec.storage_gb)
    yield "every node has a positive price and a site", bool(((nodes["price"] > 0) & (nodes["sites"] > 0)).all())


def _meets(values: NDArray[np.int32], target: Range) -> bool:
    ends = int(values.min()) == target.min and int(values.max()) == target.max
    return ends and abs(float(values.mean()) - target.mean) <= MEAN_TOLERANCE * target.mean


def _link_claims(links: pl.DataFrame, nodes: pl.DataFrame, spec: RegionSpec) -> Claims:
    yield f"{link_count(spec.nodes, spec.mean_degree)} links", links.height == link_count(spec.nodes, spec.mean_degree)
    yield "link_id counts from 0", links["link_id"].to_list() == list(range(links.height))
    yield "the network is connected", _connected(links, spec.nodes)
    yield "src is below dst", bool((links["src"] < links["dst"]).all())
    yield "no pair of nodes has two links", not links.select("src", "dst").is_duplicated().any()
    yield "distances are great circles", _great_circles(links, nodes)
    yield "latency is positive", bool((links["latency_ms"] > 0).all())
    yield "bandwidth is positive", bool((links["bandwidth_mbps"] > 0).all())
    yield "a trap at least, and not too many", 1 <= int(links["is_trap"].sum()) <= most_traps(links.height)
    yield "traps alone have trap parameters", bool((links["trap_enter"].is_not_null() == links["is_trap"]).all())


def _great_circles(links: pl.DataFrame, nodes: pl.DataFrame) -> bool:
    """Whether geopy, which knows nothing of `builders.geo`, finds the same lengths to two metres."""
    from geopy.distance import great_circle

    places = dict(zip(nodes["node_id"], zip(nodes["lat"], nodes["lon"], strict=True), strict=True))
    rows = links.select("src", "dst", "distance_km").iter_rows()
    return all(abs(great_circle(places[src], places[dst]).km - km) <= DISTANCE_TOLERANCE_KM for src, dst, km in rows)


def _connected(links: pl.DataFrame, nodes: int) -> bool:
    src, dst = links["src"].to_numpy(), links["dst"].to_numpy()
    if max(src.max(), dst.max()) >= nodes:
        return False
    adjacent = csr_array((np.ones(len(src)), (src, dst)), shape=(nodes, nodes))
    parts, _ = connected_components(adjacent, directed=False)
    return bool(parts == 1)


def _instance_claims(instances: pl.DataFrame, nodes: pl.DataFrame) -> Claims:
    placed = instances.join(nodes.select("node_id", "storage_gb"), on="node_id")
    yield "instances lie on nodes", placed.height == instances.height
    yield "every model fits its node", bool((placed["memory_gb"] <= placed["storage_gb"]).all())
    yield "every model is placed once", instances["model_id"].n_unique() == instances.height
    yield "quality is between 0 and 1", bool(instances["quality"].is_between(0.0, 1.0).all())
    for kind, count in zip(MODEL_TYPES, MODELS, strict=True):
        hosts = instances.filter(pl.col("model_type") == kind)["node_id"]
        yield f"{count} {kind} models", len(hosts) == count
        yield f"{kind} is on two nodes or more", hosts.n_unique() > 1


def _task_claims(tasks: pl.DataFrame, nodes: int) -> Claims:
    yield "task_id counts from 0", tasks["task_id"].to_list() == list(range(tasks.height))
    yield "users are at nodes", bool(tasks["node_id"].is_between(0, nodes - 1).all())
    weights = (tasks["quality_weight"] + tasks["speed_weight"] - 1.0).abs()
    yield "a user's weights sum to 1", bool((weights < 1e-9).all())
    yield "no user is in two splits", _in_one_split(tasks, "user_id")
    yield "no place is in two splits", _in_one_split(tasks.with_columns(place=pl.struct("lat", "lon")), "place")
    for split in SPLITS:
        part = tasks.filter(pl.col("split") == split)
        yield f"{SPLIT_TASKS[split]} tasks in {split}", part.height == SPLIT_TASKS[split]
        yield f"{SPLIT_USERS[split]} users in {split}", part["user_id"].n_unique() == SPLIT_USERS[split]
        yield f"arrivals rise in {split}", bool((part["arrival_ms"].diff().drop_nulls() > 0).all())


def _in_one_split(tasks: pl.DataFrame, column: str) -> bool:
    return bool((tasks.group_by(column).agg(pl.col("split").n_unique())["split"] == 1).all())
