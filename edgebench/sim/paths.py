"""Quickest paths between all pairs of nodes, in exact arithmetic, for the builders and for the simulator."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import HOP_MS

TICKS_PER_MS: Final = 10_000
"""Delays are compared as whole ticks of 0.0001 ms, the rounding of the links, so that equal paths are found equal."""
MS_PER_MB_AT_1_MBPS: Final = 8000.0


class Paths(NamedTuple):
    """The quickest path between every two of N nodes, [to, from]; of equal ones that over the lowest neighbour."""

    delay_ms: NDArray[np.float64]  # (N, N) propagation and hops; 0 from a node to itself
    ms_per_mb: NDArray[np.float64]  # (N, N) transmission over the path's narrowest link; 0 from a node to itself
    next_node: NDArray[np.int64]  # (N, N) the path's next node; the node itself where it has arrived
    next_link: NDArray[np.int64]  # (N, N) the path's next link; -1 where it has arrived
    nearest: NDArray[np.int64]  # (N, N) [to]: the nodes by rising delay, the target first


def quickest_paths(
    nodes: int,
    src: NDArray[np.integer],
    dst: NDArray[np.integer],
    latency_ms: NDArray[np.floating],
    bandwidth_mbps: NDArray[np.floating],
) -> Paths:
    """Find the quickest paths over links given by their columns, (L,) each.

    Raises:
        ValueError: The network is not connected.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    ticks = np.rint((latency_ms.astype(np.float64) + HOP_MS) * TICKS_PER_MS)
    tail, head, length = np.r_[src, dst].astype(np.int64), np.r_[dst, src].astype(np.int64), np.r_[ticks, ticks]
    delay = dijkstra(csr_array((length, (tail, head)), shape=(nodes, nodes)))
    if not np.isfinite(delay).all():
        raise ValueError("the network is not connected")
    next_node = _next_nodes(delay, tail, head, length)
    link = np.full((nodes, nodes), -1, np.int64)
    link[tail, head] = np.tile(np.arange(len(src)), 2)
    next_link = link[np.arange(nodes), next_node]
    nearest = np.argsort(delay, axis=1, kind="stable").astype(np.int64)
    slowest = _slowest(nearest, next_node, next_link, MS_PER_MB_AT_1_MBPS / bandwidth_mbps.astype(np.float64))
    return Paths(delay / TICKS_PER_MS, slowest, next_node, next_link, nearest)


def _next_nodes(
    delay: NDArray[np.float64], tail: NDArray[np.int64], head: NDArray[np.int64], length: NDArray[np.float64]
) -> NDArray[np.int64]:
    nodes = len(delay)
    following = np.full((nodes, nodes), nodes, np.int64)
    for neighbour, source, ticks in zip(tail, head, length, strict=True):
        on_path = delay[:, neighbour] + ticks == delay[:, source]
        following[:, source] = np.where(on_path, np.minimum(following[:, source], neighbour), following[:, source])
    np.fill_diagonal(following, np.arange(nodes))
    return following


def _slowest(
    nearest: NDArray[np.int64],
    next_node: NDArray[np.int64],
    next_link: NDArray[np.int64],
    link_ms_per_mb: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Walk outwards from all targets at once: a path is as slow as its next link and the path beyond it."""
    target = np.arange(len(nearest))
    slowest = np.zeros(nearest.shape)
    for source in nearest[:, 1:].T:
        beyond = slowest[target, next_node[target, source]]
        slowest[target, source] = np.maximum(beyond, link_ms_per_mb[next_link[target, source]])
    return slowest
