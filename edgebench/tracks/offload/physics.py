"""One slot of the Offload track with queues: requests are split, sent, served and lost; nothing is drawn here."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import MEASURE_ALPHA, MEASURE_MEMORY_MS, TELEMETRY_MS, TRAP_SLOT_MS
from edgebench.sim.compiled import compiled, part
from edgebench.tracks.offload.constants import AGES, SLOTS, WORK_SHARES
from edgebench.tracks.offload.queues import admit, expire, fail, send, serve, settle
from edgebench.tracks.offload.split import largest_remainder, read_shares
from edgebench.tracks.offload.state import (
    DROPPED,
    LOCAL,
    PUBLISHED_DOWN,
    PUBLISHED_FREE,
    PUBLISHED_LOAD,
    PUBLISHED_QUEUE,
    REJECT,
    REJECTED,
    C,
    Episode,
    K,
    Network,
    State,
)

_PERIOD_SLOTS: Final = round(TELEMETRY_MS / TRAP_SLOT_MS)
_FADE: Final = math.exp(-TRAP_SLOT_MS / MEASURE_MEMORY_MS)


@compiled
def start(network: Network, episode: Episode, state: State) -> None:
    """Begin an episode: idle nodes, empty links, nothing measured."""
    for array in (state.waiting, state.on_link, state.in_flight, state.due):
        array[:] = 0
    for array in (state.slot, state.used_mb, state.queued, state.incoming, state.busy, state.carried, state.hits):
        array[:] = 0
    for array in (state.flying, state.sent, state.lost):
        array[:] = 0
    state.link_queued[:] = 0
    state.tally[:] = 0
    for array in (state.slot_worth, state.responses):
        array[:] = 0.0
    state.extra_s[:], state.pending_s[:], state.pending_due[:] = 0.0, 0.0, -1
    publish(network, episode, state)


@compiled
def step(network: Network, episode: Episode, state: State, action: NDArray[np.float32]) -> float:
    """Play the slot to be decided; after the last one the world goes on until every request has ended.

    Args:
        network: Of the region.
        episode: What the world does.
        state: Moved on; `slot_worth` is what each node's own users' requests brought.
        action: Shares, (N, C); masked columns are ignored (`edgebench.tracks.offload.split`).

    Returns:
        The team's reward: worth settled in the slot over the mean work that arrives in one.
    """
    _forget_slot(state)
    _play(network, episode, state, action)
    if state.slot[0] == SLOTS:
        for _ in range(AGES):
            _play(network, episode, state, action)
    else:
        publish(network, episode, state)
    return state.slot_worth.sum() * reward_scale(episode)


@part
def reward_scale(episode: Episode) -> float:
    """One over the work that arrives in a slot of the episode on average."""
    return SLOTS / max(float(episode.total_work[0]), 1.0)


@part
def _forget_slot(state: State) -> None:
    for node in range(state.queued.shape[0]):
        state.slot_worth[node], state.incoming[node] = 0.0, 0
        for column in range(state.sent.shape[1]):
            state.sent[node, column], state.lost[node, column] = 0, 0


@part
def _play(network: Network, episode: Episode, state: State, action: NDArray[np.float32]) -> None:
    slot, nodes = state.slot[0], network.degree.shape[0]
    weight, parts, rest = np.empty(C, np.int64), np.zeros(C, np.int64), np.empty(C, np.int64)
    for node in range(nodes):
        expire(network, state, node, slot)
        if episode.down[slot, node]:
            fail(network, state, node)
    for node in range(nodes if slot < SLOTS else 0):
        if episode.down[slot, node]:
            for kind in range(K):
                settle(state, node, DROPPED, episode.arrivals[slot, node, kind] * WORK_SHARES[kind])
        else:
            total = read_shares(action[node], network.degree[node], weight)
            for kind in range(K):
                count = episode.arrivals[slot, node, kind]
                if count > 0:
                    largest_remainder(weight, total, count, network.degree[node], parts, rest)
                    _distribute(network, state, node, kind, slot, parts)
    for node in range(nodes):
        for column in range(network.degree[node]):
            if state.flying[node, column] > 0:
                _deliver(network, episode, state, node, column, slot)
            if state.link_queued[node, column] > 0:
                send(network, episode, state, node, column, slot)
            state.carried[1] += episode.link_shares[slot, node, column]
    for node in range(nodes):
        if state.queued[node] > 0:
            serve(network, state, node, slot)
    state.slot[0] = slot + 1


@part
def _distribute(network: Network, state: State, node: int, kind: int, slot: int, parts: NDArray[np.int64]) -> None:
    """Put requests that have just arrived where they are to go."""
    ring, work = slot % AGES, WORK_SHARES[kind]
    if parts[REJECT] > 0:
        settle(state, node, REJECTED, parts[REJECT] * work)
    admit(network, state, node, LOCAL, kind, ring, parts[LOCAL])
    for column in range(network.degree[node]):
        count = parts[1 + column]
        state.on_link[node, column, ring, kind] += count
        state.link_queued[node, column] += count * work
        state.sent[node, column] += count
        state.hits[0] += count * work


@part
def _deliver(network: Network, episode: Episode, state: State, node: int, column: int, slot: int) -> None:
    """What was sent on a link and is due joins the neighbour's queue, or is lost if the neighbour is down."""
    target, source = network.neighbour[node, column], network.source[node, column]
    for age in range(1, AGES):
        ring = (slot - age) % AGES
        for kind in range(K):
            count = state.in_flight[node, column, ring, kind]
            if count == 0 or state.due[node, column, ring, kind] > slot:
                continue
            state.in_flight[node, column, ring, kind] = 0
            state.flying[node, column] -= count
            if episode.down[slot, target]:
                state.lost[node, column] += count
                settle(state, node, DROPPED, count * WORK_SHARES[kind])
            else:
                state.incoming[target] += count * WORK_SHARES[kind]
                admit(network, state, target, source, kind, ring, count)


@part
def publish(network: Network, episode: Episode, state: State) -> None:
    """Telemetry at the beginning of a slot: measurements that are known by now, and once a period what nodes tell."""
    slot = state.slot[0]
    for node in range(network.degree.shape[0]):
        for column in range(network.degree[node]):
            state.extra_s[node, column] *= _FADE
            for ring in range(AGES):
                if 0 <= state.pending_due[node, column, ring] <= slot:
                    state.pending_due[node, column, ring] = -1
                    known = (1.0 - MEASURE_ALPHA) * state.extra_s[node, column]
                    state.extra_s[node, column] = known + MEASURE_ALPHA * state.pending_s[node, column, ring]
        if slot % _PERIOD_SLOTS == 0:
            told = state.published[node]
            told[PUBLISHED_QUEUE] = state.queued[node] / network.capacity[node]
            told[PUBLISHED_FREE] = 1.0 - state.used_mb[node] / network.memory_mb[node]
            told[PUBLISHED_LOAD] = arriving(episode, slot, node) / network.capacity[node]
            told[PUBLISHED_DOWN] = 1.0 if episode.down[slot, node] else 0.0


@part
def arriving(episode: Episode, slot: int, node: int) -> float:
    """Work that a node's own users ask for in a slot, in CPU shares."""
    work = 0
    for kind in range(K):
        work += episode.arrivals[slot, node, kind] * WORK_SHARES[kind]
    return float(work)
