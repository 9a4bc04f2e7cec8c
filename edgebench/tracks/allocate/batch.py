"""Episodes of one region side by side, one job's turn after another in each, stepped by one compiled call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.sim.compiled import compiled
from edgebench.tracks.allocate.generator import Generator
from edgebench.tracks.allocate.metrics import episode_metrics
from edgebench.tracks.allocate.observe import Seen, new_seen
from edgebench.tracks.allocate.sight import CONTEXT, ROWS, Floats, see
from edgebench.tracks.allocate.state import JOB, Sites, State, World, new_state
from edgebench.tracks.allocate.turns import FIRST, take_turn


class Sights(NamedTuple):
    """What learning sees of E episodes; M rows, the last to wait."""

    rows: Floats  # (E, M, `ROWS`)
    context: Floats  # (E, `CONTEXT`)
    may: NDArray[np.bool_]  # (E, M)

    def of(self, episodes: slice) -> Sights:
        """Views of some of the episodes."""
        return Sights(self.rows[episodes], self.context[episodes], self.may[episodes])


def new_sights(episodes: int, rows: int) -> Sights:
    """The arrays for so many episodes of so many rows."""
    return Sights(
        np.zeros((episodes, rows, len(ROWS)), np.float32),
        np.zeros((episodes, len(CONTEXT)), np.float32),
        np.zeros((episodes, rows), np.bool_),
    )


@compiled
def _take_turns(
    sites: Sites, worlds: World, seeds: NDArray[np.int64], jobs: NDArray[Any], counts: NDArray[np.int64], states: State,
    seen: Seen, actions: NDArray[np.int64], sights: Sights,
) -> None:  # fmt: skip
    """Take a turn in every episode that is not over and look at the next; arrays are those of one, stacked."""
    for number in range(counts.size):
        if actions[number] != FIRST and states.tally[number, 0].asked < 0:
            continue
        world = World(
            worlds.bad[number], worlds.extra_ms[number], worlds.down[number], seeds[number], worlds.fails,
            worlds.jitter_chance, worlds.jitter_min_ms, worlds.jitter_max_ms,
        )  # fmt: skip
        count = counts[number]
        state = State(
            states.progress[number, :count], states.tally[number], states.heap_ms[number], states.heap_rank[number],
            states.free[number], states.coming[number], states.shown[number], states.sent[number],
            states.shown_down[number], states.shown_end_ms[number], states.busy_ms[number], states.waiting[number],
            states.measured[number], states.mask[number],
        )  # fmt: skip
        take_turn(sites, world, jobs[number, :count], state, seen, actions[number])
        if state.tally[0].asked >= 0:
            here = sights.rows[number], sights.context[number], sights.may[number]
            see(seen.sites, seen.job, seen.queue, state.mask, *here)


class Batch:
    """Episodes of a region's split under a scenario, side by side.

    Args:
        region: Where.
        scenario: How network and load behave.
        split: Whose users.
        sights: Of its episodes; written.

    Raises:
        EdgeBenchError: No split bears the name.
    """

    def __init__(self, region: Region, scenario: Scenario, split: str, sights: Sights) -> None:
        self._generator = Generator(region, scenario, split)
        self.sites, self._sights = self._generator.sites, sights
        self._seen = new_seen(self.sites.capacity.shape[0])

    def begin(self, episodes: Sequence[tuple[int, int]]) -> None:
        """Begin the episodes of these windows and scenario seeds."""
        drawn = [self._generator.jobs(*episode) for episode in episodes]
        self._counts = np.array([jobs.size for jobs in drawn], np.int64)
        self.jobs = np.zeros((len(drawn), self._counts.max()), JOB)
        for row, jobs in enumerate(drawn):
            self.jobs[row, : jobs.size] = jobs
        self._seeds = np.array([seed for _, seed in episodes], np.int64)
        self._worlds = _stacked([self._generator.world(seed) for _, seed in episodes])
        blank = new_state(self.sites, self.jobs.shape[1])
        self.states = State(*(np.repeat(array[None], len(drawn), axis=0) for array in blank))
        self.step(np.full(len(drawn), FIRST))

    def step(self, actions: NDArray[np.int64]) -> None:
        """Decide in every episode that is not over, (E,), and go on to its next decision."""
        episodes = self._worlds, self._seeds, self.jobs, self._counts, self.states
        _take_turns(self.sites, *episodes, self._seen, actions, self._sights)

    @property
    def tally(self) -> NDArray[Any]:
        """Of every episode, (E,) of `edgebench.tracks.allocate.state.TALLY`."""
        return np.asarray(self.states.tally[:, 0])

    def ended(self, row: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Jobs of an episode and what became of them, both (J,)."""
        count = self._counts[row]
        return self.jobs[row, :count], self.states.progress[row, :count]

    def metrics(self, row: int) -> dict[str, float]:
        """The figures of an episode that is over (`edgebench.tracks.allocate.metrics`)."""
        jobs, progress = self.ended(row)
        state = State(*(array[row] for array in self.states))._replace(progress=progress)
        return episode_metrics(self.sites, jobs, state)


def _stacked(worlds: Sequence[World]) -> World:
    """Worlds of one scenario as one whose arrays have the episode before all else; its seed is the first one's."""
    return worlds[0]._replace(
        bad=np.stack([world.bad for world in worlds]),
        extra_ms=np.stack([world.extra_ms for world in worlds]),
        down=np.stack([world.down for world in worlds]),
    )
