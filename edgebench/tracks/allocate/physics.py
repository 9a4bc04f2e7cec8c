"""The compiled core: jobs arrive, are sent to sites, hold resources, and are done in time or expire.

A job's input travels right behind the request for room. The site answers when the request arrives: it refuses if it is
down, has too little of one resource, or the job would begin too late; else the resources are held from then on, while
the input arrives and while the job runs. What holds resources is done in time unless its site fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import TELEMETRY_MS, TRAP_SLOT_MS
from edgebench.sim.chains import slot_of
from edgebench.sim.compiled import part, rare
from edgebench.tracks.allocate.constants import LATENCY_WEIGHT, POINTS, TICK_MS, VIOLATION_WEIGHT, WASTE_WEIGHT, R
from edgebench.tracks.allocate.events import RELEASE, REQUEST, TURN, first_event, job_of, kind_of, schedule, take_next
from edgebench.tracks.allocate.state import (
    COMING,
    DONE,
    EXPIRED,
    HELD,
    POINTS_DONE,
    POINTS_LATENCY,
    POINTS_VIOLATED,
    POINTS_WASTE,
    SENT,
    TERMS,
    WAITING,
    Sites,
    State,
    World,
)
from edgebench.tracks.allocate.telemetry import could_take, publish
from edgebench.tracks.allocate.transfers import delays, measure


@part
def begin(sites: Sites, jobs: NDArray[Any], state: State, in_ticks: bool) -> None:
    """Before an episode: all sites empty, nothing measured, every job to come.

    Args:
        sites: Of the region.
        jobs: Of the episode, (J,).
        state: Its arrays, filled here.
        in_ticks: Whether jobs are asked about at the first tick after their arrival, not at once.
    """
    tally = state.tally[0]
    _clear(sites, state)
    for number in range(jobs.shape[0]):
        job, progress = jobs[number], state.progress[number]
        progress.status, progress.site, progress.tries = COMING, -1, 0
        tally.priority_sum += job.priority
        tally.work_ms += job.dominant * job.duration_ms
        progress.ready_ms = next_tick(job.arrival_ms) if in_ticks else job.arrival_ms


@part
def _clear(sites: Sites, state: State) -> None:
    tally = state.tally[0]
    tally.now_ms, tally.publish_ms, tally.priority_sum, tally.work_ms, tally.paid = 0.0, 0.0, 0.0, 0.0, 0.0
    for term in range(TERMS):
        tally.points[term] = 0.0
    for resource in range(R):
        tally.held[resource] = 0.0
    tally.dominant_ms, tally.idle_ms, tally.free_mean, tally.free_least, tally.variance = 0.0, 0.0, 0.0, 0.0, 0.0
    tally.publications, tally.heap, tally.first, tally.arrived, tally.asked = 0, 0, 0, 0, -1
    tally.trap_hits, tally.refusals, tally.deferrals = 0, 0, 0
    for site in range(sites.capacity.shape[0]):
        state.waiting[site], state.busy_ms[site] = 0, 0.0
        for resource in range(R):
            state.free[site, resource], state.coming[site, resource] = sites.capacity[site, resource], 0.0
    for trap in range(state.measured.shape[0]):
        state.measured[trap] = 0.0


@part
def next_tick(now_ms: float) -> float:
    """The first tick after `now_ms`."""
    return float((np.floor(now_ms / TICK_MS) + 1.0) * TICK_MS)


@part
def advance(sites: Sites, world: World, jobs: NDArray[Any], state: State) -> float:
    """Let the world go on until a job's turn comes for which an action is open; returns the reward since the last.

    Afterwards `tally.asked` is that job and `mask` its valid actions; -1 and all 0 when every job has ended. A waiting
    job that no site could take is not asked about, but waits for the next tick.
    """
    tally = state.tally[0]
    tally.asked = -1
    while tally.asked < 0 and goes_on(jobs, state):
        number = next_turn(sites, world, jobs, state)
        if number >= 0 and mark_valid(sites, world, jobs[number], state):
            tally.asked = number
        elif number >= 0:
            queue(jobs, state, number, next_tick(tally.now_ms))
    if tally.asked < 0:
        for action in range(state.mask.shape[0]):
            state.mask[action] = 0
    return pay(state)


@part
def goes_on(jobs: NDArray[Any], state: State) -> bool:
    """Whether anything is yet to happen to a job."""
    return bool(state.tally[0].heap > 0 or state.tally[0].arrived < jobs.shape[0])


@part
def next_turn(sites: Sites, world: World, jobs: NDArray[Any], state: State) -> int:
    """Let the next thing happen; returns the job whose turn that is, -1 if it is something else."""
    tally = state.tally[0]
    time_ms, rank = first_event(state)
    if tally.arrived < jobs.shape[0] and jobs[tally.arrived].arrival_ms <= time_ms:
        _welcome(jobs, state)
        return -1
    if tally.publish_ms < time_ms or (tally.publish_ms == time_ms and kind_of(rank) == TURN):
        publish(sites, world, jobs, state)
        return -1
    take_next(state)
    tally.now_ms, number = time_ms, job_of(rank)
    if kind_of(rank) == RELEASE:
        _release(sites, jobs, state, number)
    elif kind_of(rank) == REQUEST:
        _arrive(sites, world, jobs, state, number)
    else:
        leave_queue(jobs, state, number)
        if state.progress[number].ready_ms <= jobs[number].latest_ms:
            return number
        expire(jobs, state, number)
    return -1


@part
def _welcome(jobs: NDArray[Any], state: State) -> None:
    """The next job arrives and waits for its turn; jobs at the head of all that have ended are passed over."""
    tally = state.tally[0]
    job, progress = jobs[tally.arrived], state.progress[tally.arrived]
    progress.status = WAITING
    state.waiting[job.origin] += 1
    schedule(state, min(progress.ready_ms, job.latest_ms), TURN, job.priority, tally.arrived)
    tally.arrived += 1
    while tally.first < tally.arrived and state.progress[tally.first].status >= DONE:
        tally.first += 1


@part
def mark_valid(sites: Sites, world: World, job: Any, state: State) -> bool:
    """Write the mask of a job's decision; whether a site is valid. To defer always is."""
    nodes, any_site = sites.capacity.shape[0], False
    for site in range(nodes):
        valid = could_take(sites, world, job, state, site)
        state.mask[site] = valid
        any_site |= valid
    state.mask[nodes] = 1
    return any_site


