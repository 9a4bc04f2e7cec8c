"""Steps a second of the Route track in one compiled call, for one episode and for many, on small and large regions.

Beside them, in the same interleaved rounds: the same physics in plain Python, Gymnasium's CartPole-v1 in NumPy, and
setting as many bytes as the observations have; the full view beside setting its bytes. Then what a reset costs, what an
episode's state and observation take, how the rate falls from region to region, and the first vector step of a process,
with no compiled code on the disk and with it.

Run: python benchmarks/vector_rate.py
"""

from __future__ import annotations

import itertools
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
import numpy as np
from common import machine
from numpy.typing import NDArray

import edgebench
from builders.pipeline import build_region
from edgebench.registry import REGISTERED, SCENARIOS
from edgebench.sim.threads import use_threads
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.observe import new_observations
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.state import new_states
from edgebench.tracks.route.vector import RouteVectorEnv

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "tracks" / "route"))
from route_oracle import RouteOracle

ROUNDS, SECONDS = 5, 0.3
NAMES, COUNTS, MOST_THREADS = ("s1", "s4", "trap500", "trap2000"), (1, 64, 1024), 2
PEER = "CartPole-v1"
ACTIONS = 20
"""Valid in every region: each offers more candidates."""
FULL = 64
"""Episodes of which every instance is offered."""
WARM_STEPS = 300
"""More than an episode has, so that the episodes stand at different places."""
FIRST_STEP = """
import time
begun = time.perf_counter()
import edgebench, gymnasium, numpy
envs = gymnasium.make_vec("EdgeBench/Route-S1-v0", 64, vectorization_mode="vector_entry_point")
envs.reset(seed=0)
envs.step(numpy.zeros(64, int))
print(time.perf_counter() - begun)
"""

FULL_ZEROS = "full view set to 0"
Step = Callable[[], None]


def main() -> None:
    """Build the regions in a folder of their own and print all figures."""
    print(machine())
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        for name in NAMES:
            build_region(REGISTERED[name])
        rates = {name: print_rates(name) for name in NAMES}
        for name, rate_there in rates.items():
            print(f"{name} beside {NAMES[0]}, {max(COUNTS)} episodes, 1 thread: {rate_there / rates[NAMES[0]]:.2f}x")
        print_first_steps()


def print_rates(name: str) -> float:
    """Every contender in turn, round after round, so that a busy moment falls on all of them.

    Returns:
        The median rate of the most episodes on one thread.
    """
    region = edgebench.load(name)
    contenders = {"plain Python": (1, 1, oracle_step(region)), "one, RouteEnv": (1, 1, single_step(region))}
    for count, threads in itertools.product(COUNTS, range(1, MOST_THREADS + 1)):
        if count > 1 or threads == 1:
            contenders[f"{count}, {threads} thread(s)"] = (count, threads, vector_step(region, count))
    contenders |= {f"{PEER}, {count}": (count, 1, peer_step(count)) for count in COUNTS}
    size = sum(buffer.nbytes for buffer in RouteVectorEnv(1, region).buffers().values())
    contenders |= {f"observations set to 0, {count}": (count, 1, memset_step(count * size)) for count in COUNTS}
    contenders |= full_contenders(region)
    rounds = [{label: rate(*contender) for label, contender in contenders.items()} for _ in range(ROUNDS)]
    print(f"\n{name}: steps a second, median and best of {ROUNDS} interleaved rounds of {SECONDS} s")
    print(f"{'':<28} {'median':>12} {'best':>12} {'/ plain Python':>15} {'/ CartPole':>11} {'/ memset':>9}")
    for label, (count, _, _) in contenders.items():
        zeros = f"{FULL_ZEROS}, {count}" if label.startswith("full view") else f"observations set to 0, {count}"
        beside = ("plain Python", f"{PEER}, {count}", zeros)
        ratios = [statistics.median(one[label] / one[other] for one in rounds) for other in beside]
        rates = [one[label] for one in rounds]
        line = f"{label:<28} {statistics.median(rates):>12,.0f} {max(rates):>12,.0f}"
        print(f"{line} {ratios[0]:>14,.1f}x {ratios[1]:>10.2f}x {ratios[2]:>8.4f}x")
    many = max(COUNTS)
    gains = [one[f"{many}, {MOST_THREADS} thread(s)"] / one[f"{many}, 1 thread(s)"] for one in rounds]
    print(f"{MOST_THREADS} threads over one, {many} episodes: {statistics.median(gains):.2f}x")
    print_memory(region)
    return statistics.median(one[f"{many}, 1 thread(s)"] for one in rounds)


