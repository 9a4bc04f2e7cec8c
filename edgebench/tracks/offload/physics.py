"""One slot of the Offload track with queues: requests are split, sent, served and lost; nothing is drawn here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled_in_place, part
from edgebench.tracks.offload.constants import AGES, SLOTS, WORK_SHARES
from edgebench.tracks.offload.queues import admit, expire, fail, land, send, serve, settle
from edgebench.tracks.offload.split import largest_remainder, read_shares
from edgebench.tracks.offload.state import (
    DROPPED,
    LOCAL,
    REJECT,
    REJECTED,
    D,
    Episode,
    K,
    Network,
    State,
)
from edgebench.tracks.offload.telemetry import publish, start_measurement

Shares = NDArray[np.float32]


def start(network: Network, episode: Episode, state: State) -> None:
    """Begin an episode: idle nodes, empty links, nothing measured."""
    for array in state:
        array[:] = np.zeros((), array.dtype)
    state.link["pending_due"] = -1
    first_look(network, episode, state)


@compiled_in_place
def first_look(network: Network, episode: Episode, state: State) -> None:
    """What nodes publish before the first slot."""
    publish(network, episode, state)


@compiled_in_place
def step(network: Network, episode: Episode, state: State, action: Shares) -> float:
    """Play the slot to be decided; after the last one the world goes on until every request has ended.

    Args:
        network: Of the region.
        episode: What the world does.
        state: Moved on; `slot_worth` of a node is what its own users' requests brought.
        action: Shares, (N, C); masked columns are ignored (`edgebench.tracks.offload.split`).

    Returns:
        The team's reward: worth settled in the slot over the mean work that arrives in one.
    """
    begin_slot(state)
    _play(network, episode, state, action)
    if state.slot[0] == SLOTS:
        for _ in range(AGES):
            _play(network, episode, state, action)
    publish(network, episode, state)
    return team_reward(episode, state)


@part
def begin_slot(state: State) -> None:
    """Forget what is told of the last slot alone."""
    for node in range(state.node.shape[0]):
        here = state.node[node]
        here.settled += _ended(state, node)
        here.slot_worth, here.incoming = 0.0, 0
        for column in range(D):
            link = state.link[node, column]
            link.sent, link.lost = 0, 0


@part
def _ended(state: State, node: int) -> int:
    """Work of a node's own users that ended since the last slot began."""
    work = -state.node[node].settled
    for outcome in range(state.node[node].tally.shape[0]):
        work += state.node[node].tally[outcome]
    return int(work)


@part
def team_reward(episode: Episode, state: State) -> float:
    """Worth settled in the slot, of all nodes, over the mean work that arrives in one."""
    worth = 0.0
    for node in range(state.node.shape[0]):
        worth += state.node[node].slot_worth
    return worth * SLOTS / max(float(episode.total_work[0]), 1.0)


@part
def _play(network: Network, episode: Episode, state: State, action: Shares) -> None:
    slot, nodes = state.slot[0], network.node.shape[0]
    for node in range(nodes):
        expire(network, state, node, slot)
        if episode.node[slot, node].down:
            fail(network, state, node)
    if slot < SLOTS:
        _split(network, episode, state, action, slot)
    for node in range(nodes):
        for column in range(network.node[node].degree):
            _move(network, episode, state, node, column, slot)
    for node in range(nodes):
        if state.node[node].queued > 0:
            serve(network, state, node, slot)
    state.slot[0] = slot + 1


@part
def _split(network: Network, episode: Episode, state: State, action: Shares, slot: int) -> None:
    """Split what arrives; where the node is down it is lost."""
    weight, parts, rest = state.room[0], state.room[1], state.room[2]
    for node in range(network.node.shape[0]):
        degree, now = network.node[node].degree, episode.node[slot, node]
        total = read_shares(action[node], degree, weight)
        for kind in range(K):
            if now.down:
                settle(state.node[node], DROPPED, now.arrivals[kind] * WORK_SHARES[kind])
            elif now.arrivals[kind] > 0:
                largest_remainder(weight, total, now.arrivals[kind], degree, parts, rest)
                _distribute(network, state, node, kind, slot, parts)


@part
def _distribute(network: Network, state: State, node: int, kind: int, slot: int, parts: NDArray[np.int64]) -> None:
    """Put requests that have just arrived where they are to go."""
    ring, work = slot % AGES, WORK_SHARES[kind]
    settle(state.node[node], REJECTED, parts[REJECT] * work)
    admit(network, state, node, LOCAL, kind, ring, parts[LOCAL])
    for column in range(network.node[node].degree):
        count, link = parts[1 + column], state.link[node, column]
        link.waiting[ring, kind] += count
        link.queued += count * work
        link.sent += count
        state.totals[0].forwarded += count * work


@part
def _move(network: Network, episode: Episode, state: State, node: int, column: int, slot: int) -> None:
    """A link delivers what is due, then carries what waits."""
    link, now = state.link[node, column], episode.link[slot, node, column]
    if link.in_flight > 0:
        _deliver(network, episode, state, node, column, slot)
    if link.queued > 0:
        carried = send(link, network.link[node, column].latency_ms, now, slot)
        if carried > 0:
            start_measurement(link, now.extra_ms, slot)
            state.totals[0].carried += carried
            state.totals[0].over_traps += carried * now.bad
    state.totals[0].could_carry += now.shares


@part
def _deliver(network: Network, episode: Episode, state: State, node: int, column: int, slot: int) -> None:
    """What was sent on a link and is due joins the neighbour's queue, or is lost if the neighbour is down."""
    link, target = state.link[node, column], network.link[node, column].neighbour
    for age in range(1, AGES):
        ring = (slot - age) % AGES
        for kind in range(K):
            if link.flying[slot % AGES, ring, kind] == 0:
                continue
            count = land(link, slot % AGES, ring, kind)
            if episode.node[slot, target].down:
                link.lost += count
                settle(state.node[node], DROPPED, count * WORK_SHARES[kind])
            else:
                state.node[target].incoming += count * WORK_SHARES[kind]
                admit(network, state, target, network.link[node, column].source, kind, ring, count)
