"""Arrays of the Offload track: the network, what an episode brings, what changes in it.

N nodes, D = `MAX_NEIGHBOURS` neighbours, S = 1 + D sources (the node's own users, then each neighbour), C columns of an
action (local, D neighbours, reject), K classes, A = `AGES`, T slots. What is under way is counted by the slot of its
arrival modulo A: whatever is older is late.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.conditions import MAX_NEIGHBOURS
from edgebench.tracks.offload.constants import AGES, CLASSES, RESPONSE_BIN_MS

D: Final = MAX_NEIGHBOURS
S: Final = 1 + D
C: Final = D + 2
K: Final = len(CLASSES)
LOCAL, REJECT = 0, C - 1
"""Columns of an action; those between are the neighbours."""
ON_TIME, REJECTED, LATE, OVERFLOW, DROPPED = range(5)
"""Columns of `State.tally`: how a request can end. Dropped is what a node that fails takes with it."""
OUTCOMES: Final = 5
RESPONSE_BINS: Final = round(1000.0 * AGES / RESPONSE_BIN_MS) + 1

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Network(NamedTuple):
    """What stays the same in every episode of a region."""

    degree: Counts  # (N,) neighbours of each node
    neighbour: Counts  # (N, D) node at the far end, -1 beyond the last
    source: Counts  # (N, D) what the node is to that neighbour: its place among the neighbour's S sources
    latency_ms: Floats  # (N, D) propagation and forwarding
    bandwidth_mbps: Floats  # (N, D) nominal
    trap: Counts  # (N, D) index of the trap link, -1 where it is none
    capacity: Counts  # (N,) CPU shares a slot
    memory_mb: Counts  # (N,)
    east: Floats  # (N,) place between the region's west (0) and its east (1)


class Episode(NamedTuple):
    """What the world does in an episode, whatever is decided."""

    arrivals: NDArray[np.int32]  # (T, N, K) requests
    link_shares: NDArray[np.int32]  # (T + A, N, D) CPU shares' worth of bytes that a link carries in a slot
    extra_ms: NDArray[np.float32]  # (T + A, N, D) trap extra and jitter of what leaves in a slot
    bad: NDArray[np.bool_]  # (T + A, N, D) whether the link is a trap in its bad state
    down: NDArray[np.bool_]  # (T + A, N)
    total_work: Counts  # (1,) CPU shares that all its requests take


class State(NamedTuple):
    """What changes in an episode."""

    slot: Counts  # (1,) the slot to be decided
    waiting: NDArray[np.int32]  # (N, A, S, K) requests at a node by source
    on_link: NDArray[np.int32]  # (N, D, A, K) requests waiting to be sent
    in_flight: NDArray[np.int32]  # (N, D, A, K) requests sent and not yet there
    due: NDArray[np.int32]  # (N, D, A, K) slot in which those are there
    used_mb: Counts  # (N,) memory that waiting requests hold
    queued: Counts  # (N,) work of the waiting requests in CPU shares
    link_queued: Counts  # (N, D) the same of those waiting to be sent
    flying: NDArray[np.int32]  # (N, D) requests in flight on each link
    extra_s: Floats  # (N, D) moving average of what is measured of a link beyond its own delay, fading
    pending_s: Floats  # (N, D, A) measurements under way
    pending_due: NDArray[np.int32]  # (N, D, A) slot in which each is known, -1 for none
    sent: NDArray[np.int32]  # (N, D) requests given to each link in the last slot
    lost: NDArray[np.int32]  # (N, D) requests of those sent that were found lost in the last slot
    incoming: Counts  # (N,) work that neighbours brought in the last slot
    published: Floats  # (N, PUBLISHED) what each node last told: queue, free memory, load, down
    slot_worth: Floats  # (N,) worth settled in the last slot of each node's own users
    tally: Counts  # (N, OUTCOMES) work of each node's own users' requests by their end
    busy: Counts  # (N,) CPU shares used
    carried: Counts  # (2,) work that links carried, and could have carried, in CPU shares
    hits: Counts  # (2,) work forwarded, and work sent over bad trap links
    responses: Floats  # (RESPONSE_BINS,) work done on time by response time


PUBLISHED_QUEUE, PUBLISHED_FREE, PUBLISHED_LOAD, PUBLISHED_DOWN = range(4)
"""Columns of `State.published`: slots of work waiting, share of memory free, slots of work that arrived, 1 if down."""
PUBLISHED: Final = 4


def blank_state(nodes: int) -> State:
    """A state of so many nodes; `edgebench.tracks.offload.physics.start` makes it ready for an episode."""
    links = (nodes, D)
    return State(
        slot=np.zeros(1, np.int64),
        waiting=np.zeros((nodes, AGES, S, K), np.int32),
        on_link=np.zeros((*links, AGES, K), np.int32),
        in_flight=np.zeros((*links, AGES, K), np.int32),
        due=np.zeros((*links, AGES, K), np.int32),
        used_mb=np.zeros(nodes, np.int64),
        queued=np.zeros(nodes, np.int64),
        link_queued=np.zeros(links, np.int64),
        flying=np.zeros(links, np.int32),
        extra_s=np.zeros(links),
        pending_s=np.zeros((*links, AGES)),
        pending_due=np.zeros((*links, AGES), np.int32),
        sent=np.zeros(links, np.int32),
        lost=np.zeros(links, np.int32),
        incoming=np.zeros(nodes, np.int64),
        published=np.zeros((nodes, PUBLISHED)),
        slot_worth=np.zeros(nodes),
        tally=np.zeros((nodes, OUTCOMES), np.int64),
        busy=np.zeros(nodes, np.int64),
        carried=np.zeros(2, np.int64),
        hits=np.zeros(2, np.int64),
        responses=np.zeros(RESPONSE_BINS),
    )
