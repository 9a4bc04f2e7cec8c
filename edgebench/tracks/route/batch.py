"""Many episodes at once over a region's arrays: the same physics as one, looped in compiled code.

The observations of all simulations lie side by side in one buffer each, written in place.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import WINDOW_TASKS
from edgebench.sim.compiled import compiled_without_lock, part
from edgebench.sim.episodes import drawn_seed, drawn_window
from edgebench.sim.tables import address_of, prefetch
from edgebench.sim.threads import threads
from edgebench.sim.topology import Topology
from edgebench.sim.traps import MONITOR
from edgebench.tracks.route.features import F, T
from edgebench.tracks.route.observe import Observation, new_observations, new_scratch
from edgebench.tracks.route.pace import Pace
from edgebench.tracks.route.simulation import GO_ON, WORDS, pack, play, unpack
from edgebench.tracks.route.state import OBJECTIVES, PROGRESS, SERVER, TURN, Tasks, new_states

PARALLEL_FROM: Final = 64
"""Fewer simulations are stepped by one thread: waking the others costs more than they save; of more, the pace decides
(`python benchmarks/vector_rate.py`)."""
_LINE: Final = 64
_MOST: Final = 2048
"""Bytes of an array fetched ahead, beyond which most are not needed."""
_PROGRESS_BYTES, _SERVER_BYTES, _MONITOR_BYTES = PROGRESS.itemsize, SERVER.itemsize, MONITOR.itemsize


class Batch:
    """B simulations of one topology and split, each with an episode of its own.

    Args:
        topology: Static arrays, shared by all.
        tasks: The tasks of a split, shared by all.
        rules: What they go by (`edgebench.tracks.route.rules.make_rules`), shared by all.
        count: B.

    Attributes:
        seen: Observations side by side, (B, ...) each; overwritten by the next call.
        earned: (B, OBJECTIVES) of the last step; the first column are the rewards.
        over: (B,) whether the episode has ended; its next step begins another.
        seeds: (B,) each simulation's seed, from which its episodes are drawn.
        resets: (B,) episodes begun since that seed was given.
    """

    def __init__(self, topology: Topology, tasks: Tasks, rules: NDArray[Any], count: int) -> None:
        self.topology, self.tasks = topology, tasks
        self.seen = new_observations(topology, rules, count)
        self.earned = np.zeros((count, OBJECTIVES))
        self._states = new_states(topology, rules, count)
        shares = min(count, threads())
        self._bounds = np.array([count * share // shares for share in range(shares + 1)], np.int64)
        self._whole = np.array([0, count], np.int64)
        self._shares = [self._bounds[share : share + 2] for share in range(shares)]
        self._scratches = [new_scratch(topology, rules) for _ in range(shares)]
        self._pack()
        self._pace = Pace()
        self.over = np.ones(count, np.bool_)
        self.seeds = np.zeros(count, np.int64)
        self.resets = np.zeros(count, np.int64)

    def _pack(self) -> None:
        shares = np.searchsorted(self._bounds, np.arange(len(self._states)), side="right") - 1
        self._states = [state._replace(earned=earned) for state, earned in zip(self._states, self.earned, strict=True)]
        self._packed = [
            pack(
                self.topology,
                self.tasks,
                state,
                Observation(*(part[row] for part in self.seen)),
                self._scratches[share],
            )
            for row, (state, share) in enumerate(zip(self._states, shares.tolist(), strict=True))
        ]
        self._addresses = np.array([packed.ctypes.data for packed in self._packed], np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_packed", "_addresses")}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept)
        self._pack()

    def begin(self, row: int, window: int, seed: int) -> None:
        """Begin the episode of `window` under scenario `seed` in simulation `row`."""
        play(self._addresses[row], window, seed, 0)
        self.resets[row] += 1
        self.earned[row], self.over[row] = 0.0, False

    def step(self, actions: NDArray[np.int64]) -> None:
        """Step every simulation by its action (B,), or begin its next episode if the last one is over."""
        arguments = self._addresses, actions, self.seeds, self.resets, self.over
        if actions.size < PARALLEL_FROM or threads() == 1:
            _advance(self._whole, *arguments)
            return
        if self._pace.choose():
            mine, *others = self._shares
            under_way = [_workers(os.getpid()).submit(_advance, share, *arguments) for share in others]
            _advance(mine, *arguments)
            for share in under_way:
                share.result()
        else:
            _advance(self._whole, *arguments)
        self._pace.done()

    def draw(self, row: int) -> tuple[int, int]:
        """Window and scenario seed of the next episode of simulation `row`."""
        return drawn_window(self.seeds[row], self.resets[row], self.tasks.size), drawn_seed(
            self.seeds[row], self.resets[row]
        )


@cache
def _workers(process: int) -> ThreadPoolExecutor:
    """The threads of a process; a forked one has none of its parent's."""
    return ThreadPoolExecutor(thread_name_prefix="edgebench")


@part
def _fetch(address: int, begin: int, size: int) -> None:
    for offset in range(begin, begin + size, _LINE):
        prefetch(address + offset)


@part
def _fetch_ahead(addresses: NDArray[np.int64], row: int, end: int) -> None:
    """Have the processor bring what the next steps read and write: a thousand simulations do not fit its caches.

    What it takes to know where to look comes steps before: addresses, then whose turn it is, then the rest.
    """
    if row + 3 < end:
        _fetch(addresses[row + 3], 0, 8 * WORDS)
    if row + 2 < end:
        _fetch(address_of(unpack(addresses[row + 2])[2].cursor), 0, 2 * _LINE)
    if row + 1 < end:
        _, _, state, seen, _ = unpack(addresses[row + 1])
        turn = max(state.cursor[TURN], 0)
        _fetch(address_of(state.progress), turn * _PROGRESS_BYTES, _PROGRESS_BYTES)
        _fetch(address_of(state.ready_ms), 0, 8 * WINDOW_TASKS)
        _fetch(address_of(state.server), 0, min(_SERVER_BYTES * state.server.shape[0], _MOST))
        _fetch(address_of(state.monitor), 0, min(_MONITOR_BYTES * state.monitor.shape[0], _MOST))
        _fetch(address_of(seen.candidates), 0, min(4 * F * seen.candidates.shape[1], _MOST))
        _fetch(address_of(seen.task), 0, 4 * T)
        _fetch(address_of(seen.instances), 0, min(4 * seen.instances.shape[0], _MOST))
        _fetch(address_of(state.inputs), 0, 1)
        _fetch(address_of(state.earned), 0, 1)


@compiled_without_lock
def _advance(
    bounds: NDArray[np.int64], addresses: NDArray[np.int64], actions: NDArray[np.int64], seeds: NDArray[np.int64],
    resets: NDArray[np.int64], over: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Step the simulations from bounds[0] to bounds[1] - 1."""
    for row in range(bounds[0], bounds[1]):
        _fetch_ahead(addresses, row, bounds[1])
        _, tasks, state, seen, _ = unpack(addresses[row])
        window, seed = GO_ON, 0
        if over[row]:
            window = drawn_window(seeds[row], resets[row], tasks.shape[0])
            seed = drawn_seed(seeds[row], resets[row])
        play(addresses[row], window, seed, actions[row])  # without literals, for which it would be compiled anew
        if over[row]:
            resets[row] += 1
            for objective in range(OBJECTIVES):
                state.earned[objective] = 0.0
        over[row] = seen.place[1] < 0
