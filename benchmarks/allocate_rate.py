"""Steps a second of Allocate-S1 on one core: the compiled core in a compiled loop, the Gymnasium and PettingZoo faces;
beside the 8,596 steps a second that Novacron's environment did once repaired (10 agents, its own observation).

Run: python benchmarks/allocate_rate.py
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common import machine

from builders.pipeline import build_region
from edgebench.region import load
from edgebench.registry import REGIONS, SCENARIOS
from edgebench.sim.compiled import compiled_in_place, part
from edgebench.sim.counter import uniform
from edgebench.tracks.allocate.env import AllocateEnv
from edgebench.tracks.allocate.observe import observe
from edgebench.tracks.allocate.parallel import AllocateParallelEnv
from edgebench.tracks.allocate.physics import advance, begin, decide
from edgebench.tracks.allocate.simulation import Simulation

ROUNDS, SECONDS = 7, 0.5
REGION, EPISODES = "s1", 20
NOVACRON: float = 8_596.0
"""Steps a second measured of the repaired original."""


@compiled_in_place
def core(sites: Any, world: Any, jobs: Any, state: Any) -> int:
    """Play an episode by random valid actions; returns its steps."""
    steps = 0
    begin(sites, jobs, state, False)
    advance(sites, world, jobs, state)
    while state.tally[0].asked >= 0:
        decide(sites, world, jobs, state, random_valid(world, state, steps))
        advance(sites, world, jobs, state)
        steps += 1
    return steps


@compiled_in_place
def core_observing(sites: Any, world: Any, jobs: Any, state: Any, seen: Any) -> int:
    """The same, looking at every decision."""
    steps = 0
    begin(sites, jobs, state, False)
    advance(sites, world, jobs, state)
    while state.tally[0].asked >= 0:
        observe(sites, world, jobs, state, seen)
        decide(sites, world, jobs, state, random_valid(world, state, steps))
        advance(sites, world, jobs, state)
        steps += 1
    return steps


@part
def random_valid(world: Any, state: Any, step: int) -> int:
    """The first valid action from one drawn by counter."""
    last = state.mask.size - 1
    action = int(uniform(world.seed, 1, step, 0) * (last + 1))
    while not state.mask[action]:
        action = 0 if action == last else action + 1
    return action


def main() -> None:
    """Print steps a second of every contender, round after round, so that a busy moment falls on all of them."""
    print(machine())
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        build_region(REGIONS[REGION])
        region = load(REGION)
        contenders = {
            "core, random valid": core_playing(region, sees=False),
            "core, observing": core_playing(region, sees=True),
            "Gymnasium": gymnasium_playing(region),
            "PettingZoo, agent-steps": pettingzoo_playing(region),
        }
    for play in contenders.values():
        play()
    rounds = [{name: rate(play) for name, play in contenders.items()} for _ in range(ROUNDS)]
    print(f"\nsteps a second, median and best of {ROUNDS} interleaved rounds of {SECONDS} s; episodes drawn beforehand")
    print(f"{'':<28} {'median':>11} {'best':>11} {'over Novacron':>14}")
    for name in contenders:
        rates = [of_round[name] for of_round in rounds]
        median = statistics.median(rates)
        print(f"{name:<28} {median:>11,.0f} {max(rates):>11,.0f} {median / NOVACRON:>13,.1f}x")


def rate(play: Callable[[], int]) -> float:
    """Steps a second of a function that returns how many it made."""
    steps, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        steps += play()
    return steps / (time.perf_counter() - begun)


def core_playing(region: Any, *, sees: bool) -> Callable[[], int]:
    """Plays one of some episodes after the other in compiled code."""
    episodes = []
    for seed in range(EPISODES):
        simulation = Simulation(region, SCENARIOS["trap"], "train")
        simulation.start(seed % 20, 1000 + seed)
        episodes.append(simulation)
    played = 0

    def play() -> int:
        nonlocal played
        one = episodes[played % EPISODES]
        played += 1
        episode = one.sites, one.world, one.jobs, one.state
        return int(core_observing(*episode, one.seen) if sees else core(*episode))

    return play


def gymnasium_playing(region: Any) -> Callable[[], int]:
    """Steps the environment by the first valid action, resets included."""
    env = AllocateEnv(region)
    observation, _ = env.reset(seed=0)

    def play() -> int:
        nonlocal observation
        for _ in range(20):
            observation, _, over, _, _ = env.step(int(observation["action_mask"].argmax()))
            if over:
                observation, _ = env.reset()
        return 20

    return play


def pettingzoo_playing(region: Any) -> Callable[[], int]:
    """Steps the environment by offering everything, resets included."""
    env = AllocateParallelEnv(region)
    env.reset(seed=0)
    offers = {agent: np.ones(4, np.float32) for agent in env.possible_agents}

    def play() -> int:
        env.step(offers)
        if not env.agents:
            env.reset()
        return len(offers)

    return play


if __name__ == "__main__":
    main()