def full_contenders(region: edgebench.Region) -> dict[str, tuple[int, int, Step]]:
    """The full view of `FULL` episodes, and setting its bytes."""
    envs = RouteVectorEnv(FULL, region, view="full", copy=False)
    envs.reset(seed=0)
    size = sum(buffer.nbytes for buffer in envs.buffers().values())
    masks = envs.buffers()["action_mask"]
    return {
        f"full view, {FULL}": (FULL, 1, lambda: _drop(envs.step(masks.argmax(axis=1)))),
        f"{FULL_ZEROS}, {FULL}": (FULL, 1, memset_step(size)),
    }


def rate(count: int, threads: int, step: Step) -> float:
    """Steps a second of `count` episodes by `step`."""
    use_threads(threads)
    step()
    calls, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        step()
        calls += 1
    return calls * count / (time.perf_counter() - begun)


def vector_step(region: edgebench.Region, count: int) -> Step:
    """A function that steps `count` episodes by random valid actions; they begin anew by themselves."""
    use_threads(MOST_THREADS)  # episodes are shared out among those there are now
    envs = RouteVectorEnv(count, region, copy=False)
    envs.reset(seed=0)
    actions = _random_actions(count, ACTIONS)
    for _ in range(WARM_STEPS):
        envs.step(next(actions))
    return lambda: _drop(envs.step(next(actions)))


def single_step(region: edgebench.Region) -> Step:
    """The same of a single environment, without wrappers."""
    env, actions = RouteEnv(region), _random_actions(1, ACTIONS)
    env.reset(seed=0)

    def step() -> None:
        if env.step(int(next(actions)[0]))[2]:
            env.reset()

    return step


def oracle_step(region: edgebench.Region) -> Step:
    """The same of the tests' plain-Python simulator, which makes the same observations."""
    oracle, actions = RouteOracle(region, SCENARIOS["trap"], split="train"), _random_actions(1, ACTIONS)
    oracle.reset(0, 0)

    def step() -> None:
        if oracle.step(int(next(actions)[0]))[1] is None:
            oracle.reset(0, 0)

    return step


def peer_step(count: int) -> Step:
    """A function that steps Gymnasium's own vector environment."""
    envs: Any = gymnasium.make_vec(PEER, count, vectorization_mode="vector_entry_point")
    envs.reset(seed=0)
    actions = _random_actions(count, 2)
    return lambda: _drop(envs.step(next(actions)))


def memset_step(size: int) -> Step:
    """A function that sets so many bytes."""
    buffer = np.empty(size, np.uint8)
    return lambda: buffer.fill(0)


def _random_actions(count: int, below: int) -> itertools.cycle[NDArray[np.int64]]:
    draw = np.random.default_rng(0)
    return itertools.cycle([draw.integers(below, size=count) for _ in range(16)])


def _drop(_: object) -> None:
    """Let a step be a function without a result."""


def print_memory(region: edgebench.Region) -> None:
    """What beginning an episode costs and how much its state and observation take."""
    count = COUNTS[1]
    envs = RouteVectorEnv(count, region, copy=False)
    envs.reset(seed=0)
    times = []
    for seed in range(1, ROUNDS + 1):
        begun = time.perf_counter()
        envs.reset(seed=seed)
        times.append((time.perf_counter() - begun) / count * 1e6)
    topology, rules = region.topology(), make_rules(SCENARIOS["trap"].parameters())
    (state,) = new_states(topology, rules, 1)
    bytes_of = [sum(array.nbytes for array in arrays) for arrays in (state, new_observations(topology, rules, 1))]
    print(
        f"reset {statistics.median(times):.1f} µs; {bytes_of[0]:,} bytes of state and {bytes_of[1]:,} seen an episode"
    )


def print_first_steps() -> None:
    """Time from the imports to the end of the first vector step, in processes of their own."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"XDG_CACHE_HOME": cache}
        times = [first_step(environment) for _ in range(ROUNDS + 1)]
    print("\nimports, make_vec, reset and first step of 64 episodes in a process of their own, s")
    print(f"{'no compiled code on the disk':<32} {times[0]:>6.2f}")
    print(f"{f'compiled before (median of {ROUNDS})':<32} {statistics.median(times[1:]):>6.2f}")


def first_step(environment: dict[str, str]) -> float:
    """Seconds of `FIRST_STEP` in a process of its own."""
    command = [sys.executable, "-c", FIRST_STEP]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
