"""Events in the order of time: a binary heap with one entry for every job that has arrived and not ended."""

from __future__ import annotations

import math
from typing import Final

from edgebench.sim.compiled import part
from edgebench.tracks.allocate.state import State

RELEASE, REQUEST, TURN = range(3)
"""Kinds of event, in the order in which they happen at one time: resources come back, a request arrives at a site, a
waiting job is asked about. Between the last two telemetry is published."""
_KIND: Final = 2**48
_PRIORITY: Final = 2**44
_MOST: Final = 2**44
"""More than any job's number."""


@part
def kind_of(rank: int) -> int:
    """The kind of an event by its rank."""
    return rank // _KIND


@part
def job_of(rank: int) -> int:
    """The job of an event by its rank."""
    return rank % _MOST


@part
def schedule(state: State, time_ms: float, kind: int, priority: int, job: int) -> None:
    """Add a job's event; of equal times and kinds the higher priority comes first, then the lower number."""
    rank = kind * _KIND + (8 - priority) * _PRIORITY + job
    position = state.tally[0].heap
    state.tally[0].heap += 1
    while position > 0:
        above = (position - 1) // 2
        if not _comes_before(time_ms, rank, state.heap_ms[above], state.heap_rank[above]):
            break
        state.heap_ms[position], state.heap_rank[position] = state.heap_ms[above], state.heap_rank[above]
        position = above
    state.heap_ms[position], state.heap_rank[position] = time_ms, rank


@part
def first_event(state: State) -> tuple[float, int]:
    """Time and rank of the event that comes first; infinity where there is none."""
    if state.tally[0].heap == 0:
        return math.inf, TURN * _KIND
    return state.heap_ms[0], state.heap_rank[0]


@part
def take_next(state: State) -> None:
    """Remove the event that comes first, entry 0."""
    state.tally[0].heap -= 1
    size, position = state.tally[0].heap, 0
    time_ms, rank = state.heap_ms[size], state.heap_rank[size]
    while 2 * position + 1 < size:
        below = 2 * position + 1
        if below + 1 < size and _comes_before(
            state.heap_ms[below + 1], state.heap_rank[below + 1], state.heap_ms[below], state.heap_rank[below]
        ):
            below += 1
        if not _comes_before(state.heap_ms[below], state.heap_rank[below], time_ms, rank):
            break
        state.heap_ms[position], state.heap_rank[position] = state.heap_ms[below], state.heap_rank[below]
        position = below
    state.heap_ms[position], state.heap_rank[position] = time_ms, rank


@part
def _comes_before(time_ms: float, rank: int, other_ms: float, other_rank: int) -> bool:
    return time_ms < other_ms or (time_ms == other_ms and rank < other_rank)
