"""What a trained policy earns on a few `val` episodes, beside random-valid: the other examples end with it."""

from collections.abc import Callable
from statistics import fmean
from typing import Any

import gymnasium

from edgebench.harness.rollout import fixed_episodes, roll
from reference_agents.route.random_valid import Agent as RandomValid


class Trained:
    """A policy as an agent: `act(observation)` alone."""

    def __init__(self, act: Callable[[dict[str, Any]], int]) -> None:
        self.act = act

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing is remembered between episodes."""


def mean_utility(env: gymnasium.Env[Any, Any], agent: Any, episodes: int) -> float:
    """Mean utility of a task over the first `episodes` windows, scenario seed 0."""
    return fmean(figures["utility"] for figures in roll(env, agent, fixed_episodes(episodes, 1)))


def print_beside_random(region: str, act: Callable[[dict[str, Any]], int], *, episodes: int = 4) -> None:
    """Print the mean utility of `act` and of random-valid on the same episodes of the `val` split."""
    with gymnasium.make(f"edgebench:EdgeBench/Route-{region.upper()}-v0", split="val") as env:
        print(f"{region}, {episodes} val episodes, mean utility of a task")
        print(f"  trained       {mean_utility(env, Trained(act), episodes):.4f}")
        print(f"  random-valid  {mean_utility(env, RandomValid(), episodes):.4f}")
