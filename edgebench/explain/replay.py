"""A run played again, and a heuristic on the same episodes, to see where each loses.

The run's folder holds the figures of its episodes alone; what every task met stands in the simulation, so the agent
plays once more, in its own process as ever, and every episode must come out as the run says.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError
from edgebench.explain.losses import Losses
from edgebench.harness.episodes import EpisodeKey, run_episode
from edgebench.harness.process import AgentProcess
from edgebench.harness.rollout import roll
from edgebench.harness.run import Stage
from edgebench.leaderboard.rerun import Submission, agent_of, stages_again
from edgebench.registry import track as find_track
from edgebench.track import Track, named

FAILED: Final = "failed episode"
"""The part that holds all of an episode in which the agent failed."""
OnEpisode = Callable[[str, int, int], None]
"""Told of every episode played: its region, how many are done, of how many."""


@dataclass(frozen=True)
class Explanation:
    """Where two agents lose on the same E episodes, in P parts.

    Attributes:
        track: The decision problem.
        conditions: Scenario, split and edition in words.
        losses: What the track tells of its parts.
        parts: Their names, and `FAILED`.
        keys: The episodes; those of a region stand together.
        agents: The run's agent and the heuristic beside it.
        lost: (2, E, P) what each agent loses to each part in each episode.
        left_out: Failed episodes that have no such sum, and are not among these.
    """

    track: str
    conditions: str
    losses: Losses
    parts: tuple[str, ...]
    keys: Sequence[EpisodeKey]
    agents: tuple[str, str]
    lost: NDArray[np.float64]
    left_out: int

    def means(self, region: str = "") -> NDArray[np.float64]:
        """Mean loss of each agent to each part, (2, P), over the episodes of a region or over all."""
        chosen = [place for place, key in enumerate(self.keys) if region in ("", key.region)]
        return np.asarray(self.lost[:, chosen].mean(axis=1))

    @property
    def regions(self) -> list[str]:
        """The regions, in order."""
        return list(dict.fromkeys(key.region for key in self.keys))

    def meaning(self, part: str) -> str:
        """What a part is."""
        return "episodes that the agent did not play to their end" if part == FAILED else self.losses.parts[part]


def explain(submission: Submission, on_episode: OnEpisode = lambda region, done, total: None) -> Explanation:
    """Play a finished run again, and the track's guide beside it.

    Args:
        submission: The run, as `edgebench.leaderboard.rerun.read_submission` gives it.
        on_episode: Told of every episode played.

    Raises:
        EdgeBenchError: The run cannot be played again here or comes out otherwise, its track does not tell its losses,
            or not one episode is left to explain.
    """
    where = str(submission.folder)
    track = find_track(submission.manifest["track"])
    if not track.losses or not track.guide:
        raise EdgeBenchError(f"the track {track.name} does not tell where {track.metric} is lost", where=where)
    losses: Losses = named(track.losses)
    stages = stages_again(submission)
    played = _Played(submission, track, losses, 2 * sum(len(stage.episodes) for stage in stages), on_episode)
    with AgentProcess(agent_of(submission), submission.budgets) as process:
        for stage in stages:
            played.play_stage(stage, process)
    manifest = submission.manifest
    if not played.keys:
        raise EdgeBenchError("the agent failed in every episode", where=where, mend="see the column detail")
    return Explanation(
        track.name,
        f"{manifest['scenario']}, {manifest['split']}, edition {manifest['edition']}",
        losses,
        played.parts,
        played.keys,
        (manifest["agent"]["name"], track.guide),
        np.array([played.of_agent, played.of_guide]),
        played.left_out,
    )


class _Played:
    """Gathers what both agents lose, stage by stage."""

    def __init__(self, submission: Submission, track: Track, losses: Losses, total: int, on_episode: OnEpisode) -> None:
        self._submission, self._track, self._losses = submission, track, losses
        self._done, self._total, self._on_episode = 0, total, on_episode
        self.parts = (*losses.parts, FAILED)
        self.keys: list[EpisodeKey] = []
        self.of_agent: list[list[float]] = []
        self.of_guide: list[list[float]] = []
        self.left_out = 0

    def play_stage(self, stage: Stage, process: AgentProcess) -> None:
        """The episodes of a region."""
        kept = []
        for _, window, seed in stage.episodes:
            lost = self._agent_loses(stage, process, window, seed)
            if math.isfinite(sum(lost)):
                kept.append((window, seed))
                self.keys.append(stage.setting.key(window, seed))
                self.of_agent.append(lost)
            self._count(stage)
        self.left_out += len(stage.episodes) - len(kept)
        for _ in roll(stage.env, _guide(self._track), kept):
            self.of_guide.append(self._row(stage))
            self._count(stage)

    def _agent_loses(self, stage: Stage, process: AgentProcess, window: int, seed: int) -> list[float]:
        key, metric = stage.setting.key(window, seed), self._track.metric
        row = self._submission.rows.get(key)
        if row is None:
            raise EdgeBenchError("the run lacks an episode", where=_words(key), mend="finish it with edgebench eval")
        if row["status"] != "ok":
            return [*(0.0 for _ in self._losses.parts), self._losses.of_metric(self._track.floor)]
        result = run_episode(stage.env, process, stage.setting, window=window, seed=seed)
        if result.metrics[metric] != float(row[metric]):
            now = result.detail or result.metrics[metric]
            what = f"the episode came out otherwise: {metric} was {row[metric]}, now {now}"
            raise EdgeBenchError(
                what, where=_words(key), mend="evaluate the agent again; edgebench verify compares all"
            )
        return self._row(stage)

    def _row(self, stage: Stage) -> list[float]:
        face: Any = stage.env.unwrapped
        parts = self._losses.of_episode(face.simulation)
        return [*(parts[name] for name in self._losses.parts), 0.0]

    def _count(self, stage: Stage) -> None:
        self._done += 1
        self._on_episode(stage.setting.region.name, self._done, self._total)


def _words(key: EpisodeKey) -> str:
    return f"{key.region}, window {key.window}, seed {key.seed}"


def _guide(track: Track) -> Any:
    return importlib.import_module(f"{track.agents}.{track.guide.replace('-', '_')}").Agent()
