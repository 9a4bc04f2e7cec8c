"""Links -> trap links: the attractive ones, which turn bad now and then."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.links import paths_over
from edgebench.constants import TRAP_CROSSINGS, TRAP_ENTER, TRAP_EXTRA_MS, TRAP_LEAVE, TRAP_SHARE_MOST
from edgebench.spec import TrapSpec


def mark_traps(links: pl.DataFrame, nodes: pl.DataFrame, spec: TrapSpec, seed: int) -> pl.DataFrame:
    """Mark the busiest links as traps, until a path meets `TRAP_CROSSINGS` of them on average.

    One link at least is a trap and no more than `TRAP_SHARE_MOST` of them. Paths are weighted as in `link_traffic`; of
    equally busy links the lower link_id comes first.

    Args:
        links: Table of `builders.links.build_links`.
        nodes: Table of `builders.nodes.choose_nodes`.
        spec: Which links and how they behave.
        seed: Seed of the hashed draws.

    Returns:
        `links` with is_trap, trap_enter, trap_leave, trap_extra_min_ms, trap_extra_max_ms, trap_rest_ms,
        trap_mbps and trap_loss (null where no trap).
    """
    traffic = link_traffic(links, nodes)
    busiest_first = np.argsort(-traffic, kind="stable")
    crossings = np.cumsum(traffic[busiest_first]) / _path_weight(nodes)
    is_trap = np.zeros(links.height, np.bool_)
    count = min(int(np.searchsorted(crossings, TRAP_CROSSINGS)) + 1, most_traps(links.height))
    is_trap[busiest_first[:count]] = True
    parameters = {
        "trap_enter": TRAP_ENTER,
        "trap_leave": TRAP_LEAVE,
        "trap_extra_min_ms": TRAP_EXTRA_MS[0],
        "trap_extra_max_ms": TRAP_EXTRA_MS[1],
        "trap_rest_ms": 0.0,
        "trap_mbps": None,
        "trap_loss": 0.0,
    }
    return links.with_columns(pl.Series("is_trap", is_trap)).with_columns(
        pl.when("is_trap").then(pl.lit(value, pl.Float64)).alias(name) for name, value in parameters.items()
    )


def most_traps(links: int) -> int:
    """How many of `links` links may be traps."""
    return max(1, int(TRAP_SHARE_MOST * links))


def _path_weight(nodes: pl.DataFrame) -> int:
    """Weights of all paths between two different nodes."""
    sites, compute = nodes["sites"].to_numpy().astype(np.int64), nodes["compute"].to_numpy().astype(np.int64)
    return int(sites.sum() * compute.sum() - (sites * compute).sum())


def link_traffic(links: pl.DataFrame, nodes: pl.DataFrame) -> NDArray[np.int64]:
    """Betweenness of each link (int64[L]), weighted by demand at the start and compute at the end of every path.

    A path from s to t adds sites(s) × compute(t) to each of its links: what a scheduler that asks every server in
    proportion to its strength would send over it. The sums are accumulated backwards along the paths (Brandes,
    "A Faster Algorithm for Betweenness Centrality", Journal of Mathematical Sociology 25, 2001) and are whole numbers.
    """
    count = nodes.height
    paths = paths_over(links, count)
    source = np.arange(count)
    sites = nodes["sites"].to_numpy().astype(np.int64)
    beyond = np.tile(nodes["compute"].to_numpy().astype(np.int64), (count, 1))
    traffic = np.zeros(links.height, np.int64)
    for step in range(count - 1, 0, -1):
        target = paths.nearest[:, step]
        carried = beyond[source, target]
        beyond[source, paths.next_node[source, target]] += carried
        np.add.at(traffic, paths.next_link[source, target], sites * carried)
    return traffic
