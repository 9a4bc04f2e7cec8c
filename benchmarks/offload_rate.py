"""Agent-steps a second of Offload on one core: the compiled core, the Gymnasium and the PettingZoo face, beside the
20 to 25 thousand a second of the earlier system (DFaaS, random actions, 2 to 5 agents).

Run: python benchmarks/offload_rate.py
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

import edgebench
from builders.pipeline import build_region
from edgebench.registry import REGIONS, SCENARIOS
from edgebench.sim.compiled import compiled_in_place
from edgebench.tracks.offload import physics
from edgebench.tracks.offload.constants import SLOTS
from edgebench.tracks.offload.env import OffloadEnv
from edgebench.tracks.offload.observe import look
from edgebench.tracks.offload.parallel import OffloadParallelEnv
from edgebench.tracks.offload.simulation import Simulation
from edgebench.tracks.offload.state import C

ROUNDS, ACTIONS = 9, 32
EARLIER = 20_000.0
"""Agent-steps a second of DFaaS's environment: the lower end of what was measured."""
PLAYED = ("s1", "s4", "s3")


def main() -> None:
    """Print the rates of three regions, every contender in turn, round after round."""
    print(machine())
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        for name in PLAYED:
            build_region(REGIONS[name])
        print(
            f"\nagent-steps a second, random actions, median and best of {ROUNDS} interleaved episodes of {SLOTS} slots"
        )
        print(f"{'':<40} {'median':>12} {'best':>12} {'over ' + format(EARLIER, ',.0f'):>14}")
        for name in PLAYED:
            print_rates(name)


def print_rates(name: str) -> None:
    region = edgebench.load(name)
    contenders = {
        "core": core(region, sees=False, draws=False),
        "core, observations": core(region, sees=True, draws=False),
        "core, observations, drawing of the episode": core(region, sees=True, draws=True),
        "Gymnasium": gymnasium_face(region),
        "PettingZoo": pettingzoo_face(region),
    }
    rounds = [{label: episode() for label, episode in contenders.items()} for _ in range(ROUNDS + 1)][1:]
    agent_steps = SLOTS * len(region.nodes)
    for label in contenders:
        rates = [agent_steps / seconds[label] for seconds in rounds]
        median = statistics.median(rates)
        print(f"{name + ', ' + label:<40} {median:>12,.0f} {max(rates):>12,.0f} {median / EARLIER:>13,.1f}x")


def random_shares(nodes: int) -> Any:
    """A few actions of uniform shares, played in turn."""
    return np.random.default_rng(0).random((ACTIONS, nodes, C), np.float32)


def core(region: Any, *, sees: bool, draws: bool) -> Callable[[], float]:
    """Seconds of an episode in one compiled loop, with its observations, with what it takes to draw it."""
    simulation = Simulation(region, SCENARIOS["trap"], "train")
    shares = random_shares(simulation.nodes)
    seed = 0

    def episode() -> float:
        nonlocal seed
        seed += 1
        begun = time.perf_counter()
        simulation.start(0, seed)
        started = time.perf_counter()
        play(simulation.network, simulation.episode, simulation.state, simulation.seen, shares, sees)
        return time.perf_counter() - (begun if draws else started)

    return episode


@compiled_in_place
def play(network: Any, episode: Any, state: Any, seen: Any, shares: Any, sees: bool) -> None:
    for slot in range(SLOTS):
        physics.step(network, episode, state, shares[slot % ACTIONS])
        if sees:
            look(network, episode, state, seen)


def gymnasium_face(region: Any) -> Callable[[], float]:
    """Seconds of an episode's steps."""
    env = OffloadEnv(region)
    shares = random_shares(len(region.nodes))

    def episode() -> float:
        env.reset()
        begun = time.perf_counter()
        for slot in range(SLOTS):
            env.step(shares[slot % ACTIONS])
        return time.perf_counter() - begun

    return episode


def pettingzoo_face(region: Any) -> Callable[[], float]:
    """Seconds of an episode's steps, each agent's action and observation on its own."""
    env = OffloadParallelEnv(region)
    shares = [dict(zip(env.possible_agents, rows, strict=True)) for rows in random_shares(len(region.nodes))]

    def episode() -> float:
        env.reset()
        begun = time.perf_counter()
        for slot in range(SLOTS):
            env.step(shares[slot % ACTIONS])
        return time.perf_counter() - begun

    return episode


if __name__ == "__main__":
    main()
