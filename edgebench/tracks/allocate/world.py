"""Allocate as a world to learn in: one job's turn after another, and what becomes of each job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.learning.seen import CHOICE, Form, Ground, Seen, ground_of
from edgebench.learning.sight import Decide
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.tracks.allocate.batch import Batch, new_sights
from edgebench.tracks.allocate.constants import LATENCY_WEIGHT, POINTS, VIOLATION_WEIGHT
from edgebench.tracks.allocate.sight import CONTEXT, LOAD, ROWS, see
from edgebench.tracks.allocate.state import DONE, POINTS_IMBALANCE, POINTS_WASTE

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

    Raises:
        EdgeBenchError: Unknown scenario or split.
    """

    form: Final = FORM
    streams: int

    def __init__(self, regions: Sequence[Region], *, scenario: str, split: str, each: int) -> None:
        self.count, self._each = len(regions) * each, each
        self.grounds: tuple[Ground, ...] = tuple(ground_of(region.name, region.public()) for region in regions)
        nodes = [len(region.public()["nodes.node_id"]) for region in regions]
        self._sights = new_sights(self.count, 1 + max(nodes))
        self._batches = [
            Batch(region, find_scenario(scenario), split, self._sights.of(here))
            for region, here in zip(regions, self._places(), strict=True)
        ]
        self._nodes = np.repeat([nodes_of(count, 1 + max(nodes)) for count in nodes], each, axis=0)
        self.streams = 1

    def begin(self, episodes: Sequence[tuple[int, int]], *, credited: bool = True) -> None:
        """See `edgebench.learning.world.World`."""
        for batch in self._batches:
            batch.begin(episodes)
        self.streams = max(batch.jobs.shape[1] for batch in self._batches)
        self._turns: list[_Turns] = []
        self._small = np.zeros(self.count)

    def seen(self) -> Seen:
        """See `edgebench.learning.world.World`."""
        asked = self._of("asked")
        self._live = live = np.flatnonzero(asked >= 0)
        sights, nothing = self._sights, np.zeros((live.size, 0), np.float32)
        shown = sights.rows[live], sights.context[live], sights.may[live]
        return Seen(*shown, nothing, self._nodes[live], live // self._each, live, asked[live])

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """See `edgebench.learning.world.World`; what becomes of the jobs is entered later."""
        live, every = self._live, np.zeros(self.count, np.int64)
        asked, now_ms = self._of("asked")[live], self._of("now_ms")[live]
        every[live] = actions  # what is no site's row lets the job wait
        for batch, here in zip(self._batches, self._places(), strict=True):
            batch.step(every[here])
        small = self._of("points")[:, [POINTS_IMBALANCE, POINTS_WASTE]].sum(axis=1)
        brought: NDArray[np.float64] = (self._small - small)[live][:, None]
        self._small = small
        self._turns.append(_Turns(live, asked, now_ms, brought))
        if (self._of("asked") < 0).all():
            self._settle()
        return brought

    def scores(self) -> NDArray[np.float64]:
        """The completion of every episode."""
        rows = range(self._each)
        return np.array([batch.metrics(row)["completion"] for batch in self._batches for row in rows])

    def _places(self) -> list[slice]:
        """Where the episodes of each region stand among all."""
        return [slice(begin, begin + self._each) for begin in range(0, self.count, self._each)]

    def _of(self, entry: str) -> NDArray[Any]:
        """An entry of every episode's tally."""
        return np.concatenate([batch.tally[entry] for batch in self._batches])

    def _settle(self) -> None:
        """Enter what every job brought with the last decision about it, or the last one before it expired."""
        episode, asked, now_ms = (np.concatenate(parts) for parts in list(zip(*self._turns, strict=True))[:3])
        entries = np.concatenate([turn.brought for turn in self._turns])
        for number in range(self.count):
            own = np.flatnonzero(episode == number)
            jobs, progress = self._batches[number // self._each].ended(number % self._each)
            entry = np.maximum(np.searchsorted(now_ms[own], jobs["latest_ms"], side="right") - 1, 0)
            entry[asked[own]] = np.arange(own.size)
            np.add.at(entries[:, 0], own[entry], points_of(jobs, progress))
        ends = np.cumsum([len(turn.brought) for turn in self._turns])
        for turn, end in zip(self._turns, ends, strict=True):
            turn.brought[:] = entries[end - len(turn.brought) : end]


class _Turns(NamedTuple):
    """A decision in each of d episodes."""

    episode: NDArray[np.int64]  # (d,)
    asked: NDArray[np.int64]  # (d,) the job
    now_ms: NDArray[np.float64]  # (d,)
    brought: NDArray[np.float64]  # (d, 1) as `step` gave it


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
