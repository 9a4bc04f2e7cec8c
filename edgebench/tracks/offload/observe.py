"""What is seen of the network at the beginning of a slot: each node of itself, and of its neighbours what it is told."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part
from edgebench.tracks.offload.constants import AGES, SLOTS
from edgebench.tracks.offload.features import LABELS, NEIGHBOUR, NEIGHBOUR_FEATURES, NODE, NODE_FEATURES, F, G, L
from edgebench.tracks.offload.physics import arriving
from edgebench.tracks.offload.state import (
    PUBLISHED_DOWN,
    PUBLISHED_FREE,
    PUBLISHED_LOAD,
    PUBLISHED_QUEUE,
    REJECT,
    C,
    D,
    Episode,
    K,
    Network,
    State,
)

NODE_LOW, NODE_HIGH = (np.array([getattr(row, end) for row in NODE_FEATURES], np.float32) for end in ("low", "high"))
NEIGHBOUR_HIGH: Final = np.array([row.high for row in NEIGHBOUR_FEATURES], np.float32)
LABEL_HIGH: Final = np.array([row.high for row in LABELS], np.float32)
_LOAD, _LAST_LOAD, _QUEUE, _INCOMING = NODE["load"], NODE["last_load"], NODE["queue"], NODE["incoming"]
_FREE, _CAPACITY, _MEMORY = NODE["memory_free"], NODE["capacity"], NODE["memory"]
_WORTH, _ELAPSED, _EAST = NODE["worth"], NODE["elapsed"], NODE["east"]
_LATENCY, _BANDWIDTH, _BACKLOG = NEIGHBOUR["latency_ms"], NEIGHBOUR["bandwidth"], NEIGHBOUR["backlog"]
_EXTRA, _SENT, _LOST = NEIGHBOUR["measured_extra_s"], NEIGHBOUR["sent"], NEIGHBOUR["lost"]
_THERE, _ITS_QUEUE, _ITS_LOAD = NEIGHBOUR["capacity"], NEIGHBOUR["queue"], NEIGHBOUR["load"]
_ITS_FREE, _DOWN = NEIGHBOUR["memory_free"], NEIGHBOUR["down"]


class Seen(NamedTuple):
    """The parts of an observation."""

    nodes: NDArray[np.float32]  # (N, F)
    neighbours: NDArray[np.float32]  # (N, D, G)
    action_mask: NDArray[np.int8]  # (N, C) 1 where a share counts
    labels: NDArray[np.float32]  # (N, D, L)
    settled: NDArray[np.int64]  # (N,) work of each node's own users that had ended at the last look; not observed


def blank_seen(network: Network) -> Seen:
    """An observation in which nothing has happened; the mask is the same in all of a region."""
    nodes = network.degree.size
    mask = np.zeros((nodes, C), np.int8)
    mask[:, :REJECT] = np.arange(REJECT) <= network.degree[:, None]
    mask[:, REJECT] = 1
    return Seen(
        np.zeros((nodes, F), np.float32),
        np.zeros((nodes, D, G), np.float32),
        mask,
        np.zeros((nodes, D, L), np.float32),
        np.zeros(nodes, np.int64),
    )


@compiled
def look(network: Network, episode: Episode, state: State, seen: Seen) -> None:
    """Write what is seen at the beginning of the slot to be decided; after the last one no request is left to split."""
    slot = state.slot[0]
    if slot == 0:
        seen.settled[:] = 0
    for node in range(network.degree.shape[0]):
        _look_at_node(network, episode, state, seen, node, slot)
        for column in range(network.degree[node]):
            _look_at_neighbour(network, episode, state, seen.neighbours[node, column], node, column, slot)


@part
def _look_at_node(network: Network, episode: Episode, state: State, seen: Seen, node: int, slot: int) -> None:
    row, capacity = seen.nodes[node], float(network.capacity[node])
    for kind in range(K):
        row[kind] = _clip(episode.arrivals[slot, node, kind] / 10.0 if slot < SLOTS else 0.0, kind)
    row[_LOAD] = _clip(arriving(episode, slot, node) / capacity if slot < SLOTS else 0.0, _LOAD)
    row[_LAST_LOAD] = _clip(arriving(episode, slot - 1, node) / capacity if 0 < slot <= SLOTS else 0.0, _LAST_LOAD)
    row[_QUEUE] = _clip(state.queued[node] / capacity, _QUEUE)
    row[_INCOMING] = _clip(state.incoming[node] / capacity, _INCOMING)
    row[_FREE] = 1.0 - state.used_mb[node] / network.memory_mb[node]
    row[_CAPACITY] = _clip(capacity / 1000.0, _CAPACITY)
    row[_MEMORY] = _clip(network.memory_mb[node] / 10_000.0, _MEMORY)
    settled = state.tally[node].sum()
    row[_WORTH] = state.slot_worth[node] / max(settled - seen.settled[node], 1)
    seen.settled[node] = settled
    row[_ELAPSED] = min(slot / SLOTS, 1.0)
    row[_EAST] = network.east[node]


@part
def _clip(value: float, column: int) -> float:
    return min(value, float(NODE_HIGH[column]))


@part
def _look_at_neighbour(
    network: Network, episode: Episode, state: State, row: NDArray[np.float32], node: int, column: int, slot: int
) -> None:
    there = network.neighbour[node, column]
    told = state.published[there]
    carries = float(episode.link_shares[max(slot - 1, 0), node, column])
    row[_LATENCY] = _bound(network.latency_ms[node, column], _LATENCY)
    row[_BANDWIDTH] = _bound(carries / 1000.0, _BANDWIDTH)
    row[_BACKLOG] = _bound(state.link_queued[node, column] / max(carries, 1.0), _BACKLOG)
    row[_EXTRA] = _bound(state.extra_s[node, column], _EXTRA)
    row[_SENT] = _bound(state.sent[node, column] / 10.0, _SENT)
    row[_LOST] = _bound(state.lost[node, column] / 10.0, _LOST)
    row[_THERE] = _bound(network.capacity[there] / 1000.0, _THERE)
    row[_ITS_QUEUE] = _bound(told[PUBLISHED_QUEUE], _ITS_QUEUE)
    row[_ITS_LOAD] = _bound(told[PUBLISHED_LOAD], _ITS_LOAD)
    row[_ITS_FREE] = told[PUBLISHED_FREE]
    row[_DOWN] = told[PUBLISHED_DOWN]


@part
def _bound(value: float, column: int) -> float:
    return min(value, float(NEIGHBOUR_HIGH[column]))


@compiled
def label(network: Network, episode: Episode, state: State, seen: Seen) -> None:
    """Write what no operator can know of the slot to be decided."""
    slot = min(state.slot[0], SLOTS + AGES - 1)
    for node in range(network.degree.shape[0]):
        for column in range(network.degree[node]):
            row = seen.labels[node, column]
            row[0] = 1.0 if episode.bad[slot, node, column] else 0.0
            row[1] = min(episode.extra_ms[slot, node, column] / 1000.0, float(LABEL_HIGH[1]))
            row[2] = 1.0 if episode.down[slot, network.neighbour[node, column]] else 0.0
