"""First come, first served: nodes serve requests by CPU shares and memory, links by bandwidth, deadlines clear both.

Of what is there the oldest goes first; of one age a node's own before what its neighbours sent, and the lighter before
the heavier. What is first in the line and does not fit into what is left of the slot waits, and all behind it.
"""

from __future__ import annotations

import math

from edgebench.sim.compiled import part
from edgebench.tracks.offload.constants import (
    AGES,
    DEADLINE_SLOTS,
    LOSS_COST,
    MEMORY_MB,
    REJECT_COST,
    RESPONSE_BIN_MS,
    WORK_SHARES,
)
from edgebench.tracks.offload.state import (
    DROPPED,
    LATE,
    ON_TIME,
    OVERFLOW,
    REJECTED,
    RESPONSE_BINS,
    Episode,
    K,
    Network,
    State,
)


@part
def settle(state: State, origin: int, outcome: int, work: int) -> None:
    """Enter how requests of so much work end, to the account of the node whose users sent them."""
    state.tally[origin, outcome] += work
    if outcome == ON_TIME:
        state.slot_worth[origin] += work
    else:
        state.slot_worth[origin] -= (REJECT_COST if outcome == REJECTED else LOSS_COST) * work


@part
def _lose(network: Network, state: State, node: int, source: int, kind: int, count: int, outcome: int) -> None:
    """Requests that node `node` had or would have had of one of its sources are lost; their sender learns of it."""
    if source == 0:
        settle(state, node, outcome, count * WORK_SHARES[kind])
    else:
        origin, column = network.neighbour[node, source - 1], network.source[node, source - 1] - 1
        settle(state, origin, outcome, count * WORK_SHARES[kind])
        state.lost[origin, column] += count


