"""The multi-agent form: every site offers shares of what it has free, a broker gives jobs to the best fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.chains import slot_of
from edgebench.sim.compiled import part, rare
from edgebench.tracks.allocate.constants import R
from edgebench.tracks.allocate.physics import goes_on, next_tick, next_turn, pay, queue, send
from edgebench.tracks.allocate.state import Sites, State, World
from edgebench.tracks.allocate.transfers import fading, remembered_ms


@part
def allot(sites: Sites, world: World, jobs: NDArray[Any], state: State, shares: NDArray[np.float64]) -> float:
    """Give the waiting jobs to what the sites offer, go on to the next tick at which one waits; returns the reward.

    The jobs come by priority, then by arrival. Of the sites that offer enough, and that the input would reach in time
    by what is remembered of traps, each goes to that with the least waste: the mean over the resources of what would
    be left of the offer, as a share of the site's capacity. A job for which there is none waits for the next tick.

    Args:
        sites: Of the region.
        world: Of the episode.
        jobs: Of the episode, (J,).
        state: Of the episode, at a tick.
        shares: Of what each site has free of each resource, requests under way taken off, (N, R) in 0 … 1.
    """
    tally = state.tally[0]
    tick_ms, number = tally.now_ms, tally.asked
    room = _room(sites, world, state, shares)
    while number >= 0 and tally.now_ms == tick_ms:
        site = _best_fit(sites, jobs[number], state, room)
        if site < 0:
            tally.deferrals += 1
            queue(jobs, state, number, next_tick(tick_ms))
        else:
            for resource in range(R):
                room[site, resource] -= jobs[number].demand[resource]
            send(sites, world, jobs, state, number, site)
        number = next_waiting(sites, world, jobs, state)
    tally.asked = number
    return pay(state)


@rare
def next_waiting(sites: Sites, world: World, jobs: NDArray[Any], state: State) -> int:
    """Let the world go on until a waiting job's turn comes; returns it, -1 when every job has ended."""
    number = -1
    while number < 0 and goes_on(jobs, state):
        number = next_turn(sites, world, jobs, state)
    return number


@part
def _room(sites: Sites, world: World, state: State, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is offered, (N, R) units; a site that is down offers nothing."""
    room, slot = np.zeros(sites.capacity.shape), slot_of(state.tally[0].now_ms)
    for site in range(sites.capacity.shape[0]):
        for resource in range(R):
            if not world.down[site, slot]:
                free = state.free[site, resource] - state.coming[site, resource]
                room[site, resource] = shares[site, resource] * free
    return room


@part
def _best_fit(sites: Sites, job: Any, state: State, room: NDArray[np.float64]) -> int:
    best, least, now_ms = -1, np.inf, state.tally[0].now_ms
    fade = fading(now_ms)
    for site in range(sites.capacity.shape[0]):
        waste, fits = 0.0, True
        for resource in range(R):
            left = room[site, resource] - job.demand[resource]
            fits &= left >= 0.0
            waste += left / sites.capacity[site, resource] / R
        way = sites.path[site, job.origin]
        begins_ms = now_ms + way.latency_ms + job.payload_mb * way.ms_per_mb
        begins_ms += remembered_ms(sites, state, job.origin, site, fade)
        if fits and waste < least and begins_ms <= job.latest_ms:
            best, least = site, waste
    return best
