"""Quickest paths between all pairs of nodes, in exact arithmetic, for the builders and for the simulator."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import HOP_MS
from edgebench.sim.compiled import compiled, part

TICKS_PER_MS: Final = 10_000
"""Delays are compared as whole ticks of 0.0001 ms, the rounding of the links, so that equal paths are found equal."""
MS_PER_MB_AT_1_MBPS: Final = 8000.0
_FAR: Final = 2**42
"""More ticks than any path has; with the bits of a node below it still an int64."""
_NODE_BITS: Final = 20
_NODE: Final = 2**_NODE_BITS - 1


class Paths(NamedTuple):
    """Quickest paths from each of N nodes to T targets, [to, from]; of equal ones that over the lowest neighbour."""

    delay_ms: NDArray[np.float64]  # (T, N) propagation and hops; 0 from a node to itself
    ms_per_mb: NDArray[np.float64]  # (T, N) transmission over the path's narrowest link; 0 from a node to itself
    next_node: NDArray[np.int32]  # (T, N) the path's next node; the node itself where it has arrived
    next_link: NDArray[np.int32]  # (T, N) the path's next link; -1 where it has arrived
    nearest: NDArray[np.int32]  # (T, N) [to]: the nodes by rising delay, the target first


class Network(NamedTuple):
    """Links as the search walks them: those of node k are rows first[k] … first[k + 1] - 1 of the other arrays."""

    first: NDArray[np.int64]  # (N + 1,)
    neighbour: NDArray[np.int32]  # (2 L,)
    link: NDArray[np.int32]  # (2 L,)
    ticks: NDArray[np.int64]  # (2 L,) propagation and forwarding
    ms_per_mb: NDArray[np.float64]  # (2 L,) transmission


def make_network(
    nodes: int,
    src: NDArray[np.integer],
    dst: NDArray[np.integer],
    latency_ms: NDArray[np.floating],
    bandwidth_mbps: NDArray[np.floating],
) -> Network:
    """The network of links given by their columns, (L,) each."""
    tail, head = np.r_[src, dst], np.r_[dst, src].astype(np.int32)
    order = np.argsort(tail, kind="stable")
    link = np.tile(np.arange(len(src), dtype=np.int32), 2)[order]
    ticks = np.rint((latency_ms.astype(np.float64) + HOP_MS) * TICKS_PER_MS).astype(np.int64)
    slowness = MS_PER_MB_AT_1_MBPS / bandwidth_mbps.astype(np.float64)
    first = np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=nodes))))
    return Network(first, head[order], link, ticks[link], slowness[link])


def paths_to(network: Network, targets: NDArray[np.int64]) -> Paths:
    """Find the quickest paths from everywhere to `targets`, (T,); 28 bytes a path.

    Raises:
        ValueError: The network is not connected.
    """
    shape = (len(targets), len(network.first) - 1)
    paths = Paths(np.empty(shape), np.empty(shape), *(np.empty(shape, np.int32) for _ in range(3)))
    if not _search(network, targets, paths):
        raise ValueError("the network is not connected")
    return paths


@compiled
def _search(network: Network, targets: NDArray[np.int64], paths: Paths) -> bool:
    """Dijkstra's algorithm from every target; whether it met all nodes each time.

    A heap entry is the delay with the node in its last bits, so that nodes leave it by delay, equal ones by number.
    """
    nodes = network.first.size - 1
    ticks = np.empty(nodes, np.int64)
    heap = np.empty(network.neighbour.size + 1, np.int64)
    for row in range(targets.size):
        ticks[:] = _FAR
        ticks[targets[row]], heap[0] = 0, targets[row]
        held, met = 1, 0
        while held > 0:
            entry = _pop(heap, held)
            held -= 1
            node = entry & _NODE
            if ticks[node] == entry >> _NODE_BITS:
                held = _settle(network, node, row, ticks, heap, held, paths)
                paths.nearest[row, met] = node
                met += 1
        if met < nodes:
            return False
    return True


@part
def _settle(
    network: Network, node: int, row: int, ticks: NDArray[np.int64], heap: NDArray[np.int64], held: int, paths: Paths
) -> int:
    """Note the path of a node whose delay is final, over the lowest neighbour, and push those it brings nearer."""
    delay, chosen, chosen_link, slowness = ticks[node], node, -1, 0.0
    for k in range(network.first[node], network.first[node + 1]):
        other, length = network.neighbour[k], network.ticks[k]
        if delay + length < ticks[other]:
            ticks[other] = delay + length
            _push(heap, held, (delay + length) << _NODE_BITS | other)
            held += 1
        elif ticks[other] + length == delay and (chosen_link < 0 or other < chosen):
            chosen, chosen_link = other, network.link[k]
            slowness = max(paths.ms_per_mb[row, other], network.ms_per_mb[k])
    paths.delay_ms[row, node], paths.ms_per_mb[row, node] = delay / TICKS_PER_MS, slowness
    paths.next_node[row, node], paths.next_link[row, node] = chosen, chosen_link
    return held


@part
def _push(heap: NDArray[np.int64], held: int, entry: int) -> None:
    at = held
    while at > 0 and heap[(at - 1) // 2] > entry:
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = entry


@part
def _pop(heap: NDArray[np.int64], held: int) -> int:
    """Take the least of `held` entries."""
    least, last = heap[0], heap[held - 1]
    at, child = 0, 1
    while child < held - 1:
        if child + 1 < held - 1 and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= last:
            break
        heap[at] = heap[child]
        at, child = child, 2 * child + 1
    heap[at] = last
    return int(least)
