"""Arrays of the Offload track: the network, what an episode brings, what changes in it.

N nodes, D = `MAX_NEIGHBOURS` neighbours, S = 1 + D sources (the node's own users, then each neighbour), C columns of an
action (local, D neighbours, reject), K classes, A = `AGES`, T slots. What is under way is counted by the slot of its
arrival modulo A: whatever is older is late. Work is in CPU shares; bytes are too, at `MB_PER_SHARE`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.conditions import MAX_NEIGHBOURS
from edgebench.tracks.offload.constants import AGES, CLASSES, RESPONSE_BIN_MS

D: Final = MAX_NEIGHBOURS
S: Final = 1 + D
C: Final = D + 2
K: Final = len(CLASSES)
LOCAL, REJECT = 0, C - 1
"""Columns of an action; those between are the neighbours. `LOCAL` is also a node's own place among its sources."""
ON_TIME, REJECTED, LATE, OVERFLOW, DROPPED = range(5)
"""Entries of a node's `tally`: how a request can end. Dropped is what a node that fails takes with it."""
OUTCOMES: Final = 5
RESPONSE_BINS: Final = round(1000.0 * AGES / RESPONSE_BIN_MS) + 1

NODE: Final = np.dtype(
    [
        ("degree", "i8"),  # neighbours
        ("capacity", "i8"),  # CPU shares a slot
        ("memory_mb", "i8"),
        ("east", "f8"),  # place between the region's west (0) and its east (1)
    ],
    align=True,
)
LINK: Final = np.dtype(
    [
        ("neighbour", "i8"),  # node at the far end, -1 beyond the last
        ("source", "i8"),  # what the node is to that neighbour: its place among the neighbour's S sources
        ("latency_ms", "f8"),  # propagation and forwarding
        ("bandwidth_mbps", "f8"),  # nominal
        ("trap", "i8"),  # index of the trap link, -1 where it is none
    ],
    align=True,
)
NODE_SLOT: Final = np.dtype([("arrivals", "i4", (K,)), ("down", "i1")], align=True)  # requests by class; whether down
LINK_SLOT: Final = np.dtype(
    [
        ("shares", "i4"),  # work whose bytes the link carries
        ("extra_ms", "f4"),  # trap extra and jitter of what leaves
        ("bad", "i1"),  # whether the link is a trap in its bad state
    ],
    align=True,
)
NODE_STATE: Final = np.dtype(
    [
        ("waiting", "i4", (AGES, S, K)),  # requests by source
        ("used_mb", "i8"),  # memory that they hold
        ("queued", "i8"),  # their work
        ("incoming", "i8"),  # work that neighbours brought in the last slot
        ("busy", "i8"),  # work done in the episode
        ("tally", "i8", (OUTCOMES,)),  # work of the node's own users' requests by their end
        ("slot_worth", "f8"),  # worth of those that ended in the last slot
        ("settled", "i8"),  # work of those that had ended before it
        ("told_queue", "f8"),  # telemetry: slots of work that wait
        ("told_free", "f8"),  # share of memory that is free
        ("told_load", "f8"),  # slots of work that arrive
        ("told_down", "f8"),  # 1 if the node is down
    ],
    align=True,
)
LINK_STATE: Final = np.dtype(
    [
        ("waiting", "i4", (AGES, K)),  # requests to be sent
        ("flying", "i4", (AGES, AGES, K)),  # requests sent, first by the slot in which they are there, modulo A
        ("queued", "i8"),  # work waiting
        ("in_flight", "i8"),  # requests flying
        ("sent", "i8"),  # requests given to the link in the last slot
        ("lost", "i8"),  # requests of those sent that were found lost in the last slot
        ("extra_s", "f8"),  # moving average of what is measured of the link beyond its own delay, fading
        ("pending_s", "f8", (AGES,)),  # measurements under way
        ("pending_due", "i4", (AGES,)),  # slot in which each is known, -1 for none
    ],
    align=True,
)
TOTALS: Final = np.dtype(
    [
        ("carried", "i8"),  # work that links carried
        ("could_carry", "i8"),  # and could have carried
        ("forwarded", "i8"),  # work given to links
        ("over_traps", "i8"),  # work sent while the link was a bad trap
    ],
    align=True,
)

Floats = NDArray[np.float64]
Record = Any
"""A record of one of the types above; inside compiled code it is changed in place."""


class Network(NamedTuple):
    """What stays the same in every episode of a region."""

    node: NDArray[Any]  # (N,) of NODE
    link: NDArray[Any]  # (N, D) of LINK, by rising latency


class Episode(NamedTuple):
    """What the world does in an episode, whatever is decided; after T slots nothing arrives any more."""

    node: NDArray[Any]  # (T + A, N) of NODE_SLOT
    link: NDArray[Any]  # (T + A, N, D) of LINK_SLOT
    total_work: NDArray[np.int64]  # (1,) of all its requests


class State(NamedTuple):
    """What changes in an episode."""

    slot: NDArray[np.int64]  # (1,) the slot to be decided
    node: NDArray[Any]  # (N,) of NODE_STATE
    link: NDArray[Any]  # (N, D) of LINK_STATE
    totals: NDArray[Any]  # (1,) of TOTALS
    responses: Floats  # (RESPONSE_BINS,) work done on time by response time
    room: NDArray[np.int64]  # (3, C) where a node's requests of a class are split: weights, parts, remainders


def blank_state(nodes: int) -> State:
    """A state of so many nodes; `edgebench.tracks.offload.physics.start` makes it ready for an episode."""
    return State(
        np.zeros(1, np.int64),
        np.zeros(nodes, NODE_STATE),
        np.zeros((nodes, D), LINK_STATE),
        np.zeros(1, TOTALS),
        np.zeros(RESPONSE_BINS),
        np.zeros((3, C), np.int64),
    )
