"""Links -> trap links: which are traps, and how they behave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.links import paths_over
from builders.streams import Stream
from edgebench.constants import (
    TRAP_COIN_CHANCE,
    TRAP_COIN_MS,
    TRAP_CROSSINGS,
    TRAP_ENTER,
    TRAP_EXTRA_MS,
    TRAP_FLAT_MBPS,
    TRAP_FLAT_MS,
    TRAP_LEAVE,
    TRAP_SHARE_MOST,
)
from edgebench.errors import EdgeBenchError
from edgebench.sim.compiled import compiled
from edgebench.sim.counter import uniform
from edgebench.sim.paths import Paths
from edgebench.spec import TrapBehaviour, TrapSpec

BLOCK: Final = 256
"""Targets whose paths are held at once: at 10,000 nodes 72 MB."""

BEHAVIOURS: Final[Mapping[TrapBehaviour, Mapping[str, float | None]]] = {
    "gilbert-elliott": {
        "trap_enter": TRAP_ENTER,
        "trap_leave": TRAP_LEAVE,
        "trap_extra_min_ms": TRAP_EXTRA_MS[0],
        "trap_extra_max_ms": TRAP_EXTRA_MS[1],
        "trap_rest_ms": 0.0,
        "trap_mbps": None,
    },
    "coin": {
        "trap_enter": TRAP_COIN_CHANCE,
        "trap_leave": 1.0 - TRAP_COIN_CHANCE,
        "trap_extra_min_ms": TRAP_COIN_MS[1],
        "trap_extra_max_ms": TRAP_COIN_MS[1],
        "trap_rest_ms": TRAP_COIN_MS[0],
        "trap_mbps": None,
    },
    "flat": {
        "trap_enter": 1.0,
        "trap_leave": 0.0,
        "trap_extra_min_ms": TRAP_FLAT_MS,
        "trap_extra_max_ms": TRAP_FLAT_MS,
        "trap_rest_ms": 0.0,
        "trap_mbps": TRAP_FLAT_MBPS,
    },
}
"""The trap columns of `edgebench.schema.LINKS` by the name of a behaviour; the loss is the specification's own."""


def mark_traps(links: pl.DataFrame, nodes: pl.DataFrame, spec: TrapSpec, seed: int) -> pl.DataFrame:
    """Mark traps among the links, one at least.

    `busiest`: the links of most traffic (`link_traffic`), `spec.share` of all, or until a path meets `TRAP_CROSSINGS`
    of them on average, no more than `TRAP_SHARE_MOST` of all; of equally busy links the lower link_id comes first.
    `random`: `spec.share` of the links, drawn. `top-compute`: all links of the `spec.share` of the nodes with
    most compute, of equally strong ones the lower node_id (TopoFreeRL).

    Args:
        links: Table of `builders.links.build_links`.
        nodes: Table of `builders.nodes.choose_nodes`.
        spec: Which links and how they behave.
        seed: Seed of the hashed draws.

    Returns:
        `links` with is_trap, trap_enter, trap_leave, trap_extra_min_ms, trap_extra_max_ms, trap_rest_ms,
        trap_mbps and trap_loss (null where no trap).

    Raises:
        EdgeBenchError: A choice other than the busiest without a share.
    """
    parameters = {**BEHAVIOURS[spec.behaviour], "trap_loss": spec.loss}
    return links.with_columns(pl.Series("is_trap", _choose(links, nodes, spec, seed))).with_columns(
        pl.when("is_trap").then(pl.lit(value, pl.Float64)).alias(name) for name, value in parameters.items()
    )


def most_traps(links: int) -> int:
    """How many of `links` links may be traps where the specification states no share."""
    return max(1, int(TRAP_SHARE_MOST * links))


def _choose(links: pl.DataFrame, nodes: pl.DataFrame, spec: TrapSpec, seed: int) -> NDArray[np.bool_]:
    if spec.which == "busiest":
        return _busiest(links, nodes, spec.share)
    if spec.share is None:
        raise EdgeBenchError(f"{spec.which} traps need a share", where="traps.share", mend="add share = 0.1")
    pairs = links.select("src", "dst").to_numpy()
    if spec.which == "random":
        draws = [uniform(seed, int(Stream.TRAP_LINK), int(src), int(dst)) for src, dst in pairs]
        return _first(np.argsort(draws, kind="stable"), _count(spec.share, links.height))
    strongest = np.argsort(-nodes["compute"].to_numpy().astype(np.int64), kind="stable")
    return np.asarray(_first(strongest, _count(spec.share, nodes.height))[pairs].any(axis=1))


def _busiest(links: pl.DataFrame, nodes: pl.DataFrame, share: float | None) -> NDArray[np.bool_]:
    traffic = link_traffic(links, nodes)
    busiest_first = np.argsort(-traffic, kind="stable")
    if share is not None:
        return _first(busiest_first, _count(share, links.height))
    crossings = np.cumsum(traffic[busiest_first]) / _path_weight(nodes)
    return _first(busiest_first, min(int(np.searchsorted(crossings, TRAP_CROSSINGS)) + 1, most_traps(links.height)))


def _count(share: float, of: int) -> int:
    return max(1, round(share * of))


def _first(order: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """A mask of the first `count` rows of `order`."""
    mask = np.zeros(len(order), np.bool_)
    mask[order[:count]] = True
    return mask


def _path_weight(nodes: pl.DataFrame) -> int:
    """Weights of all paths between two different nodes."""
    sites, compute = nodes["sites"].to_numpy().astype(np.int64), nodes["compute"].to_numpy().astype(np.int64)
    return int(sites.sum() * compute.sum() - (sites * compute).sum())


def link_traffic(links: pl.DataFrame, nodes: pl.DataFrame) -> NDArray[np.int64]:
    """Betweenness of each link (int64[L]), weighted by demand at the start and compute at the end of every path.

    A path from s to t adds sites(s) × compute(t) to each of its links: what a scheduler that asks every server in
    proportion to its strength would send over it. The sums are accumulated backwards along the paths (Brandes,
    "A Faster Algorithm for Betweenness Centrality", Journal of Mathematical Sociology 25, 2001) and are whole numbers.
    Memory grows with the nodes, not with their square.
    """
    sites, compute = (nodes[name].to_numpy().astype(np.int64) for name in ("sites", "compute"))
    traffic = np.zeros(links.height, np.int64)
    for begin in range(0, nodes.height, BLOCK):
        rows = np.arange(begin, min(begin + BLOCK, nodes.height))
        _carry(paths_over(links, nodes.height, rows), sites[rows], compute, traffic)
    return traffic


@compiled
def _carry(paths: Paths, sites: NDArray[np.int64], compute: NDArray[np.int64], traffic: NDArray[np.int64]) -> None:
    for row in range(sites.size):
        beyond = compute.copy()
        for step in range(compute.size - 1, 0, -1):
            node = paths.nearest[row, step]
            beyond[paths.next_node[row, node]] += beyond[node]
            traffic[paths.next_link[row, node]] += sites[row] * beyond[node]
