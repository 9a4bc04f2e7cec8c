"""What is seen of a decision: the sites, the job, the queue, written into float32 arrays by compiled code."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.chains import slot_of
from edgebench.sim.compiled import compiled_in_place, part
from edgebench.sim.features import Feature
from edgebench.tracks.allocate.constants import HORIZON_MS, LONG_S, R
from edgebench.tracks.allocate.features import (
    JOB,
    JOB_FEATURES,
    LABELS,
    PRIORITIES,
    QUEUE,
    QUEUE_FEATURES,
    SITE,
    SITE_FEATURES,
    F,
    J,
    L,
    Q,
)
from edgebench.tracks.allocate.state import WAITING, Sites, State, World
from edgebench.tracks.allocate.telemetry import free_as_known, is_down_as_known
from edgebench.tracks.allocate.transfers import delays, fading, remembered_ms

Floats32 = NDArray[np.float32]


def bounds_of(features: tuple[Feature, ...]) -> tuple[Floats32, Floats32]:
    """Least and most of every entry, float32."""
    return (
        np.array([feature.low for feature in features], np.float32),
        np.array([feature.high for feature in features], np.float32),
    )


SITE_BOUNDS: Final = bounds_of(SITE_FEATURES)
JOB_BOUNDS: Final = bounds_of(JOB_FEATURES)
QUEUE_BOUNDS: Final = bounds_of(QUEUE_FEATURES)
LABEL_BOUNDS: Final = bounds_of(LABELS)

_FREE, _SENT, _NEED = SITE["free_cpu"], SITE["sent_cpu"], SITE["need_cpu"]
_LATENCY, _TRANSMISSION, _EXTRA = SITE["latency_s"], SITE["transmission_s"], SITE["measured_extra_s"]
_END, _WAITING, _DOWN, _ORIGIN = SITE["next_end_s"], SITE["waiting"], SITE["down"], SITE["is_origin"]
_JOB_NEED, _PRIORITY, _DURATION, _PAYLOAD = JOB["need_cpu"], JOB["priority"], JOB["duration_s"], JOB["payload_mb"]
_SLACK, _WAITED, _TRIES = JOB["slack_s"], JOB["waited_s"], JOB["tries"]
_COUNT, _MEAN, _LEAST = QUEUE["waiting_1"], QUEUE["need_1"], QUEUE["slack_1_s"]
_ALL_FREE, _ELAPSED = QUEUE["free_cpu"], QUEUE["elapsed"]
_PRIORITIES: Final = len(PRIORITIES)


class Seen(NamedTuple):
    """An observation, N sites; 0 throughout when the episode is over."""

    sites: Floats32  # (N, F)
    job: Floats32  # (J,)
    queue: Floats32  # (Q,)
    labels: Floats32  # (N, L)


def new_seen(nodes: int) -> Seen:
    """The arrays of an observation of `nodes` sites."""
    return Seen(
        np.zeros((nodes, F), np.float32),
        np.zeros(J, np.float32),
        np.zeros(Q, np.float32),
        np.zeros((nodes, L), np.float32),
    )


@part
def observe(sites: Sites, world: World, jobs: NDArray[Any], state: State, seen: Seen) -> None:
    """Write what is seen of the present decision, or nothing but 0 when the episode is over.

    Args:
        sites: Of the region.
        world: Of the episode.
        jobs: Of the episode, (J,).
        state: Of the episode.
        seen: Where it is written.
    """
    number = state.tally[0].asked
    if number < 0:
        _blank(seen)
    else:
        see_queue(jobs, state, seen.queue, number)
        _see_sites(sites, world, jobs[number], state, seen)
        _see_job(jobs[number], state.progress[number], state.tally[0].now_ms, sites.mean, seen.job)


@part
def _blank(seen: Seen) -> None:
    """Nothing is left to be decided."""
    for site in range(seen.sites.shape[0]):
        for entry in range(F):
            seen.sites[site, entry] = 0.0
        for entry in range(L):
            seen.labels[site, entry] = 0.0
    for entry in range(J):
        seen.job[entry] = 0.0
    for entry in range(Q):
        seen.queue[entry] = 0.0


@part
def _see_sites(sites: Sites, world: World, job: Any, state: State, seen: Seen) -> None:
    fade, now_ms, nodes = fading(state.tally[0].now_ms), state.tally[0].now_ms, sites.capacity.shape[0]
    for resource in range(R):
        seen.queue[_ALL_FREE + resource] = _free_of_all(sites, state, job.origin, resource)
    for site in range(nodes):
        row, way, here = seen.sites[site], sites.path[site, job.origin], site == job.origin
        for resource in range(R):
            capacity = sites.capacity[site, resource]
            free = free_as_known(state, job.origin, site, resource)
            unknown = state.coming[site, resource] if here else state.sent[site, resource]
            row[_FREE + resource] = free / capacity
            row[_SENT + resource] = min(unknown / capacity, 10.0)
            row[_NEED + resource] = min(job.demand[resource] / capacity, 10.0)
        row[_LATENCY] = seconds(way.latency_ms)
        row[_TRANSMISSION] = seconds(job.payload_mb * way.ms_per_mb)
        row[_EXTRA] = seconds(remembered_ms(sites, state, job.origin, site, fade))
        row[_END] = seconds(state.shown_end_ms[site] - now_ms)
        row[_WAITING] = min(state.waiting[site], 1000)
        row[_DOWN] = is_down_as_known(world, state, job.origin, site)
        row[_ORIGIN] = here


@part
def _free_of_all(sites: Sites, state: State, origin: int, resource: int) -> float:
    """Share of all sites' capacity that is free, as known."""
    whole, free = 0.0, 0.0
    for site in range(sites.capacity.shape[0]):
        whole += sites.capacity[site, resource]
        free += free_as_known(state, origin, site, resource)
    return free / whole


