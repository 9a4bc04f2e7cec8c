"""Links -> routes: the quickest path between every two nodes, in exact arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from edgebench.constants import HOP_MS
from edgebench.errors import EdgeBenchError

TICKS_PER_MS: Final = 10_000
"""Delays are compared as whole ticks of 0.0001 ms, the rounding of the links, so that equal paths are found equal."""


@dataclass(frozen=True)
class Routes:
    """The quickest path between every two of N nodes; of equally quick ones, the one whose last node but one is lowest.

    Attributes:
        delay_ms: float64[N, N]: propagation and hops; 0 from a node to itself.
        bottleneck_mbps: float64[N, N]: least bandwidth on the path; infinite from a node to itself.
        before: int64[N, N]: [source, target] -> the node before the target.
        link: int64[N, N]: [source, target] -> link_id of the link into the target.
        order: int64[N, N]: the nodes by rising delay from each source, the source first.
    """

    delay_ms: NDArray[np.float64]
    bottleneck_mbps: NDArray[np.float64]
    before: NDArray[np.int64]
    link: NDArray[np.int64]
    order: NDArray[np.int64]


def shortest_routes(links: pl.DataFrame, nodes: int) -> Routes:
    """Find the quickest paths over `links` (columns src, dst, latency_ms, bandwidth_mbps; link_id is the row).

    Raises:
        EdgeBenchError: The network is not connected.
    """
    src, dst = links["src"].to_numpy().astype(np.int64), links["dst"].to_numpy().astype(np.int64)
    ticks = np.rint((links["latency_ms"].to_numpy() + HOP_MS) * TICKS_PER_MS)
    tail, head, length = np.r_[src, dst], np.r_[dst, src], np.r_[ticks, ticks]
    delay = dijkstra(csr_array((length, (tail, head)), shape=(nodes, nodes)))
    if not np.isfinite(delay).all():
        raise EdgeBenchError("the network is not connected", mend="report this build: its links must connect all nodes")
    before = _before(delay, tail, head, length)
    link_of = np.zeros((nodes, nodes), np.int64)
    link_of[tail, head] = np.tile(np.arange(len(src)), 2)
    link = link_of[before, np.arange(nodes)]
    order = np.argsort(delay, axis=1, kind="stable").astype(np.int64)
    bottleneck = _bottleneck(order, before, link, links["bandwidth_mbps"].to_numpy())
    return Routes(delay / TICKS_PER_MS, bottleneck, before, link, order)


def _before(
    delay: NDArray[np.float64], tail: NDArray[np.int64], head: NDArray[np.int64], length: NDArray[np.float64]
) -> NDArray[np.int64]:
    nodes = len(delay)
    before = np.full((nodes, nodes), nodes, np.int64)
    for start, end, ticks in zip(tail, head, length, strict=True):
        on_path = delay[:, start] + ticks == delay[:, end]
        before[:, end] = np.where(on_path, np.minimum(before[:, end], start), before[:, end])
    np.fill_diagonal(before, np.arange(nodes))
    return before


def _bottleneck(
    order: NDArray[np.int64], before: NDArray[np.int64], link: NDArray[np.int64], mbps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Walk outwards from all sources at once: a path is as narrow as the path before it and its last link."""
    nodes = len(order)
    source = np.arange(nodes)
    bottleneck = np.full((nodes, nodes), np.inf)
    for step in range(1, nodes):
        target = order[:, step]
        so_far = bottleneck[source, before[source, target]]
        bottleneck[source, target] = np.minimum(so_far, mbps[link[source, target]])
    return bottleneck
