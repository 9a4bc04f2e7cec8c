"""Allocate as a world to learn in: one job's turn after another, and what becomes of each job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.learning.seen import CHOICE, Form, Ground, Seen, ground_of
from edgebench.learning.sight import Decide
from edgebench.learning.world import episode_seed
from edgebench.pinning import Pinning
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.tracks.allocate.constants import LATENCY_WEIGHT, POINTS, VIOLATION_WEIGHT
from edgebench.tracks.allocate.sight import CONTEXT, LOAD, ROWS, see
from edgebench.tracks.allocate.simulation import Simulation
from edgebench.tracks.allocate.state import DONE, POINTS_IMBALANCE, POINTS_WASTE

Entry = NDArray[np.float64]
FORM: Final = Form(rows=ROWS, context=CONTEXT, action=CHOICE, prior="appeal", load=LOAD)


class AllocateWorld:
    """Episodes of `edgebench.tracks.allocate.env.AllocateEnv`; a stream is a job.

    Rows are as many as the largest region's sites and one more, the last, to wait. What a job earns or costs when it
    has ended is entered with the last decision about it, in the array that `step` gave for that: arrays are complete
    when the episodes are over. What is no job's own (small terms, and jobs that were never decided on) is entered with
    the decision before it arose. The rewards of an episode sum to those of the environment.

    Args:
        regions: Whose episodes.
        scenario: How the network behaves.
        split: Whose users.
        each: Episodes at once of every region.
        seed: From which episodes are drawn.

    Raises:
        EdgeBenchError: Unknown scenario or split.
    """

    form: Final = FORM
    streams: int

    def __init__(self, regions: Sequence[Region], *, scenario: str, split: str, each: int, seed: int) -> None:
        self.count, self._each = len(regions) * each, each
        self.grounds: tuple[Ground, ...] = tuple(ground_of(region.name, region.public()) for region in regions)
        self._plays = [
            _Play(
                Simulation(region, find_scenario(scenario), split),
                Pinning(region, split, episode_seed(seed, number, row)),
            )
            for number, region in enumerate(regions)
            for row in range(each)
        ]
        self._most = 1 + max(play.simulation.nodes for play in self._plays)
        self._rows = np.zeros((self.count, self._most, len(ROWS)), np.float32)
        self._context = np.zeros((self.count, len(CONTEXT)), np.float32)
        self._may = np.zeros((self.count, self._most), np.bool_)
        self._nodes = np.stack([nodes_of(play.simulation.nodes, self._most) for play in self._plays])
        self.streams = 1

    def begin(self, pinned: Sequence[tuple[int, int]] | None = None) -> None:
        """See `edgebench.learning.world.World`."""
        for number, play in enumerate(self._plays):
            play.begin(None if pinned is None else pinned[number % self._each])
        self.streams = max(play.simulation.jobs.size for play in self._plays)

    def seen(self) -> Seen:
        """See `edgebench.learning.world.World`."""
        self._live = np.flatnonzero([play.simulation.asked >= 0 for play in self._plays])
        for number in self._live:
            simulation = self._plays[number].simulation
            observed = simulation.seen
            here = self._rows[number], self._context[number], self._may[number]
            see(observed.sites, observed.job, observed.queue, simulation.state.mask, *here)
        live = self._live
        return Seen(
            self._rows[live],
            self._context[live],
            self._may[live],
            np.zeros((live.size, 0), np.float32),
            self._nodes[live],
            live // self._each,
            live,
            np.array([self._plays[number].simulation.asked for number in live], np.int64),
        )

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """See `edgebench.learning.world.World`; what becomes of the jobs is entered later."""
        brought = np.zeros((self._live.size, 1))
        for row, number in enumerate(self._live):
            self._plays[number].step(int(actions[row]), brought[row])  # what is no site's row lets the job wait
        return brought

    def scores(self) -> NDArray[np.float64]:
        """The completion of every episode."""
        return np.asarray([play.simulation.metrics()["completion"] for play in self._plays])


class _Play:
    """One episode after another, and which decisions were about which job."""

    def __init__(self, simulation: Simulation, draws: Pinning) -> None:
        self.simulation, self._draws = simulation, draws

    def begin(self, pinned: tuple[int, int] | None) -> None:
        """Begin an episode."""
        self.simulation.start(*(self._draws.begin(None, None) if pinned is None else pinned))
        self._asked: list[int] = []
        self._times_ms: list[float] = []
        self._entries: list[Entry] = []
        self._small = 0.0

    def step(self, action: int, brought: Entry) -> None:
        """Decide on the job that is asked about; `brought`, (1,), is the entry of this decision."""
        simulation = self.simulation
        self._asked.append(simulation.asked)
        self._times_ms.append(float(simulation.state.tally["now_ms"][0]))
        self._entries.append(brought)
        simulation.step(action)
        small = float(simulation.state.tally["points"][0, [POINTS_IMBALANCE, POINTS_WASTE]].sum())
        brought[0] -= small - self._small
        self._small = small
        if simulation.asked < 0:
            self._settle()

    def _settle(self) -> None:
        """Enter what every job brought with the last decision about it, or the last one before it expired."""
        jobs = self.simulation.jobs
        before = np.searchsorted(self._times_ms, jobs["latest_ms"], side="right") - 1
        entry = np.maximum(before, 0)
        entry[self._asked] = np.arange(len(self._asked))
        for number, brought in enumerate(points_of(jobs, self.simulation.state.progress)):
            self._entries[entry[number]][0] += brought


def points_of(jobs: NDArray[Any], progress: NDArray[Any]) -> NDArray[np.float64]:
    """What each job brought when all have ended, (J,): its share of the points less its latency's, or what it costs."""
    worth = POINTS * jobs["priority"] / jobs["priority"].sum()
    waited = progress["held_ms"] + progress["transfer_ms"] - jobs["arrival_ms"]
    latency = waited / (jobs["latest_ms"] + jobs["duration_ms"] - jobs["arrival_ms"])
    done = worth - POINTS * LATENCY_WEIGHT / jobs.size * latency
    return np.asarray(np.where(progress["status"] == DONE, done, -VIOLATION_WEIGHT * worth), np.float64)