@part
def _see_job(job: Any, progress: Any, now_ms: float, mean: NDArray[np.float64], row: Floats32) -> None:
    for resource in range(R):
        row[_JOB_NEED + resource] = min(job.demand[resource] / mean[resource], 10.0)
    row[_PRIORITY], row[_DURATION], row[_PAYLOAD] = job.priority, seconds(job.duration_ms), job.payload_mb
    row[_SLACK], row[_WAITED] = seconds(job.latest_ms - now_ms), seconds(now_ms - job.arrival_ms)
    row[_TRIES] = min(progress.tries, 100)


@part
def see_queue(jobs: NDArray[Any], state: State, row: Floats32, asked: int) -> None:
    """Write what is seen of the jobs that wait beside `asked`, but for what is free."""
    tally = state.tally[0]
    for priority in range(_PRIORITIES):
        row[_COUNT + priority], row[_MEAN + priority], row[_LEAST + priority] = 0.0, 0.0, LONG_S
    for number in range(tally.first, tally.arrived):
        if state.progress[number].status == WAITING and number != asked:
            job, entry = jobs[number], jobs[number].priority - 1
            row[_COUNT + entry] += 1.0
            row[_MEAN + entry] += job.dominant
            row[_LEAST + entry] = min(row[_LEAST + entry], seconds(job.latest_ms - tally.now_ms))
    for priority in range(_PRIORITIES):
        count = row[_COUNT + priority]
        row[_MEAN + priority] = min(row[_MEAN + priority] / max(count, 1.0), 10.0)
        row[_COUNT + priority] = min(count, 1000.0)
    row[_ELAPSED] = min(tally.now_ms / HORIZON_MS, 1.0)


@compiled_in_place
def see_labels(sites: Sites, world: World, jobs: NDArray[Any], state: State, seen: Seen) -> None:
    """Write what no operator knows of the present decision."""
    number, now_ms = state.tally[0].asked, state.tally[0].now_ms
    for site in range(sites.capacity.shape[0] if number >= 0 else 0):
        request_ms, _, _ = delays(sites, world, jobs[number].origin, site, 0.0, now_ms)
        seen.labels[site, 0] = seconds(request_ms - sites.path[site, jobs[number].origin].latency_ms)
        seen.labels[site, 1] = world.down[site, slot_of(now_ms)]


@part
def seconds(time_ms: float) -> float:
    """Ms as the seconds of an observation."""
    return min(max(time_ms / 1000.0, 0.0), LONG_S)