@part
def decide(sites: Sites, world: World, jobs: NDArray[Any], state: State, action: int) -> None:
    """Send the job that is asked about to site `action`; it waits for the next tick if that is no valid site."""
    nodes, number = sites.capacity.shape[0], state.tally[0].asked
    if 0 <= action < nodes and state.mask[action]:
        send(sites, world, jobs, state, number, action)
    else:
        state.tally[0].deferrals += 1
        queue(jobs, state, number, next_tick(state.tally[0].now_ms))


@part
def queue(jobs: NDArray[Any], state: State, number: int, ready_ms: float) -> None:
    """A job waits at its origin and is asked about at `ready_ms`, or expires when it can no longer begin in time."""
    job, progress = jobs[number], state.progress[number]
    progress.status, progress.ready_ms = WAITING, ready_ms
    state.waiting[job.origin] += 1
    schedule(state, max(state.tally[0].now_ms, min(ready_ms, job.latest_ms)), TURN, job.priority, number)


@part
def leave_queue(jobs: NDArray[Any], state: State, number: int) -> None:
    """A job waits no longer."""
    state.waiting[jobs[number].origin] -= 1


@part
def send(sites: Sites, world: World, jobs: NDArray[Any], state: State, number: int, site: int) -> None:
    """A job's request leaves for a site now, its input behind it."""
    job, progress, tally = jobs[number], state.progress[number], state.tally[0]
    request_ms, progress.transfer_ms, hits = delays(sites, world, job.origin, site, job.payload_mb, tally.now_ms)
    tally.trap_hits += hits
    progress.status, progress.site, progress.sent_ms = SENT, site, tally.now_ms
    for resource in range(R):
        state.coming[site, resource] += job.demand[resource]
        state.sent[site, resource] += job.demand[resource]
    schedule(state, tally.now_ms + request_ms, REQUEST, job.priority, number)