@part
def admit(network: Network, state: State, node: int, source: int, kind: int, ring: int, count: int) -> None:
    """Take requests into a node's queue as far as its memory holds them; the others are lost."""
    fits = min(count, (network.memory_mb[node] - state.used_mb[node]) // MEMORY_MB[kind])
    state.waiting[node, ring, source, kind] += fits
    state.used_mb[node] += fits * MEMORY_MB[kind]
    state.queued[node] += fits * WORK_SHARES[kind]
    if fits < count:
        _lose(network, state, node, source, kind, count - fits, OVERFLOW)


@part
def _leave(state: State, node: int, ring: int, source: int, kind: int, count: int) -> None:
    state.waiting[node, ring, source, kind] -= count
    state.used_mb[node] -= count * MEMORY_MB[kind]
    state.queued[node] -= count * WORK_SHARES[kind]


@part
def clear_node(network: Network, state: State, node: int, ring: int, kind: int, outcome: int) -> None:
    """All of a class and an age that wait at a node end so."""
    for source in range(1 + network.degree[node]):
        count = state.waiting[node, ring, source, kind]
        if count > 0:
            _leave(state, node, ring, source, kind, count)
            _lose(network, state, node, source, kind, count, outcome)


@part
def clear_link(state: State, node: int, column: int, ring: int, kind: int, outcome: int) -> None:
    """All of a class and an age that wait to be sent on a link end so."""
    count = state.on_link[node, column, ring, kind]
    if count > 0:
        state.on_link[node, column, ring, kind] = 0
        state.link_queued[node, column] -= count * WORK_SHARES[kind]
        state.lost[node, column] += count
        settle(state, node, outcome, count * WORK_SHARES[kind])


@part
def expire(network: Network, state: State, node: int, slot: int) -> None:
    """What cannot be on time any more is late: at a node, on its links and on its way from it."""
    for kind in range(K):
        ring = (slot - DEADLINE_SLOTS[kind]) % AGES
        if state.queued[node] > 0:
            clear_node(network, state, node, ring, kind, LATE)
        for column in range(network.degree[node]):
            if state.link_queued[node, column] > 0:
                clear_link(state, node, column, ring, kind, LATE)
            count = state.in_flight[node, column, ring, kind] if state.flying[node, column] > 0 else 0
            if count > 0:
                state.in_flight[node, column, ring, kind] = 0
                state.flying[node, column] -= count
                state.lost[node, column] += count
                settle(state, node, LATE, count * WORK_SHARES[kind])


@part
def fail(network: Network, state: State, node: int) -> None:
    """A node that is down loses what waits there and on its links."""
    for ring in range(AGES):
        for kind in range(K):
            clear_node(network, state, node, ring, kind, DROPPED)
            for column in range(network.degree[node]):
                clear_link(state, node, column, ring, kind, DROPPED)


@part
def serve(network: Network, state: State, node: int, slot: int) -> None:
    """A node works through its queue for one slot."""
    capacity = network.capacity[node]
    left = capacity
    for age in range(AGES - 1, -1, -1):
        ring = (slot - age) % AGES
        for source in range(1 + network.degree[node]):
            for kind in range(K):
                count = state.waiting[node, ring, source, kind]
                if count == 0:
                    continue
                done = min(count, left // WORK_SHARES[kind])
                if done > 0:
                    work = done * WORK_SHARES[kind]
                    middle = (capacity - left + 0.5 * work) / capacity
                    _finish(network, state, node, source, work, 1000.0 * (age + middle))
                    _leave(state, node, ring, source, kind, done)
                    left -= work
                if done < count:
                    state.busy[node] += capacity - left
                    return
    state.busy[node] += capacity - left


@part
def _finish(network: Network, state: State, node: int, source: int, work: int, response_ms: float) -> None:
    """Requests are done on time; an answer to a neighbour's user takes the link's latency."""
    origin = node
    if source > 0:
        origin = network.neighbour[node, source - 1]
        response_ms += network.latency_ms[node, source - 1]
    settle(state, origin, ON_TIME, work)
    state.responses[min(int(response_ms / RESPONSE_BIN_MS), RESPONSE_BINS - 1)] += work


@part
def send(network: Network, episode: Episode, state: State, node: int, column: int, slot: int) -> None:
    """A link carries what waits on it for one slot."""
    capacity = episode.link_shares[slot, node, column]
    on_top_ms = network.latency_ms[node, column] + episode.extra_ms[slot, node, column]
    left = capacity
    for age in range(AGES - 1, -1, -1):
        ring = (slot - age) % AGES
        for kind in range(K):
            count = state.on_link[node, column, ring, kind]
            gone = min(count, left // WORK_SHARES[kind])
            if gone > 0:
                left -= gone * WORK_SHARES[kind]
                delay_ms = 1000.0 * (capacity - left) / capacity + on_top_ms
                _depart(state, node, column, ring, kind, gone, slot + math.ceil(delay_ms / 1000.0))
            if gone < count:
                break
        else:
            continue
        break
    _account(episode, state, node, column, slot, capacity - left)


@part
def _depart(state: State, node: int, column: int, ring: int, kind: int, count: int, due: int) -> None:
    """Requests leave; those of one class and age that are under way at once arrive together, with the last."""
    is_alone = state.in_flight[node, column, ring, kind] == 0
    state.due[node, column, ring, kind] = due if is_alone else max(due, state.due[node, column, ring, kind])
    state.in_flight[node, column, ring, kind] += count
    state.flying[node, column] += count
    state.on_link[node, column, ring, kind] -= count
    state.link_queued[node, column] -= count * WORK_SHARES[kind]


@part
def _account(episode: Episode, state: State, node: int, column: int, slot: int, work: int) -> None:
    """Count what a link carried; what it added to the way is known when it has arrived, or after the last deadline."""
    if work == 0:
        return
    extra_ms = episode.extra_ms[slot, node, column]
    state.pending_s[node, column, slot % AGES] = min(extra_ms / 1000.0, float(AGES))
    state.pending_due[node, column, slot % AGES] = slot + min(1 + int(extra_ms / 1000.0), AGES)
    state.carried[0] += work
    state.hits[1] += work if episode.bad[slot, node, column] else 0
