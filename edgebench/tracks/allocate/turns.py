"""What Python calls: the steps of both forms, each one compiled function, for every array costs a call its time."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, compiled_in_place
from edgebench.sim.conditions import Neighbours
from edgebench.tracks.allocate.observe import Floats32, Seen, observe
from edgebench.tracks.allocate.offer_features import see_offers
from edgebench.tracks.allocate.offers import allot, next_waiting
from edgebench.tracks.allocate.physics import advance, begin, decide
from edgebench.tracks.allocate.state import Sites, State, World

FIRST: Final = -2
"""In place of an action: the episode begins."""


@compiled_in_place
def take_turn(sites: Sites, world: World, jobs: NDArray[Any], state: State, seen: Seen, action: int) -> float:
    """Decide, go on to the next decision and look at it; returns the reward.

    With `FIRST` for an action the episode begins; what happens before its first decision is paid with that one.
    """
    if action == FIRST:
        begin(sites, jobs, state, False)
    else:
        decide(sites, world, jobs, state, action)
    reward = advance(sites, world, jobs, state)
    if action == FIRST:
        state.tally[0].paid = 0.0
    observe(sites, world, jobs, state, seen)
    return reward


@compiled
def first_tick(
    sites: Sites, world: World, jobs: NDArray[Any], state: State, neighbours: Neighbours, rows: Floats32
) -> None:
    """Begin an episode of the multi-agent form and look at the first tick at which a job waits."""
    begin(sites, jobs, state, True)
    state.tally[0].asked = next_waiting(sites, world, jobs, state)
    see_offers(sites, world, jobs, state, neighbours, rows)


@compiled
def take_tick(
    sites: Sites,
    world: World,
    jobs: NDArray[Any],
    state: State,
    neighbours: Neighbours,
    rows: Floats32,
    shares: NDArray[np.float64],
) -> float:
    """Give jobs to what the sites offer, go on to the next such tick and look at it; returns the reward."""
    reward = allot(sites, world, jobs, state, shares)
    see_offers(sites, world, jobs, state, neighbours, rows)
    return reward
