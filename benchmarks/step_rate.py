"""Steps a second of Route-S1 on one core, from `gymnasium.make` and unwrapped, beside CartPole-v1 and the same physics
in plain Python; and the first step of a process, with no compiled code on the disk and with it.

Run: python benchmarks/step_rate.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
from common import machine

import edgebench
from builders.pipeline import build_region
from edgebench.registry import REGIONS, SCENARIOS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "tracks" / "route"))
from route_oracle import RouteOracle

ROUNDS, SECONDS = 7, 0.4
REGION, ROUTE, PEER = "s1", "EdgeBench/Route-S1-v0", "CartPole-v1"
FIRST_STEP = f"""
import time
begun = time.perf_counter()
import gymnasium, edgebench
imported = time.perf_counter()
env = gymnasium.make({ROUTE!r})
env.reset(seed=0)
env.step(0)
print(imported - begun, time.perf_counter() - imported)
"""


def main() -> None:
    """Print steps a second of every contender, then the first step of a process."""
    print(machine())
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        build_region(REGIONS[REGION])
        print_rates()
        print_first_steps()


def print_rates() -> None:
    """Every contender in turn, round after round, so that a busy moment falls on all of them."""
    stepped = {
        "Route-S1, unwrapped": playing(gymnasium.make(ROUTE).unwrapped),
        "Route-S1, gymnasium.make": playing(gymnasium.make(ROUTE)),
        "CartPole-v1, unwrapped": playing(gymnasium.make(PEER).unwrapped),
        "CartPole-v1, gymnasium.make": playing(gymnasium.make(PEER)),
        "Route-S1, plain Python": oracle_playing(),
    }
    for step in stepped.values():
        step()
    rounds = [{name: rate(step) for name, step in stepped.items()} for _ in range(ROUNDS)]
    print(f"\nsteps a second, median and best of {ROUNDS} interleaved rounds of {SECONDS} s")
    print(f"{'':<28} {'median':>9} {'best':>9} {'over plain Python':>18}")
    for name in stepped:
        rates = [of_round[name] for of_round in rounds]
        ratio = statistics.median(of_round[name] / of_round["Route-S1, plain Python"] for of_round in rounds)
        print(f"{name:<28} {statistics.median(rates):>9,.0f} {max(rates):>9,.0f} {ratio:>17,.1f}x")


def rate(step: Callable[[], None]) -> float:
    """Calls a second."""
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        for _ in range(20):
            step()
        count += 20
    return count / (time.perf_counter() - begun)


def playing(env: Any) -> Callable[[], None]:
    """A function that steps an environment by its first action and resets it when an episode ends."""
    env.reset(seed=0)

    def step() -> None:
        _, _, terminated, truncated, _ = env.step(0)
        if terminated or truncated:
            env.reset()

    return step


def oracle_playing() -> Callable[[], None]:
    """The same of the tests' plain-Python simulator, which makes the same observations."""
    oracle = RouteOracle(edgebench.load(REGION), SCENARIOS["trap"], split="train")
    oracle.reset(0, 0)
    episodes = 0

    def step() -> None:
        nonlocal episodes
        if oracle.step(0)[1] is None:
            episodes += 1
            oracle.reset(0, episodes)

    return step


def print_first_steps() -> None:
    """Time from `gymnasium.make` to the end of the first step, in processes of their own."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"XDG_CACHE_HOME": cache}
        times = [first_step(environment) for _ in range(6)]
    cached = [statistics.median(column) for column in zip(*times[1:], strict=True)]
    print("\nfirst step of a process, s     imports   make, reset, step")
    print(f"{'no compiled code on the disk':<28} {times[0][0]:>9.2f} {times[0][1]:>19.2f}")
    print(f"{'compiled before (median of 5)':<29}{cached[0]:>9.2f} {cached[1]:>19.2f}")


def first_step(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of the imports and of all from `gymnasium.make` to the first step, in a process of its own."""
    printed = subprocess.run(
        [sys.executable, "-c", FIRST_STEP], env=environment, capture_output=True, text=True, check=True
    ).stdout
    imports, first = map(float, printed.split())
    return imports, first


if __name__ == "__main__":
    main()
