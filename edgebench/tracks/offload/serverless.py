"""One slot of the Offload track without queues: nodes of warm and cold containers in steady state, slot by slot.

Every request runs the same function and takes the work of a medium one. A link carries so many requests a slot, and
what it does not carry is late. What arrives in a slot loads the node in that slot: it refuses what its steady state
refuses, shared out among local and every sender in proportion to what each sent; the others are answered after the mean
response time and the way. Nothing carries over but measurements.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled_in_place, part
from edgebench.tracks.offload.constants import (
    COLD_S,
    CONTAINER_MB,
    DEADLINE_SLOTS,
    IDLE_S,
    WARM_S,
    WORK_SHARES,
)
from edgebench.tracks.offload.erlang import Steady, steady_state
from edgebench.tracks.offload.physics import Shares, begin_slot, team_reward
from edgebench.tracks.offload.queues import count_response, lose, settle
from edgebench.tracks.offload.split import largest_remainder, read_shares
from edgebench.tracks.offload.state import (
    DROPPED,
    LATE,
    LOCAL,
    ON_TIME,
    OVERFLOW,
    REJECT,
    REJECTED,
    Episode,
    Network,
    State,
)
from edgebench.tracks.offload.telemetry import publish, start_measurement

KIND = 1
"""The class whose work, payload and deadline every request has: medium, the mean of all."""
WORK = WORK_SHARES[KIND]
DEADLINE_MS = 1000.0 * DEADLINE_SLOTS[KIND]
_TABLE_SLOTS = 4
"""Loads are looked up to so many times what a node serves; beyond, whatever is more is refused."""


class Tables(NamedTuple):
    """What every node does under every load: so many requests a slot."""

    refused: NDArray[np.int64]  # (N, loads) to the nearest request
    response_ms: NDArray[np.float64]  # (N, loads) mean of those that are served


def make_tables(network: Network) -> Tables:
    """The steady states of a region's nodes; a load of 0 is that of the fewest requests there are."""
    loads = 1 + int(_TABLE_SLOTS * network.node["capacity"].max() / WORK)
    states = [_steady(int(node["memory_mb"]), int(node["capacity"]), loads) for node in network.node]
    refused = np.array([np.rint(state.refused) for state in states], np.int64)
    response_ms = np.array([1000.0 * state.response_s for state in states])
    refused[:, 0] = 0
    return Tables(refused, response_ms)


def _steady(memory_mb: int, capacity: int, loads: int) -> Steady:
    """Of a node, under 0 … `loads` - 1 requests a slot."""
    slower, most = 1000.0 / capacity, max(memory_mb // CONTAINER_MB, 1)
    arrivals = np.maximum(np.arange(loads, dtype=np.float64), 1.0)
    return steady_state(arrivals, WARM_S * slower, COLD_S * slower, IDLE_S, most)


def one_class(episode: Episode) -> Episode:
    """The episode with as many requests, all of one class."""
    node = episode.node.copy()
    node["arrivals"] = 0
    node["arrivals"][..., KIND] = episode.node["arrivals"].sum(axis=-1)
    return episode._replace(node=node, total_work=np.array([node["arrivals"].sum() * WORK], np.int64))


@compiled_in_place
def step(network: Network, episode: Episode, state: State, action: Shares, tables: Tables) -> float:
    """Play the slot to be decided; as `edgebench.tracks.offload.physics.step`."""
    begin_slot(state)
    slot = state.slot[0]
    for node in range(network.node.shape[0]):
        count = episode.node[slot, node].arrivals[KIND]
        if episode.node[slot, node].down:
            settle(state.node[node], DROPPED, count * WORK)
        else:
            _split(network, episode, state, action[node], node, slot, count)
    for node in range(network.node.shape[0]):
        _answer(network, episode, state, tables, node, slot)
        for column in range(network.node[node].degree):
            state.totals[0].could_carry += episode.link[slot, node, column].shares
    state.slot[0] = slot + 1
    publish(network, episode, state)
    return team_reward(episode, state)


@part
def _split(
    network: Network, episode: Episode, state: State, row: NDArray[np.float32], node: int, slot: int, count: int
) -> None:
    degree, weight, parts = network.node[node].degree, state.room[0], state.room[1]
    total = read_shares(row, degree, weight)
    largest_remainder(weight, total, count, degree, parts, state.room[2])
    settle(state.node[node], REJECTED, parts[REJECT] * WORK)
    state.node[node].waiting[0, LOCAL, KIND] += parts[LOCAL]
    for column in range(degree):
        if parts[1 + column] > 0:
            _forward(network, episode, state, node, column, slot, parts[1 + column])


@part
def _forward(network: Network, episode: Episode, state: State, node: int, column: int, slot: int, count: int) -> None:
    """Send requests over a link: what it does not carry, or carries for too long, is late."""
    link, wire, now = state.link[node, column], network.link[node, column], episode.link[slot, node, column]
    link.sent += count
    state.totals[0].forwarded += count * WORK
    carried = min(count, now.shares // WORK)
    if carried > 0:
        start_measurement(link, now.extra_ms, slot)
        state.totals[0].carried += carried * WORK
        state.totals[0].over_traps += carried * WORK * now.bad
    arrived = carried if wire.latency_ms + now.extra_ms < DEADLINE_MS else 0
    link.lost += count - arrived
    settle(state.node[node], LATE, (count - arrived) * WORK)
    if episode.node[slot, wire.neighbour].down:
        link.lost += arrived
        settle(state.node[node], DROPPED, arrived * WORK)
    else:
        state.node[wire.neighbour].waiting[0, wire.source, KIND] += arrived
        state.node[wire.neighbour].incoming += arrived * WORK


@part
def _answer(network: Network, episode: Episode, state: State, tables: Tables, node: int, slot: int) -> None:
    """A node refuses a part of its load and answers the rest."""
    here, degree, weight, parts = state.node[node], network.node[node].degree, state.room[0], state.room[1]
    load = 0
    weight[REJECT] = 0
    for source in range(1 + degree):
        weight[source] = here.waiting[0, source, KIND]
        here.waiting[0, source, KIND] = 0
        load += weight[source]
    if load == 0:
        return
    known = min(load, tables.refused.shape[1] - 1)
    refused = tables.refused[node, known] + load - known
    largest_remainder(weight, load, refused, degree, parts, state.room[2])
    here.busy += (load - refused) * WORK
    for source in range(1 + degree):
        lose(network, state, node, source, KIND, parts[source], OVERFLOW)
        served = weight[source] - parts[source]
        if served > 0:
            _give(network, episode, state, node, source, slot, served, tables.response_ms[node, known])


@part
def _give(
    network: Network, episode: Episode, state: State, node: int, source: int, slot: int, count: int, response_ms: float
) -> None:
    """Answer requests of one source; one of a neighbour has been on its way."""
    if source != LOCAL:
        back = network.link[node, source - 1]
        wire = network.link[back.neighbour, back.source - 1]
        response_ms += wire.latency_ms + back.latency_ms + episode.link[slot, back.neighbour, back.source - 1].extra_ms
    if response_ms > DEADLINE_MS:
        lose(network, state, node, source, KIND, count, LATE)
    else:
        origin = node if source == LOCAL else network.link[node, source - 1].neighbour
        settle(state.node[origin], ON_TIME, count * WORK)
        count_response(state, response_ms, count * WORK)
