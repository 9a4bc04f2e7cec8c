"""VAMAPPO's single-agent environment: loads, reward and two policies, from its published code.

An episode is one task of five stages. The network between the servers plays no part; the reward weighs a model's arena
score against a mixed, unit-less time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.compat.data import LegacyData

START_LOAD: Final = (0.1, 0.3)
"""A server's load at the start of an episode, uniform."""
MOST_LOAD: Final = 0.8
"""A server above this load takes no stage."""
INVALID_REWARD: Final = 1.0
"""What the environment pays for an invalid action, which also ends the episode."""
EARTH_KM: Final = 6371.0
"""Radius in its haversine formula."""

Floats = NDArray[np.float64]
Policy = Callable[[Floats, np.random.Generator], int]
"""Given the rewards of the valid instances, which to take."""


def distance_km(lat: float, lon: float, lats: Floats, lons: Floats) -> Floats:
    """Great-circle distance in km from one position to many, in degrees."""
    phi, others = np.radians(lat), np.radians(lats)
    chord = np.sin((others - phi) / 2) ** 2 + np.cos(phi) * np.cos(others) * np.sin(np.radians(lons - lon) / 2) ** 2
    return np.asarray(2.0 * EARTH_KM * np.arcsin(np.sqrt(chord)))


def stage_time(size: float, compute: Floats, score: Floats, km: Floats) -> Floats:
    """T = size/C + 2 (1 - score) + 0.1 km + 0.01 size, of no unit."""
    return size / compute + 2.0 * (1.0 - score) + 0.1 * km + 0.01 * size


def stage_reward(quality_weight: float, speed_weight: float, score: Floats, time: Floats) -> Floats:
    """r = w1 q + w2 s with q the arena score and s = max(0.1, 1 - T/1000)."""
    return quality_weight * score + speed_weight * np.maximum(0.1, 1.0 - time / 1000.0)


def load_after(load: float, size: float, compute: float, *, last: bool) -> float:
    """A server's compute load after a stage: plus 0.1 size/C, then times 0.9 unless it was the task's last stage."""
    return (load + 0.1 * size / compute) * (1.0 if last else 0.9)


def greedy(rewards: Floats, _generator: np.random.Generator) -> int:
    """The valid instance with the highest reward."""
    return int(np.argmax(rewards))


def random_valid(rewards: Floats, generator: np.random.Generator) -> int:
    """Any valid instance, all equally likely."""
    return int(generator.integers(len(rewards)))


POLICIES: Final[dict[str, Policy]] = {"greedy-reward": greedy, "random-valid": random_valid}


@dataclass(frozen=True)
class Score:
    """Means over the tasks.

    Attributes:
        policy: One of `POLICIES`.
        tasks: How many were played, each once.
        episode_return: Sum of the rewards as published, `INVALID_REWARD` for a stage that no instance can take.
        earned: The same without what failures pay.
        success: Share of the tasks whose every stage ran.
    """

    policy: str
    tasks: int
    episode_return: float
    earned: float
    success: float


def score(data: LegacyData, policy: str, generator: np.random.Generator, split: str = "test") -> Score:
    """Play every task of `split` once, in order, with one of `POLICIES`.

    A task that finds no valid instance ends there with an invalid action.
    """
    tasks = data.tasks.filter(data.tasks["split"] == split)
    played = [_play(data, task, POLICIES[policy], generator) for task in tasks.iter_rows(named=True)]
    earned, success = np.array(played, np.float64).T.mean(axis=1)
    return Score(policy, tasks.height, float(earned + (1.0 - success) * INVALID_REWARD), float(earned), float(success))


def _play(data: LegacyData, task: dict[str, Any], policy: Policy, generator: np.random.Generator) -> tuple[float, bool]:
    """What one task earns, and whether it ended well."""
    compute, hosts, types = data.column("servers", "compute"), data.hosts(), data.column("models", "type")
    load = generator.uniform(*START_LOAD, len(compute))
    rewards = _rewards(data, task, compute[hosts], hosts)
    earned = 0.0
    for stages_left, wanted in zip(range(len(task["route"]), 0, -1), task["route"], strict=True):
        valid = np.flatnonzero((types == wanted) & (load[hosts] <= MOST_LOAD))
        if not valid.size:
            return earned, False
        chosen = valid[policy(rewards[valid], generator)]
        earned += float(rewards[chosen])
        server = hosts[chosen]
        load[server] = load_after(load[server], task["size"], compute[server], last=stages_left == 1)
    return earned, True


def _rewards(data: LegacyData, task: dict[str, Any], compute: Floats, hosts: NDArray[np.int64]) -> Floats:
    """The reward of the task on every instance, the same at each of its stages."""
    lats, lons = data.column("servers", "lat")[hosts], data.column("servers", "lon")[hosts]
    scores = data.column("models", "score")
    time = stage_time(task["size"], compute, scores, distance_km(task["lat"], task["lon"], lats, lons))
    return stage_reward(task["quality_weight"], task["speed_weight"], scores, time)
