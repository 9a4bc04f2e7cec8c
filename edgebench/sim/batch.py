"""Many episodes at once over a region's arrays: the same physics as one, looped in compiled code.

The observations of all simulations lie side by side in one buffer each, written in place.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import get_num_threads, prange
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES
from edgebench.sim.compiled import compiled, compiled_parallel, part
from edgebench.sim.episodes import drawn_seed, drawn_window
from edgebench.sim.features import F, T
from edgebench.sim.observe import PLACES, Observation, observe
from edgebench.sim.route import start, step
from edgebench.sim.simulation import pack, start_packed, unpack
from edgebench.sim.state import State, Tasks, new_states
from edgebench.sim.topology import Topology

PARALLEL_FROM: Final = 64
"""Fewer simulations are stepped by one thread: waking the others costs more than they save
(`python benchmarks/vector_rate.py`)."""


class Batch:
    """B simulations of one topology and split, each with an episode of its own.

    Args:
        topology: Static arrays, shared by all.
        tasks: The tasks of a split, shared by all.
        count: B.
        traps: Whether trap links turn bad.

    Attributes:
        seen: Observations side by side, (B, ...) each; overwritten by the next call.
        rewards: (B,) of the last step.
        over: (B,) whether the episode has ended; its next step begins another.
        seeds: (B,) each simulation's seed, from which its episodes are drawn.
        resets: (B,) episodes begun since that seed was given.
    """

    def __init__(self, topology: Topology, tasks: Tasks, count: int, *, traps: bool) -> None:
        self.topology, self.tasks, self.traps = topology, tasks, traps
        self.seen = Observation(
            np.zeros((count, F, CANDIDATES), np.float32),
            np.zeros((count, T), np.float32),
            np.zeros((count, CANDIDATES), np.int8),
            np.full((count, CANDIDATES), -1, np.int32),
            np.full((count, PLACES), -1, np.int64),
        )
        self._states: list[State] = new_states(topology, count)
        self._packed = np.stack(
            [
                pack(topology, tasks, state, Observation(*(part[row] for part in self.seen)))
                for row, state in enumerate(self._states)
            ]
        )
        self.rewards = np.zeros(count)
        self.over = np.ones(count, np.bool_)
        self.seeds = np.zeros(count, np.int64)
        self.resets = np.zeros(count, np.int64)

    def begin(self, row: int, window: int, seed: int) -> None:
        """Begin the episode of `window` under scenario `seed` in simulation `row`."""
        start_packed(self._packed[row], window, seed, self.traps)
        self.resets[row] += 1
        self.rewards[row], self.over[row] = 0.0, False

    def step(self, actions: NDArray[np.int64]) -> None:
        """Step every simulation by its action (B,), or begin its next episode if the last one is over."""
        count = len(self._packed)
        advance = _advance_parallel if count >= PARALLEL_FROM and get_num_threads() > 1 else _advance_serial
        advance(self._packed, actions, self.traps, self.seeds, self.resets, self.rewards, self.over)

    def draw(self, row: int) -> tuple[int, int]:
        """Window and scenario seed of the next episode of simulation `row`."""
        return drawn_window(self.seeds[row], self.resets[row], self.tasks.size), drawn_seed(
            self.seeds[row], self.resets[row]
        )


@part
def _advance(
    row: int,
    packed: NDArray[np.int64],
    actions: NDArray[np.int64],
    traps: bool,
    seeds: NDArray[np.int64],
    resets: NDArray[np.int64],
    rewards: NDArray[np.float64],
    over: NDArray[np.bool_],
) -> None:
    topology, tasks, state, seen = unpack(packed[row])
    if over[row]:
        window = drawn_window(seeds[row], resets[row], tasks.shape[0])
        start(topology, tasks, state, window, drawn_seed(seeds[row], resets[row]), traps)
        resets[row] += 1
        rewards[row] = 0.0
    else:
        rewards[row] = step(topology, tasks, state, actions[row])
    observe(topology, tasks, state, seen)
    over[row] = seen.place[1] < 0


@compiled
def _advance_serial(
    packed: NDArray[np.int64], actions: NDArray[np.int64], traps: bool, seeds: NDArray[np.int64],
    resets: NDArray[np.int64], rewards: NDArray[np.float64], over: NDArray[np.bool_],
) -> None:  # fmt: skip
    for row in range(packed.shape[0]):
        _advance(row, packed, actions, traps, seeds, resets, rewards, over)


@compiled_parallel
def _advance_parallel(
    packed: NDArray[np.int64], actions: NDArray[np.int64], traps: bool, seeds: NDArray[np.int64],
    resets: NDArray[np.int64], rewards: NDArray[np.float64], over: NDArray[np.bool_],
) -> None:  # fmt: skip
    for row in prange(packed.shape[0]):
        _advance(row, packed, actions, traps, seeds, resets, rewards, over)
