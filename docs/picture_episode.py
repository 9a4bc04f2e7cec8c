"""What the pictures of docs/concepts.md tell: the decisions of one episode, and what became of a task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import COST_REF_USD, COST_WEIGHT, FAIL_FACTOR
from edgebench.envs import make_env
from edgebench.harness.rollout import decide, reset_info
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.show.episode import SPLIT, EpisodeName
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.simulation import Simulation

EPISODE: Final = EpisodeName("trap", seed=0, window=0)


class Decision(NamedTuple):
    """What an agent saw and what it answered."""

    number: int
    observation: dict[str, NDArray[Any]]
    info: dict[str, Any]
    action: Any


class Stage(NamedTuple):
    """One stage of a task, or its answer: when it was decided and what it took from there, by part."""

    begin_ms: float
    parts_ms: NDArray[np.float64]  # (6,) as `edgebench.tracks.route.state.PROGRESS` has them


class Story(NamedTuple):
    """What became of a task that was answered."""

    stages: list[Stage]  # the answer last
    progress: Any  # its record of `edgebench.tracks.route.state.PROGRESS` at the end
    task: Any  # its record of `TASK`


def decisions(region: Region, track: str, agent: Any) -> Iterator[Decision]:
    """The decisions of the episode, in turn."""
    scenario, seed, window = EPISODE
    env = make_env(track, region, scenario=scenario, split=SPLIT)
    agent.reset(reset_info(region, track=track, scenario=scenario, split=SPLIT, window=window, seed=seed))
    observation, info = env.reset(options={"window": window, "seed": seed})
    number, over = 0, False
    while not over:
        decision = Decision(number, observation, info, decide(agent, observation, info))
        yield decision
        observation, _, terminated, truncated, info = env.step(decision.action)
        number, over = number + 1, terminated or truncated


def actions_of(region: Region, agent: Any) -> list[int]:
    """What an agent of Route answers, decision by decision."""
    return [int(decision.action) for decision in decisions(region, "route", agent)]


def replay(region: Region, actions: Sequence[int]) -> Iterator[Simulation]:
    """The simulation of Route before every decision of the episode and at its end."""
    rules = make_rules(find_scenario(EPISODE.scenario).parameters())
    simulation = Simulation(region.topology(), region.task_arrays(SPLIT), rules)
    simulation.start(EPISODE.window, EPISODE.seed)
    for action in actions:
        yield simulation
        simulation.step(action)
    yield simulation


def story_of(region: Region, actions: Sequence[int], number: int) -> Story:
    """Follow a task whose stages are a chain: what its record gains from one of its decisions to the next."""
    begins, totals = [], []
    for simulation in replay(region, actions):
        progress = simulation.state.progress[number]
        if simulation.over or simulation.seen.place[1] == number:
            begins.append(float(progress["ready_ms"]))
            totals.append(progress["parts_ms"].copy())
    task = simulation.tasks[progress["row"]]
    gains = np.diff(totals, axis=0)
    gains[-1] -= (answer := _answer(simulation, progress, task))
    stages = [Stage(begin, parts) for begin, parts in zip(begins[:-1], gains, strict=True)]
    return Story([*stages, Stage(float(progress["done_ms"]), answer)], progress.copy(), task)


def _answer(simulation: Simulation, progress: Any, task: Any) -> NDArray[np.float64]:
    """The parts of the answer's way to the user."""
    path = simulation.topology.path[task["user_node"], progress["at_node"][task["stages"] - 1]]
    whole = progress["born_ms"] + progress["latency_ms"] - progress["done_ms"]
    sent = task["answer_mb"] * path["ms_per_mb"]
    return np.array([path["latency_ms"], sent, whole - path["latency_ms"] - sent, 0.0, 0.0, 0.0])


def utility_at(task: Any, quality: float, cost_usd: float, latency_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """`w_q · quality + w_s · max(0, 1 − T/deadline) − w_c · cost/cost_ref`, 0 beyond two deadlines."""
    speed = np.maximum(0.0, 1.0 - latency_ms / task["deadline_ms"])
    earned = task["quality_weight"] * quality + task["speed_weight"] * speed - COST_WEIGHT * cost_usd / COST_REF_USD
    return np.where(latency_ms > FAIL_FACTOR * task["deadline_ms"], 0.0, np.maximum(0.0, earned))
