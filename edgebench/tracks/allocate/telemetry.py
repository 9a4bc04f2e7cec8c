"""What sites publish of themselves every `TELEMETRY_MS`, and what an operator adds of the requests on their way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import TELEMETRY_MS
from edgebench.sim.chains import slot_of
from edgebench.sim.compiled import part, rare
from edgebench.tracks.allocate.constants import HORIZON_MS, IMBALANCE_WEIGHT, POINTS, R
from edgebench.tracks.allocate.state import HELD, POINTS_IMBALANCE, Sites, State, World


@rare
def publish(sites: Sites, world: World, jobs: NDArray[Any], state: State) -> None:
    """All sites tell what they have free, whether they are down and when their next job ends."""
    tally = state.tally[0]
    slot = slot_of(tally.publish_ms)
    for site in range(sites.capacity.shape[0]):
        state.shown_down[site], state.shown_end_ms[site] = world.down[site, slot], np.inf
        for resource in range(R):
            state.shown[site, resource] = state.free[site, resource]
            state.sent[site, resource] = state.coming[site, resource]
    for job in range(tally.first, tally.arrived):
        progress = state.progress[job]
        if progress.status == HELD and progress.ends_ms < state.shown_end_ms[progress.site]:
            state.shown_end_ms[progress.site] = progress.ends_ms
    _look_at_balance(sites, state)
    tally.publish_ms += TELEMETRY_MS


@part
def _look_at_balance(sites: Sites, state: State) -> None:
    """Add this moment to the sums behind fragmentation and imbalance."""
    tally, nodes = state.tally[0], sites.capacity.shape[0]
    total, squares = 0.0, 0.0
    for site in range(nodes):
        mean, least = 0.0, 1.0
        for resource in range(R):
            free = state.free[site, resource] / sites.capacity[site, resource]
            mean, least = mean + free / R, min(least, free)
        tally.free_mean += mean
        tally.free_least += least
        total, squares = total + mean, squares + mean * mean
    variance = max(0.0, squares / nodes - (total / nodes) ** 2)
    tally.variance += variance
    tally.publications += 1
    tally.points[POINTS_IMBALANCE] += POINTS * IMBALANCE_WEIGHT * variance * TELEMETRY_MS / HORIZON_MS


@part
def free_as_known(state: State, origin: int, site: int, resource: int) -> float:
    """What a site has free to the knowledge of the broker at `origin`: its own now, another's as last published."""
    return float(state.free[site, resource] if site == origin else state.shown[site, resource])


@part
def is_down_as_known(world: World, state: State, origin: int, site: int) -> bool:
    """Whether a site is down to the knowledge of the broker at `origin`."""
    if site == origin:
        return bool(world.down[site, slot_of(state.tally[0].now_ms)])
    return bool(state.shown_down[site])


@part
def could_take(sites: Sites, world: World, job: Any, state: State, site: int) -> bool:
    """Whether a site could take a waiting job by what is known: it is up, has room, and the input is there in time."""
    if is_down_as_known(world, state, job.origin, site):
        return False
    for resource in range(R):
        if free_as_known(state, job.origin, site, resource) < job.demand[resource]:
            return False
    way = sites.path[site, job.origin]
    return bool(state.tally[0].now_ms + way.latency_ms + job.payload_mb * way.ms_per_mb <= job.latest_ms)
