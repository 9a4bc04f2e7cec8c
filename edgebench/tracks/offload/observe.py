"""What is seen at the beginning of a slot: each node of itself, and of its neighbours what it is told."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled_in_place, part
from edgebench.tracks.offload.constants import SLOTS
from edgebench.tracks.offload.features import LABELS, NEIGHBOUR, NEIGHBOUR_FEATURES, NODE, NODE_FEATURES, F, G, L
from edgebench.tracks.offload.state import REJECT, C, D, Episode, K, Network, Record, State
from edgebench.tracks.offload.telemetry import arriving

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


def blank_seen(network: Network) -> Seen:
    """An observation in which nothing has happened; the mask is the same in all of a region."""
    degree = network.node["degree"]
    mask = np.zeros((degree.size, C), np.int8)
    mask[:, :REJECT] = np.arange(REJECT) <= degree[:, None]
    mask[:, REJECT] = 1
    shapes = ((degree.size, F), (degree.size, D, G), (degree.size, D, L))
    nodes, neighbours, labels = (np.zeros(shape, np.float32) for shape in shapes)
    return Seen(nodes, neighbours, mask, labels)


@compiled_in_place
def look(network: Network, episode: Episode, state: State, seen: Seen) -> None:
    """Write what is seen at the beginning of the slot to be decided; after the last one no request is left to split."""
    slot = state.slot[0]
    for node in range(network.node.shape[0]):
        _look_at_node(network.node[node], episode, state.node[node], seen.nodes[node], node, slot)
        for column in range(network.node[node].degree):
            _look_at_neighbour(network, episode, state, seen.neighbours[node, column], node, column, slot)


@part
def _look_at_node(
    node: Record, episode: Episode, here: Record, row: NDArray[np.float32], number: int, slot: int
) -> None:
    for kind in range(K):
        arrivals = episode.node[slot, number].arrivals[kind] if slot < SLOTS else 0
        row[kind] = _clip(arrivals / 10.0, kind)
    row[_LOAD] = _clip(arriving(episode, slot, number) / node.capacity, _LOAD)
    row[_LAST_LOAD] = _clip(arriving(episode, slot - 1, number) / node.capacity, _LAST_LOAD)
    row[_QUEUE] = _clip(here.queued / node.capacity, _QUEUE)
    row[_INCOMING] = _clip(here.incoming / node.capacity, _INCOMING)
    row[_FREE] = 1.0 - here.used_mb / node.memory_mb
    row[_CAPACITY] = _clip(node.capacity / 1000.0, _CAPACITY)
    row[_MEMORY] = _clip(node.memory_mb / 10_000.0, _MEMORY)
    ended = -here.settled
    for outcome in range(here.tally.shape[0]):
        ended += here.tally[outcome]
    row[_WORTH] = here.slot_worth / max(ended, 1)
    row[_ELAPSED] = min(slot / SLOTS, 1.0)
    row[_EAST] = node.east


@part
def _clip(value: float, column: int) -> float:
    return min(value, float(NODE_HIGH[column]))


@part
def _look_at_neighbour(
    network: Network, episode: Episode, state: State, row: NDArray[np.float32], node: int, column: int, slot: int
) -> None:
    wire, link = network.link[node, column], state.link[node, column]
    there, told = network.node[wire.neighbour], state.node[wire.neighbour]
    carries = float(episode.link[max(slot - 1, 0), node, column].shares)
    row[_LATENCY] = _bound(wire.latency_ms, _LATENCY)
    row[_BANDWIDTH] = _bound(carries / 1000.0, _BANDWIDTH)
    row[_BACKLOG] = _bound(link.queued / max(carries, 1.0), _BACKLOG)
    row[_EXTRA] = _bound(link.extra_s, _EXTRA)
    row[_SENT] = _bound(link.sent / 10.0, _SENT)
    row[_LOST] = _bound(link.lost / 10.0, _LOST)
    row[_THERE] = _bound(there.capacity / 1000.0, _THERE)
    row[_ITS_QUEUE] = _bound(told.told_queue, _ITS_QUEUE)
    row[_ITS_LOAD] = _bound(told.told_load, _ITS_LOAD)
    row[_ITS_FREE] = told.told_free
    row[_DOWN] = told.told_down


@part
def _bound(value: float, column: int) -> float:
    return min(value, float(NEIGHBOUR_HIGH[column]))


@compiled_in_place
def label(network: Network, episode: Episode, state: State, seen: Seen) -> None:
    """Write what no operator can know of the slot to be decided."""
    slot = state.slot[0]
    for node in range(network.node.shape[0] if slot < SLOTS else 0):
        for column in range(network.node[node].degree):
            row, now = seen.labels[node, column], episode.link[slot, node, column]
            row[0] = now.bad
            row[1] = min(float(now.extra_ms) / 1000.0, float(LABEL_HIGH[1]))
            row[2] = episode.node[slot, network.link[node, column].neighbour].down
