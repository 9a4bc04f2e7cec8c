"""The reference of Place: what a clairvoyant makes of the episode's own tokens. A strong reference, not a proof.

For every batch on its own a placement is found by simulated annealing on that batch's tokens and on the extras that
trap links and late ways then have, beginning with the placement of the batch before; moving there costs nothing. The
batch is then split over the copies by a linear programme (`edgebench.tracks.place.split`), which no router betters. No
agent knows the tokens or the extras of a batch before it is served, all agents' batches are split by the router, and
every agent pays for loading. A better placement than annealing finds may exist, so the value is no proven bound; the
tests hold every policy they play, and on tiny cases the best of all placements, against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.tracks.place.annealing import Batches, anneal, stack_ways
from edgebench.tracks.place.constants import SLOTS
from edgebench.tracks.place.physics import blank_ways, find_ways
from edgebench.tracks.place.simulation import Simulation
from edgebench.tracks.place.split import split_latency
from edgebench.tracks.place.state import Floats, Placement, Ways

STEPS: Final = 900
"""Placements tried for a batch, some 8 ms. The placement of the batch before is a good beginning."""
FIRST_STEPS: Final = 10_000
"""The same for the first batch, which begins with the contiguous placement."""
HEAT: Final = (0.004, 0.0003)
"""First and last temperature, shares of the latency; of the first batch five times as much to begin with."""


def episode_bounds(
    region: Region, *, scenario: Scenario, split: str, episodes: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """The relative speed of a clairvoyant in each episode (window, scenario seed), (len(episodes),).

    It knows tokens, extras and late ways of every batch, anneals a placement for it on its own, splits it by a linear
    programme and loads for nothing. A strong reference, not a proof: a better placement than annealing finds may exist.
    """
    simulation = Simulation(region, scenario, split)
    return np.array([_relative_speed(simulation, window, seed) for window, seed in episodes], np.float64)


def _relative_speed(simulation: Simulation, window: int, seed: int) -> float:
    simulation.start(window, seed)
    return float(simulation.state.reference_ms.sum() / clairvoyant_latencies(simulation).sum())


def clairvoyant_latencies(simulation: Simulation) -> Floats:
    """Latency of every batch of the episode that has begun in ms, (S,)."""
    placement = simulation.contiguous.copy()
    return np.array([clairvoyant_latency(simulation, slot, placement) for slot in range(SLOTS)])


def clairvoyant_latency(simulation: Simulation, slot: int, placement: Placement) -> float:
    """Latency of a batch in ms; `placement` is where annealing begins and becomes what it finds."""
    world, down = simulation.world, simulation.world.down[:, slot]
    ways = true_ways(simulation, slot)
    batches = Batches(stack_ways([ways]), world.routes[slot : slot + 1], down[None])
    steps, heat = (STEPS, HEAT[0]) if slot else (FIRST_STEPS, 5.0 * HEAT[0])
    annealed = anneal(simulation.devices, batches, simulation.experts, placement, slot, steps, heat, HEAT[1])
    up = placement * ~down
    if not up.any(axis=1).all():
        return annealed
    return min(annealed, split_latency(simulation.devices, ways, world.routes[slot], simulation.experts, up))


def true_ways(simulation: Simulation, slot: int) -> Ways:
    """The ways of a slot with a router that knows what trap links add and which ways are late."""
    world = simulation.world
    ways = blank_ways(simulation.devices.node.size, world.origin.shape[1])
    find_ways(simulation.devices, world, slot, world.extra_ms[:, slot].copy(), ways)
    ways.known_ms[:] = ways.path_ms + ways.extra_ms
    return ways