@part
def _arrive(sites: Sites, world: World, jobs: NDArray[Any], state: State, number: int) -> None:
    """A request arrives: the site holds what the job needs, or the job is back at the first tick after the way back."""
    job, progress, now_ms = jobs[number], state.progress[number], state.tally[0].now_ms
    site = progress.site
    measure(sites, world, state, job.origin, site, progress.sent_ms, now_ms)
    fits = not world.down[site, slot_of(now_ms)] and now_ms + progress.transfer_ms <= job.latest_ms
    for resource in range(R):
        state.coming[site, resource] -= job.demand[resource]
        fits &= state.free[site, resource] >= job.demand[resource]
    if fits:
        _hold(world, job, state, number)
    else:
        progress.tries += 1
        state.tally[0].refusals += 1
        queue(jobs, state, number, next_tick(now_ms + sites.path[job.origin, site].latency_ms))


@part
def _hold(world: World, job: Any, state: State, number: int) -> None:
    """Resources are held until the job is done, or until its site fails."""
    progress, now_ms = state.progress[number], state.tally[0].now_ms
    for resource in range(R):
        state.free[progress.site, resource] -= job.demand[resource]
    progress.status, progress.held_ms = HELD, now_ms
    progress.ends_ms = now_ms + progress.transfer_ms + job.duration_ms
    ends_ms = progress.ends_ms
    if world.fails:
        ends_ms = min(ends_ms, fails_at(world, progress.site, now_ms, ends_ms))
    schedule(state, ends_ms, RELEASE, job.priority, number)


@rare
def fails_at(world: World, site: int, now_ms: float, until_ms: float) -> float:
    """When a site that is up goes down before `until_ms`, in ms; infinity where it does not."""
    for slot in range(slot_of(now_ms) + 1, slot_of(until_ms) + 1):
        if world.down[site, slot]:
            return slot * TRAP_SLOT_MS
    return np.inf


@part
def _release(sites: Sites, jobs: NDArray[Any], state: State, number: int) -> None:
    """A job gives back what it holds: it is done, or its site has failed and all is lost."""
    job, progress, tally = jobs[number], state.progress[number], state.tally[0]
    is_done = tally.now_ms >= progress.ends_ms
    held_ms = tally.now_ms - progress.held_ms
    for resource in range(R):
        state.free[progress.site, resource] += job.demand[resource]
        tally.held[resource] += job.demand[resource] * held_ms
        share = job.demand[resource] / sites.capacity[progress.site, resource]
        state.busy_ms[progress.site] += share * held_ms / R
    idle_ms = progress.transfer_ms if is_done else held_ms
    tally.dominant_ms += job.dominant * held_ms
    tally.idle_ms += job.dominant * idle_ms
    tally.points[POINTS_WASTE] += POINTS * WASTE_WEIGHT * job.dominant * idle_ms / tally.work_ms
    if is_done:
        _finish(jobs, state, number)
    else:
        queue(jobs, state, number, np.ceil(tally.now_ms / TELEMETRY_MS) * TELEMETRY_MS)


@part
def _finish(jobs: NDArray[Any], state: State, number: int) -> None:
    """A job is done, in time as all that run are."""
    job, progress, tally = jobs[number], state.progress[number], state.tally[0]
    progress.status = DONE
    tally.points[POINTS_DONE] += POINTS * job.priority / tally.priority_sum
    waited_ms = progress.held_ms + progress.transfer_ms - job.arrival_ms
    deadline_ms = job.latest_ms + job.duration_ms - job.arrival_ms
    tally.points[POINTS_LATENCY] += POINTS * LATENCY_WEIGHT / jobs.shape[0] * waited_ms / deadline_ms


@part
def expire(jobs: NDArray[Any], state: State, number: int) -> None:
    """A job can no longer be done in time."""
    tally = state.tally[0]
    state.progress[number].status = EXPIRED
    tally.points[POINTS_VIOLATED] += POINTS * VIOLATION_WEIGHT * jobs[number].priority / tally.priority_sum


@part
def pay(state: State) -> float:
    """The reward since it was last paid."""
    tally = state.tally[0]
    earned = tally.points[POINTS_DONE]
    for term in range(POINTS_DONE + 1, TERMS):
        earned -= tally.points[term]
    reward = earned - tally.paid
    tally.paid = earned
    return float(reward)
