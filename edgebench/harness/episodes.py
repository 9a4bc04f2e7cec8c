"""One episode: an environment here, an agent in its own process, a result whatever the agent does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import gymnasium

from edgebench.errors import EdgeBenchError
from edgebench.harness.actions import action_form, action_problem
from edgebench.harness.process import AgentFailure, AgentProcess, Budgets
from edgebench.harness.rollout import reset_info
from edgebench.region import Region
from edgebench.registry import track as find_track
from edgebench.track import Track

STATUSES: Final = ("ok", "invalid", "error", "timeout")
"""How an episode can end; there is no other way."""
_PATIENCE_S: Final = 600.0
"""For compiling."""


@dataclass(frozen=True, order=True)
class EpisodeKey:
    """Which episode: rows are joined and sorted on this."""

    region: str
    scenario: str
    window: int
    seed: int


@dataclass(frozen=True)
class EpisodeResult:
    """What came of an episode.

    Attributes:
        key: Which episode.
        status: One of `STATUSES`.
        detail: One short line on what went wrong, "" where nothing did.
        metrics: A value for each of the track's figures; None for all but the floors of a failed episode.
        log: The end of the agent's output where it failed.
    """

    key: EpisodeKey
    status: str
    detail: str
    metrics: Mapping[str, float | None]
    log: str = ""


@dataclass(frozen=True)
class Setting:
    """What the episodes of one region share."""

    region: Region
    track: str
    scenario: str
    split: str

    def key(self, window: int, seed: int) -> EpisodeKey:
        """The key of one episode of this setting."""
        return EpisodeKey(self.region.name, self.scenario, window, seed)


def run_episode(
    env: gymnasium.Env[Any, Any], agent: AgentProcess, setting: Setting, *, window: int, seed: int
) -> EpisodeResult:
    """Play window `window` of the split under scenario seed `seed`.

    An agent that fails is killed, the episode scores the track's floor, and the next one gets a fresh process.

    Raises:
        EdgeBenchError: The environment's own figures are incomplete or not finite.
    """
    key = setting.key(window, seed)
    if not agent.rehearsed:
        agent.rehearsed = True
        _rehearse(env, agent, setting, key)
    try:
        metrics = _play(env, agent, setting, key)
    except AgentFailure as failure:
        agent.stop()
        track = find_track(setting.track)
        floor: dict[str, float | None] = dict.fromkeys(figure.name for figure in track.figures)
        floor |= track.floors
        return EpisodeResult(key, failure.status, failure.detail, floor, failure.log)
    return EpisodeResult(key, "ok", "", metrics)


def _rehearse(env: gymnasium.Env[Any, Any], agent: AgentProcess, setting: Setting, key: EpisodeKey) -> None:
    """Let a checkpoint make one decision that does not count, without a budget, in a process of its own.

    What it sees by is EdgeBench's own code, compiled where this machine has not done so yet and kept: within its first
    decisions that would cost it their episodes.
    """
    patient = Budgets(decision_cpu_s=_PATIENCE_S, decision_wall_s=_PATIENCE_S, startup_wall_s=_PATIENCE_S)
    observation, info = env.reset(options={"window": key.window, "seed": key.seed})
    # A checkpoint that fails fails in its episodes too, where that is counted.
    with AgentProcess(agent.source, patient, agent.limits) as process, suppress(AgentFailure):
        process.reset(_told(setting, key), action_form(env.action_space))
        process.act(observation, info)


def _told(setting: Setting, key: EpisodeKey) -> dict[str, Any]:
    place = {"track": setting.track, "scenario": setting.scenario, "split": setting.split}
    return reset_info(setting.region, window=key.window, seed=key.seed, **place)


def _play(env: gymnasium.Env[Any, Any], agent: AgentProcess, setting: Setting, key: EpisodeKey) -> dict[str, float]:
    observation, info = env.reset(options={"window": key.window, "seed": key.seed})
    agent.reset(_told(setting, key), action_form(env.action_space))
    cpu_ms: list[float] = []
    over = False
    while not over:
        decision = agent.act(observation, info)
        problem = action_problem(env.action_space, observation["action_mask"], decision.action)
        if problem is not None:
            raise AgentFailure("invalid", problem)
        cpu_ms.append(decision.cpu_ms)
        observation, _, terminated, truncated, info = env.step(decision.action)
        over = terminated or truncated
    face: Any = env.unwrapped
    figures = face.summary() | {"decision_cpu_ms": math.fsum(cpu_ms) / len(cpu_ms)}
    return _complete(figures, find_track(setting.track), key)


def _complete(figures: Mapping[str, float], track: Track, key: EpisodeKey) -> dict[str, float]:
    names = [figure.name for figure in track.figures]
    wrong = [name for name in names if not math.isfinite(figures.get(name, math.nan))]
    if wrong:
        raise EdgeBenchError(
            f"the environment gave no finite {', '.join(wrong)}", where=str(key), mend="report it: this is a defect"
        )
    return {name: float(figures[name]) for name in names}
