"""Episodes of a trusted agent in this process: for references, the gate and searches. Never for submissions."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import gymnasium

from edgebench.region import Region
from edgebench.sim import counter

_AGENT_STREAM = 7


def fixed_episodes(windows: int, seeds: int) -> list[tuple[int, int]]:
    """The evaluation episodes of a split as (window, scenario seed), in the order of their numbers."""
    return [(window, seed) for window in range(windows) for seed in range(seeds)]


def agent_seed(window: int, seed: int) -> int:
    """The seed an agent is given for its own draws in an episode, below 2^31."""
    return int(counter.bits(seed, _AGENT_STREAM, window, 0)) >> 33


def reset_info(region: Region, *, track: str, scenario: str, split: str, window: int, seed: int) -> dict[str, Any]:
    """What an agent is told when an episode begins: names, a seed of its own, and the network without trap labels."""
    return {
        "track": track,
        "region": region.name,
        "edition": region.edition,
        "scenario": scenario,
        "split": split,
        "seed": agent_seed(window, seed),
        "topology": region.public(),
    }


def takes_info(act: Any) -> bool:
    """Whether an agent's `act` wants the step's info beside the observation."""
    return len(inspect.signature(act).parameters) > 1


def decide(agent: Any, observation: dict[str, Any], info: dict[str, Any]) -> Any:
    """An agent's action, whether or not its `act` wants the info."""
    return agent.act(observation, info) if takes_info(agent.act) else agent.act(observation)


def roll(env: gymnasium.Env[Any, Any], agent: Any, episodes: Iterable[tuple[int, int]]) -> Iterator[dict[str, float]]:
    """Run `agent` in this process; yields the metrics of each episode (window, scenario seed)."""
    face: Any = env.unwrapped
    with_info = takes_info(agent.act)
    for window, seed in episodes:
        names = {"track": face.track, "scenario": face.scenario.name, "split": face.split}
        agent.reset(reset_info(face.region, window=window, seed=seed, **names))
        observation, info = env.reset(options={"window": window, "seed": seed})
        over = False
        while not over:
            action = agent.act(observation, info) if with_info else agent.act(observation)
            observation, _, terminated, truncated, info = env.step(action)
            over = terminated or truncated
        yield face.summary()
