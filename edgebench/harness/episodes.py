"""One episode: an environment here, an agent in its own process, a result whatever the agent does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import gymnasium

from edgebench.errors import EdgeBenchError
from edgebench.harness.process import AgentFailure, AgentProcess
from edgebench.harness.rollout import reset_info
from edgebench.region import Region
from edgebench.registry import TRACKS

STATUSES: Final = ("ok", "invalid", "error", "timeout")
"""How an episode can end; there is no other way."""
METRICS: Final = (
    "utility",
    "reward",
    "success",
    "quality",
    "latency_mean_ms",
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "cost_usd",
    "trap_hits",
    "network_ms",
    "trap_ms",
    "queueing_ms",
    "loading_ms",
    "service_ms",
    "jain",
    "decisions",
    "decision_cpu_ms",
)
"""Figures of an episode; `decision_cpu_ms` is the mean CPU time of a decision, the others are the environment's."""


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
        metrics: A value for each of `METRICS`; None for all but the floors of a failed episode.
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
    try:
        metrics = _play(env, agent, setting, key)
    except AgentFailure as failure:
        agent.stop()
        floor: dict[str, float | None] = dict.fromkeys(METRICS)
        floor |= {TRACKS[setting.track].metric: TRACKS[setting.track].floor, "success": 0.0}
        return EpisodeResult(key, failure.status, failure.detail, floor, failure.log)
    return EpisodeResult(key, "ok", "", metrics)


def _play(env: gymnasium.Env[Any, Any], agent: AgentProcess, setting: Setting, key: EpisodeKey) -> dict[str, float]:
    place = {"track": setting.track, "scenario": setting.scenario, "split": setting.split}
    observation, info = env.reset(options={"window": key.window, "seed": key.seed})
    agent.reset(reset_info(setting.region, window=key.window, seed=key.seed, **place))
    cpu_ms: list[float] = []
    over = False
    while not over:
        decision = agent.act(observation, info)
        _check_action(decision.action, observation["action_mask"])
        cpu_ms.append(decision.cpu_ms)
        observation, _, terminated, truncated, info = env.step(decision.action)
        over = terminated or truncated
    face: Any = env.unwrapped
    return _complete(face.summary() | {"decision_cpu_ms": math.fsum(cpu_ms) / len(cpu_ms)}, key)


def _check_action(action: int, mask: Any) -> None:
    if not 0 <= action < len(mask):
        raise AgentFailure("invalid", f"action {action} is outside 0 … {len(mask) - 1}")
    if not mask[action]:
        raise AgentFailure("invalid", f"action {action} is masked out: no candidate is there")


def _complete(figures: Mapping[str, float], key: EpisodeKey) -> dict[str, float]:
    wrong = [name for name in METRICS if not math.isfinite(figures.get(name, math.nan))]
    if wrong:
        raise EdgeBenchError(
            f"the environment gave no finite {', '.join(wrong)}", where=str(key), mend="report it: this is a defect"
        )
    return {name: float(figures[name]) for name in METRICS}
