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
    LOCAL,
    ON_TIME,
    OVERFLOW,
    REJECTED,
    RESPONSE_BINS,
    K,
    Network,
    Record,
    State,
)


@part
def settle(here: Record, outcome: int, work: int) -> None:
    """Enter how requests of so much work end, to the account `here` of the node whose users sent them."""
    here.tally[outcome] += work
    if outcome == ON_TIME:
        here.slot_worth += work
    else:
        here.slot_worth -= (REJECT_COST if outcome == REJECTED else LOSS_COST) * work


@part
def lose(network: Network, state: State, node: int, source: int, kind: int, count: int, outcome: int) -> None:
    """Requests that a node had or would have had of one of its sources are lost; their sender learns of it."""
    if source == LOCAL:
        settle(state.node[node], outcome, count * WORK_SHARES[kind])
    else:
        link = network.link[node, source - 1]
        settle(state.node[link.neighbour], outcome, count * WORK_SHARES[kind])
        state.link[link.neighbour, link.source - 1].lost += count


@part
def admit(network: Network, state: State, node: int, source: int, kind: int, ring: int, count: int) -> None:
    """Take requests into a node's queue as far as its memory holds them; the others are lost."""
    here = state.node[node]
    fits = min(count, (network.node[node].memory_mb - here.used_mb) // MEMORY_MB[kind])
    here.waiting[ring, source, kind] += fits
    here.used_mb += fits * MEMORY_MB[kind]
    here.queued += fits * WORK_SHARES[kind]
    if fits < count:
        lose(network, state, node, source, kind, count - fits, OVERFLOW)


@part
def _leave(here: Record, ring: int, source: int, kind: int, count: int) -> None:
    here.waiting[ring, source, kind] -= count
    here.used_mb -= count * MEMORY_MB[kind]
    here.queued -= count * WORK_SHARES[kind]


@part
def _clear_node(network: Network, state: State, node: int, ring: int, kind: int, outcome: int) -> None:
    """All of a class and an age that wait at a node end so."""
    for source in range(1 + network.node[node].degree):
        count = state.node[node].waiting[ring, source, kind]
        if count > 0:
            _leave(state.node[node], ring, source, kind, count)
            lose(network, state, node, source, kind, count, outcome)


@part
def _clear_link(here: Record, link: Record, ring: int, kind: int, outcome: int) -> None:
    """All of a class and an age that wait to be sent on a link end so."""
    count = link.waiting[ring, kind]
    if count > 0:
        link.waiting[ring, kind] = 0
        link.queued -= count * WORK_SHARES[kind]
        link.lost += count
        settle(here, outcome, count * WORK_SHARES[kind])


@part
def land(link: Record, due: int, ring: int, kind: int) -> int:
    """What of a class and an age is due on a link then flies no more; how many requests it was."""
    count = link.flying[due, ring, kind]
    link.flying[due, ring, kind] = 0
    link.in_flight -= count
    return int(count)


@part
def expire(network: Network, state: State, node: int, slot: int) -> None:
    """What cannot be on time any more is late: at a node, on its links and on its way from it."""
    here = state.node[node]
    if here.queued > 0:
        for kind in range(K):
            _clear_node(network, state, node, (slot - DEADLINE_SLOTS[kind]) % AGES, kind, LATE)
    for column in range(network.node[node].degree):
        link = state.link[node, column]
        if link.queued > 0 or link.in_flight > 0:
            for kind in range(K):
                ring = (slot - DEADLINE_SLOTS[kind]) % AGES
                _clear_link(here, link, ring, kind, LATE)
                for due in range(AGES):
                    count = land(link, due, ring, kind)
                    link.lost += count
                    settle(here, LATE, count * WORK_SHARES[kind])


@part
def fail(network: Network, state: State, node: int) -> None:
    """A node that is down loses what waits there and on its links."""
    for ring in range(AGES):
        for kind in range(K):
            _clear_node(network, state, node, ring, kind, DROPPED)
            for column in range(network.node[node].degree):
                _clear_link(state.node[node], state.link[node, column], ring, kind, DROPPED)


@part
def serve(network: Network, state: State, node: int, slot: int) -> None:
    """A node works through its queue for one slot."""
    left = _work_through(network, state, node, slot)
    state.node[node].busy += network.node[node].capacity - left


@part
def _work_through(network: Network, state: State, node: int, slot: int) -> int:
    """Serve until something does not fit; the shares that are left."""
    here, capacity = state.node[node], network.node[node].capacity
    left = capacity
    for age in range(AGES - 1, -1, -1):
        ring = (slot - age) % AGES
        for source in range(1 + network.node[node].degree):
            for kind in range(K):
                count = here.waiting[ring, source, kind]
                if count == 0:
                    continue
                done = min(count, left // WORK_SHARES[kind])
                if done > 0:
                    work = done * WORK_SHARES[kind]
                    middle = (capacity - left + 0.5 * work) / capacity
                    _finish(network, state, node, source, work, 1000.0 * (age + middle))
                    _leave(here, ring, source, kind, done)
                    left -= work
                if done < count:
                    return int(left)
    return int(left)


@part
def _finish(network: Network, state: State, node: int, source: int, work: int, response_ms: float) -> None:
    """Requests are done on time; an answer to a neighbour's user takes the link's latency."""
    origin = node
    if source != LOCAL:
        link = network.link[node, source - 1]
        origin = link.neighbour
        response_ms += link.latency_ms
    settle(state.node[origin], ON_TIME, work)
    count_response(state, response_ms, work)


@part
def count_response(state: State, response_ms: float, work: int) -> None:
    """So much work was answered after this time."""
    state.responses[min(int(response_ms / RESPONSE_BIN_MS), RESPONSE_BINS - 1)] += work


@part
def send(link: Record, latency_ms: float, now: Record, slot: int) -> int:
    """A link carries what waits on it for one slot; the work whose bytes it carried.

    Args:
        link: Its record of `LINK_STATE`.
        latency_ms: Its own,
        now: and its record of `LINK_SLOT`.
        slot: The slot.
    """
    capacity = int(now.shares)
    left = capacity
    for age in range(AGES - 1, -1, -1):
        ring = (slot - age) % AGES
        for kind in range(K):
            count = link.waiting[ring, kind]
            if count == 0:
                continue
            gone = min(count, left // WORK_SHARES[kind])
            if gone > 0:
                left -= gone * WORK_SHARES[kind]
                delay_ms = 1000.0 * (capacity - left) / capacity + latency_ms + now.extra_ms
                _depart(link, ring, kind, gone, slot + min(math.ceil(delay_ms / 1000.0), AGES))
            if gone < count:
                return capacity - left
    return capacity - left


@part
def _depart(link: Record, ring: int, kind: int, count: int, due: int) -> None:
    """Requests leave, to be there `AGES` slots from now at the latest: by then they are late."""
    link.flying[due % AGES, ring, kind] += count
    link.in_flight += count
    link.waiting[ring, kind] -= count
    link.queued -= count * WORK_SHARES[kind]
