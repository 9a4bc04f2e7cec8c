"""A bound of the queue physics that no policy passes: the most work a clairvoyant could have done on time.

A maximum flow through the network expanded in time (Ford and Fulkerson, "Constructing maximal dynamic flows from static
flows", Operations Research 6, 1958), in CPU shares. Requests of a node, slot and class may be served at home in any
slot before their deadline, or be sent on a link in any slot that leaves time, and then be served at its far end no
earlier than the link's delay in that slot allows; a node serves no more than its shares, a link carries no more than
its bandwidth. Every way that requests can take to an answer on time is such a path, and what a policy has done on time
is a flow. Left out are memory, whole requests, the order of a queue, that all classes of a node are split alike, the
time a transfer takes within its slot, and, of what was sent late, the deadline of its class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from edgebench.tracks.offload.constants import AGES, DEADLINE_SLOTS, LOSS_COST, REJECT_COST, SLOTS, WORK_SHARES
from edgebench.tracks.offload.state import Episode, K, Network

Indices = NDArray[np.int64]
Edges = tuple[Indices, Indices, Indices]
"""Tails, heads and capacities in CPU shares."""
_SOURCE, _SINK, _FIRST = range(3)
_TIMES: Final = SLOTS + AGES
_NO_LIMIT: Final = 2**31 - 1


def value_bound(network: Network, episode: Episode) -> float:
    """No policy's `value` is higher: what the flow leaves is rejected, what arises at a node that is down is lost."""
    work = episode.node["arrivals"][:SLOTS].astype(np.int64) @ np.array(WORK_SHARES)
    doomed = float(work[episode.node["down"][:SLOTS] > 0].sum())
    done = float(most_on_time(network, episode))
    asked = max(float(work.sum()), 1.0)
    return float((done - REJECT_COST * (work.sum() - doomed - done) - LOSS_COST * doomed) / asked)


def most_on_time(network: Network, episode: Episode) -> int:
    """The most work that could have been done on time, in CPU shares."""
    expanded = _Expanded(network, episode)
    tails, heads, capacities = (np.concatenate(part) for part in zip(*expanded.edges(), strict=True))
    is_open = capacities > 0
    shape = (expanded.size, expanded.size)
    entries: Any = capacities[is_open].astype(np.int32), (tails[is_open], heads[is_open])
    capacity = csr_array(entries, shape=shape)
    return int(maximum_flow(capacity, _SOURCE, _SINK).flow_value)


class _Expanded:
    """The network expanded in time: requests by slot, node and class; servers and links by slot, links twice."""

    def __init__(self, network: Network, episode: Episode) -> None:
        self._network, self._episode = network, episode
        self._tail, self._column = np.nonzero(network.link["neighbour"] >= 0)
        self._head = network.link["neighbour"][self._tail, self._column]
        nodes, links = network.node.size, self._tail.size
        self._servers = _FIRST + SLOTS * nodes * K
        self._entries = self._servers + _TIMES * nodes
        self._exits = self._entries + _TIMES * links
        self.size = int(self._exits + _TIMES * links)
        self._arrives = self._earliest()
        self._fails = _next_failure(episode.node["down"] > 0)

    def edges(self) -> Iterator[Edges]:
        """All edges of the network, a kind at a time."""
        slots, nodes, kinds = np.indices((SLOTS, self._network.node.size, K)).reshape(3, -1)
        work = self._episode.node["arrivals"][slots, nodes, kinds].astype(np.int64) * np.array(WORK_SHARES)[kinds]
        work[self._episode.node["down"][slots, nodes] > 0] = 0
        requests = _FIRST + np.arange(work.size)
        yield np.full(work.size, _SOURCE), requests, work
        times, servers = np.indices((_TIMES, self._network.node.size)).reshape(2, -1)
        yield self._server(times, servers), np.full(times.size, _SINK), self._network.node["capacity"][servers]
        deadlines = slots + np.array(DEADLINE_SLOTS)[kinds]
        for wait in range(AGES):
            served = (slots + wait < deadlines) & (slots + wait < self._fails[slots, nodes])
            yield requests, self._server(slots + wait, nodes), work * served
            yield from self._sent(requests, slots, wait, nodes, work * served)
        yield from self._carried()

    def _sent(self, requests: Indices, slots: Indices, wait: int, nodes: Indices, work: Indices) -> Iterator[Edges]:
        """On each of the node's links, `wait` slots after they arose, where they are there before their deadline."""
        degree = self._network.node["degree"]
        sent, deadlines = slots + wait, slots + np.array(DEADLINE_SLOTS)[np.arange(slots.size) % K]
        for column in range(int(degree.max(initial=0))):
            links = np.minimum(degree.cumsum()[nodes] - degree[nodes] + column, self._tail.size - 1)
            goes = (column < degree[nodes]) & (self._arrives[sent, links] < deadlines)
            yield requests, self._entries + sent * self._tail.size + links, work * goes

    def _carried(self) -> Iterator[Edges]:
        """By each link in each slot, and on to its far end in any slot in which some class may still be served."""
        times, links = np.indices((_TIMES, self._tail.size)).reshape(2, -1)
        place, head = times * self._tail.size + links, self._head[links]
        shares = self._episode.link["shares"][times, self._tail[links], self._column[links]]
        yield self._entries + place, self._exits + place, shares.astype(np.int64)
        arrives = self._arrives[times, links]
        ends = np.minimum(self._fails[np.minimum(arrives, _TIMES), head], _TIMES)
        for wait in range(1, AGES):
            served = (times + wait >= arrives) & (times + wait < ends)
            at = np.minimum(times + wait, _TIMES - 1)
            yield self._exits + place, self._server(at, head), np.where(served, _NO_LIMIT, 0)

    def _earliest(self) -> Indices:
        """The slot in which what leaves on a link is there at the earliest, (slots, links)."""
        of_links = self._tail, self._column
        delay_ms = self._network.link["latency_ms"][of_links] + self._episode.link["extra_ms"][:, *of_links]
        return np.asarray(np.arange(_TIMES)[:, None] + np.maximum(1, np.ceil(delay_ms / 1000.0)).astype(np.int64))

    def _server(self, times: Indices, nodes: Indices) -> Indices:
        return self._servers + times * self._network.node.size + nodes


def _next_failure(down: NDArray[np.bool_]) -> Indices:
    """The first slot from each slot on in which a node is down, (slots + 1, N); beyond the last where it never is."""
    found = np.full((len(down) + 1, down.shape[1]), np.iinfo(np.int64).max)
    for slot in range(len(down) - 1, -1, -1):
        found[slot] = np.where(down[slot], slot, found[slot + 1])
    return found
