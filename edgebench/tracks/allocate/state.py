"""What an episode of Allocate is made of: N sites, J jobs, C trap links; resources in the order of `RESOURCES`."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.allocate.constants import R

COMING, WAITING, SENT, HELD, DONE, EXPIRED = range(6)
"""Values of `PROGRESS["status"]`: not arrived; in the queue; its request under way; holding resources; done in time;
not done in time."""
POINTS_DONE, POINTS_VIOLATED, POINTS_LATENCY, POINTS_IMBALANCE, POINTS_WASTE = range(5)
"""Entries of `TALLY["points"]`; of all but the first the reward is minus them."""
TERMS: Final = 5

JOB: Final = np.dtype(
    [
        ("arrival_ms", "f8"),  # from the start of the episode
        ("latest_ms", "f8"),  # the last moment to begin: deadline minus duration
        ("duration_ms", "f8"),
        ("payload_mb", "f8"),  # its input, which is at its origin
        ("dominant", "f8"),  # its largest demand, as a share of the mean site's capacity
        ("demand", "f8", (R,)),  # whole units of each resource
        ("origin", "i8"),  # site at which it arrives
        ("priority", "i8"),  # 1 … 3
    ],
    align=True,
)
PROGRESS: Final = np.dtype(
    [
        ("ready_ms", "f8"),  # while waiting: when it is next asked about
        ("sent_ms", "f8"),  # when its last request left
        ("transfer_ms", "f8"),  # transmission of its input on that way
        ("held_ms", "f8"),  # since when it holds resources
        ("ends_ms", "f8"),  # when it gives them back, were no site to fail
        ("status", "i8"),
        ("site", "i8"),  # to which it was last sent, -1 before
        ("tries", "i8"),  # requests that were refused or lost
    ],
    align=True,
)
TALLY: Final = np.dtype(
    [
        ("now_ms", "f8"),
        ("publish_ms", "f8"),  # next publication of the sites' figures
        ("priority_sum", "f8"),  # over the episode's jobs
        ("work_ms", "f8"),  # sum of dominant × duration over the episode's jobs
        ("points", "f8", (TERMS,)),  # so far
        ("paid", "f8"),  # reward handed out so far
        ("held", "f8", (R,)),  # units × ms held so far
        ("dominant_ms", "f8"),  # sum of dominant × ms held so far
        ("idle_ms", "f8"),  # the same while not worked with
        ("free_mean", "f8"),  # over publications and sites: mean over the resources of the free share
        ("free_least", "f8"),  # the same of the least over the resources
        ("variance", "f8"),  # over publications: of the sites' utilisations
        ("publications", "i8"),
        ("heap", "i8"),  # entries in the heap
        ("first", "i8"),  # all jobs below have ended
        ("arrived", "i8"),  # all jobs below have arrived
        ("trap_hits", "i8"),
        ("refusals", "i8"),
        ("deferrals", "i8"),
        ("asked", "i8"),  # the job that is decided on, -1 when the episode is over
    ],
    align=True,
)


class Sites(NamedTuple):
    """The sites of a region and the ways between them."""

    capacity: NDArray[np.float64]  # (N, R) whole units
    mean: NDArray[np.float64]  # (R,) their mean over the sites
    path: NDArray[Any]  # (N, N) of edgebench.sim.topology.PATH, [to, from]
    slow_ms_per_mb: NDArray[np.float64]  # (C,) what a transfer loses to a bad trap link's bandwidth and lost packets


class World(NamedTuple):
    """What an episode's network and sites do whatever anyone decides."""

    bad: NDArray[np.bool_]  # (C, slots) of 1 s; the last holds
    extra_ms: NDArray[np.float64]  # (C, slots) what a trap link adds to a message
    down: NDArray[np.bool_]  # (N, slots)
    seed: int  # the scenario's
    fails: bool  # whether sites fail at all
    jitter_chance: float  # that a way is late in a slot
    jitter_min_ms: float
    jitter_max_ms: float


class State(NamedTuple):
    """What changes; `part` arrays of a running episode."""

    progress: NDArray[Any]  # (J,) of PROGRESS
    tally: NDArray[Any]  # (1,) of TALLY
    heap_ms: NDArray[np.float64]  # (J,) next event of every job that has one, a binary heap
    heap_rank: NDArray[np.int64]  # (J,) order of events at one time, see edgebench.tracks.allocate.events
    free: NDArray[np.float64]  # (N, R) units, now
    coming: NDArray[np.float64]  # (N, R) units asked for by requests under way
    shown: NDArray[np.float64]  # (N, R) free, as last published
    sent: NDArray[np.float64]  # (N, R) units of the requests that the figures last published do not know of
    shown_down: NDArray[np.bool_]  # (N,) as last published
    shown_end_ms: NDArray[np.float64]  # (N,) as last published: when the next job there ends, infinity without any
    busy_ms: NDArray[np.float64]  # (N,) mean over the resources of the share held × ms so far
    waiting: NDArray[np.int64]  # (N,) jobs in the queue by origin
    measured: NDArray[np.float64]  # (C,) moving average of extras, as of edgebench.tracks.allocate.transfers
    mask: NDArray[np.int8]  # (N + 1,) valid actions of the present decision: the sites, and to defer


def new_state(sites: Sites, jobs: int) -> State:
    """The arrays of an episode of `jobs` jobs; `edgebench.tracks.allocate.physics.begin` fills them."""
    nodes = sites.capacity.shape[0]
    return State(
        progress=np.zeros(jobs, PROGRESS),
        tally=np.zeros(1, TALLY),
        heap_ms=np.zeros(jobs),
        heap_rank=np.zeros(jobs, np.int64),
        free=np.zeros((nodes, R)),
        coming=np.zeros((nodes, R)),
        shown=np.zeros((nodes, R)),
        sent=np.zeros((nodes, R)),
        shown_down=np.zeros(nodes, np.bool_),
        shown_end_ms=np.zeros(nodes),
        busy_ms=np.zeros(nodes),
        waiting=np.zeros(nodes, np.int64),
        measured=np.zeros(sites.slow_ms_per_mb.size),
        mask=np.zeros(nodes + 1, np.int8),
    )
