"""What the batches to come of an episode would bring if nothing was edited any more.

Learning credits edits with the difference it makes (Ng, Harada and Russell, "Policy invariance under reward
transformations", ICML 1999): it is 0 at the beginning, when the contiguous placement stands, and 0 at the end, so that
what edits are credited with sums to the rewards of the episode.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled
from edgebench.tracks.place.constants import PLAN_EDITS, REQUESTS, SLOTS
from edgebench.tracks.place.physics import blank_ways, find_ways, serve
from edgebench.tracks.place.simulation import Simulation
from edgebench.tracks.place.state import OUTCOMES, Devices, Floats, Placement, Ways, World

STRIDE: Final = 4
"""Before the first batch every fourth of the batches to come stands for all, which takes a quarter of the time."""


@compiled
def _find_all_ways(devices: Devices, world: World, ways: Ways) -> None:
    """Write the ways of all slots, (S, G+Q, G+Q), the router knowing what trap links add."""
    nothing, one = np.zeros(world.extra_ms.shape[0]), blank_ways(devices.node.size, world.origin.shape[1])
    for slot in range(world.routes.shape[0]):
        find_ways(devices, world, slot, nothing, one)
        ways.path_ms[slot], ways.extra_ms[slot], ways.row_ms[slot] = one.path_ms, one.extra_ms, one.row_ms
        ways.known_ms[slot] = one.path_ms + one.extra_ms


@compiled
def _serve_ahead(
    devices: Devices, world: World, ways: Ways, reference_ms: Floats, experts: int, placement: Placement, first: int,
    stride: int, saved: Floats,
) -> None:  # fmt: skip
    """Write what is saved in slots from `first` on, (S,), every `stride`-th standing for all; 0 elsewhere."""
    count = devices.node.size
    outcome, busy_ms = np.zeros(OUTCOMES), np.zeros(count)
    used = np.zeros((count + world.origin.shape[1], count + world.origin.shape[1]), np.bool_)
    saved[:] = 0.0
    for slot in range(first, saved.size, stride):
        here = Ways(
            ways.known_ms[slot], ways.path_ms[slot], ways.extra_ms[slot], ways.row_ms[slot], ways.bad[slot]
        )  # fmt: skip
        down = world.down[:, slot]
        latency_ms = serve(devices, here, world.routes[slot], experts, placement, down, down, outcome, busy_ms, used)
        saved[slot] = stride * (reference_ms[slot] - latency_ms) / reference_ms.mean()


class Ahead:
    """The batches to come of a simulation's episode.

    Args:
        simulation: Whose.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        size = simulation.devices.node.size + REQUESTS
        first, second, third, fourth = (np.zeros((SLOTS, size, size)) for _ in range(4))
        self._ways = Ways(first, second, third, fourth, np.zeros((SLOTS, size, size), np.int64))
        self._saved = np.zeros(SLOTS)

    def begin(self) -> None:
        """Look ahead in the episode that has begun."""
        _find_all_ways(self._simulation.devices, self._simulation.world, self._ways)
        self._saved[:], self._placement, self._stride = 0.0, self._simulation.state.placement.copy(), STRIDE

    def value(self) -> float:
        """What the batches to come would bring, in the unit of the reward, if the placement stayed as it is."""
        simulation, first = self._simulation, int(self._simulation.state.clock[0]) - PLAN_EDITS
        stride, first = STRIDE if first < 0 else 1, max(first, 0)
        now: NDArray[np.int8] = simulation.state.placement
        if stride != self._stride or not np.array_equal(now, self._placement):
            self._stride, self._placement[:] = stride, now
            _serve_ahead(
                simulation.devices, simulation.world, self._ways, simulation.state.reference_ms, simulation.experts,
                now, first, stride, self._saved,
            )  # fmt: skip
        return float(self._saved[first:].sum())