class Sight:
    """What learning sees of an observation of `edgebench.tracks.allocate.env.AllocateEnv`.

    Args:
        public: Of the region (`edgebench.region.Region.public`).
    """

    form: Final = FORM

    def __init__(self, public: dict[str, NDArray[Any]]) -> None:
        self._nodes = nodes_of(len(public["nodes.node_id"]), 1 + len(public["nodes.node_id"]))

    def begin(self, info: dict[str, Any]) -> None:
        """Begin an episode; nothing of it has to be remembered."""

    def decide(self, observation: dict[str, Any], info: dict[str, Any], decide: Decide) -> int:
        """The site, or the deferral."""
        return int(decide(self.seen(observation, info))[0])

    def seen(self, observation: dict[str, Any], info: dict[str, Any]) -> Seen:
        """The decision, as the world shows it."""
        most = self._nodes.size
        rows, may = np.zeros((1, most, len(ROWS)), np.float32), np.zeros((1, most), np.bool_)
        context = np.zeros((1, len(CONTEXT)), np.float32)
        sites, job, queue, mask = (observation[name] for name in ("sites", "job", "queue", "action_mask"))
        see(sites, job, queue, mask, rows[0], context[0], may[0])
        none, stream = np.zeros(1, np.int64), np.array([info["job"]], np.int64)
        return Seen(rows, context, may, np.zeros((1, 0), np.float32), self._nodes[None], none, none, stream)


def nodes_of(sites: int, rows: int) -> NDArray[np.int32]:
    """The node of each row, (rows,), -1 of the row that waits and of those without a site."""
    return np.where(np.arange(rows) < sites, np.arange(rows), -1).astype(np.int32)
