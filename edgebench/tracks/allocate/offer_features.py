"""What a site sees in the multi-agent form, written by compiled code."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.chains import slot_of
from edgebench.sim.compiled import part
from edgebench.sim.conditions import MAX_NEIGHBOURS, Neighbours
from edgebench.sim.features import Feature
from edgebench.tracks.allocate.constants import LONG_S, RESOURCES, R
from edgebench.tracks.allocate.features import QUEUE_FEATURES, Q
from edgebench.tracks.allocate.observe import Floats32, seconds, see_queue
from edgebench.tracks.allocate.state import WAITING, Sites, State, World
from edgebench.tracks.allocate.transfers import fading, remembered_ms

_OWN: Final = (
    *(Feature(f"used_{name}", 0.0, 1.0, f"share of the own {name} that is held") for name in RESOURCES),
    *(Feature(f"all_{name}", 0.0, 10.0, f"own {name}, over the mean site's") for name in RESOURCES),
    *(
        Feature(f"coming_{name}", 0.0, 10.0, f"{name} asked for by requests under way, share of all")
        for name in RESOURCES
    ),
    Feature("waiting", 0.0, 1000.0, "waiting jobs that arose here"),
    Feature("down", 0.0, 1.0, "1 if the site is down"),
)
_HEAD: Final = (
    *(Feature(f"head_need_{name}", 0.0, 1.0, f"{name} it needs, share of all the site has") for name in RESOURCES),
    Feature("head_priority", 0.0, 3.0, "its priority, 0 where there is none"),
    Feature("head_duration_s", 0.0, LONG_S, "how long it runs"),
    Feature("head_slack_s", 0.0, LONG_S, "time left to begin and be done by its deadline"),
    Feature("head_latency_s", 0.0, LONG_S, "propagation and hops from its origin"),
    Feature("head_transmission_s", 0.0, LONG_S, "its input over the path's bottleneck"),
    Feature("head_extra_s", 0.0, LONG_S, "extra delay remembered of that path's links"),
    Feature("head_is_own", 0.0, 1.0, "1 if it arose here"),
)
_NEIGHBOURS: Final = tuple(
    feature
    for number in range(MAX_NEIGHBOURS)
    for feature in (
        *(Feature(f"near_{number}_used_{name}", 0.0, 1.0, f"its {name} held, as published") for name in RESOURCES),
        Feature(f"near_{number}_latency_s", 0.0, LONG_S, "latency of the link there, 0 where there is none"),
    )
)
OFFER_FEATURES: Final = (*_OWN, *QUEUE_FEATURES, *_HEAD, *_NEIGHBOURS)
"""Entries of a site's observation. `head` is the first job, by priority and arrival, that waits for this tick and could
be held here now; the neighbours are those over the quickest links."""
P: Final = len(OFFER_FEATURES)
_QUEUE_AT: Final = len(_OWN)
_HEAD_AT: Final = _QUEUE_AT + Q
_NEAR_AT: Final = _HEAD_AT + len(_HEAD)


@part
def see_offers(
    sites: Sites,
    world: World,
    jobs: NDArray[Any],
    state: State,
    neighbours: Neighbours,
    rows: Floats32,
) -> None:
    """Write what every site sees at a tick, (N, P); nothing but 0 when the episode is over."""
    rows[:] = 0.0
    fade = fading(state.tally[0].now_ms)
    shared, origin = np.zeros(Q, np.float32), jobs[max(state.tally[0].asked, 0)].origin
    see_queue(jobs, state, shared, -1)
    _see_all_free(sites, state, shared)
    for site in range(rows.shape[0] if state.tally[0].asked >= 0 else 0):
        row = rows[site]
        _see_own(sites, world, state, site, origin, row)
        row[_QUEUE_AT:_HEAD_AT] = shared
        _see_head(sites, jobs, state, site, fade, row[_HEAD_AT:_NEAR_AT])
        _see_neighbours(sites, state, neighbours, site, row[_NEAR_AT:])


@part
def _see_all_free(sites: Sites, state: State, row: Floats32) -> None:
    """Of each resource the share that all sites together have published as free."""
    for resource in range(R):
        row[Q - R - 1 + resource] = state.shown[:, resource].sum() / sites.capacity[:, resource].sum()


@part
def _see_own(
    sites: Sites,
    world: World,
    state: State,
    site: int,
    origin: int,
    row: Floats32,
) -> None:
    """The site's own figures; `origin` is that of the job whose turn it is, which `state.waiting` leaves out."""
    for resource in range(R):
        capacity = sites.capacity[site, resource]
        row[resource] = 1.0 - state.free[site, resource] / capacity
        row[R + resource] = min(capacity / sites.mean[resource], 10.0)
        row[2 * R + resource] = min(state.coming[site, resource] / capacity, 10.0)
    row[3 * R] = min(state.waiting[site] + (origin == site), 1000)
    row[3 * R + 1] = world.down[site, slot_of(state.tally[0].now_ms)]


@part
def _see_head(sites: Sites, jobs: NDArray[Any], state: State, site: int, fade: float, row: Floats32) -> None:
    now_ms, head = state.tally[0].now_ms, _head(sites, jobs, state, site)
    if head < 0:
        return
    job, way = jobs[head], sites.path[site, jobs[head].origin]
    for resource in range(R):
        row[resource] = job.demand[resource] / sites.capacity[site, resource]
    row[R], row[R + 1], row[R + 2] = job.priority, seconds(job.duration_ms), seconds(job.latest_ms - now_ms)
    row[R + 3], row[R + 4] = seconds(way.latency_ms), seconds(job.payload_mb * way.ms_per_mb)
    row[R + 5] = seconds(remembered_ms(sites, state, job.origin, site, fade))
    row[R + 6] = job.origin == site


@part
def _head(sites: Sites, jobs: NDArray[Any], state: State, site: int) -> int:
    """The first job by priority and arrival that waits for this tick and that a site has free what it needs; or -1."""
    tally, head = state.tally[0], -1
    for number in range(tally.first, tally.arrived):
        progress, job = state.progress[number], jobs[number]
        due = progress.status == WAITING and progress.ready_ms <= tally.now_ms
        for resource in range(R):
            due &= state.free[site, resource] - state.coming[site, resource] >= job.demand[resource]
        way = sites.path[site, job.origin]
        due &= tally.now_ms + way.latency_ms + job.payload_mb * way.ms_per_mb <= job.latest_ms
        if due and (head < 0 or job.priority > jobs[head].priority):
            head = number
    return head


@part
def _see_neighbours(sites: Sites, state: State, neighbours: Neighbours, site: int, row: Floats32) -> None:
    for number in range(MAX_NEIGHBOURS):
        other, first = neighbours.node[site, number], number * (R + 1)
        if other >= 0:
            for resource in range(R):
                row[first + resource] = 1.0 - state.shown[other, resource] / sites.capacity[other, resource]
            row[first + R] = seconds(neighbours.latency_ms[site, number])
