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
from builders.proofs_of_instances import instance_claims
from builders.proofs_of_tasks import task_claims
from builders.traps import BEHAVIOURS, most_traps
from edgebench.errors import EdgeBenchError
from edgebench.spec import Range, RegionSpec, TrapSpec

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
        *instance_claims(tables["instances"], tables["nodes"], spec),
        *task_claims(tables, spec),
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
    yield from _trap_claims(links, nodes, spec.traps)


def _trap_claims(links: pl.DataFrame, nodes: pl.DataFrame, spec: TrapSpec) -> Claims:
    count = int(links["is_trap"].sum())
    if spec.share is None:
        yield "a trap at least, and not too many", 1 <= count <= most_traps(links.height)
    elif spec.which == "top-compute":
        yield f"traps are the links of the strongest {spec.share} of the nodes", _at_strongest(links, nodes, spec.share)
    else:
        wanted = max(1, round(spec.share * links.height))
        yield f"{wanted} traps", count == wanted
    expected = {**BEHAVIOURS[spec.behaviour], "trap_loss": spec.loss}
    traps, others = links.filter("is_trap"), links.filter(~pl.col("is_trap"))
    yield (
        f"traps behave as {spec.behaviour}",
        all(traps[name].unique().to_list() == [value] for name, value in expected.items()),
    )
    yield "traps alone have trap parameters", all(others[name].is_null().all() for name in expected)


def _at_strongest(links: pl.DataFrame, nodes: pl.DataFrame, share: float) -> bool:
    """Whether every link of a node above the least strong of them is a trap, and every trap is a link of one."""
    compute = nodes["compute"].to_numpy()
    least = np.sort(compute)[-max(1, round(share * len(compute)))]
    best_end = compute[links.select("src", "dst").to_numpy()].max(axis=1)
    is_trap = links["is_trap"].to_numpy()
    return bool(is_trap[best_end > least].all() and (best_end[is_trap] >= least).all())


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
