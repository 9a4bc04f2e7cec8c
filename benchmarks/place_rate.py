"""Steps a second of Place-S1 on one core, beside the 74 measured of the earlier system: core, Gymnasium, PettingZoo.

Random edits, valid and invalid, in whole episodes, resets included but for the core: 96 edits before the first batch
and one before each of 64. The core's loop is compiled as the step is. A batch's edits alone are given as batches.

Run: python benchmarks/place_rate.py
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np
from common import machine

from builders.pipeline import build_region
from edgebench.region import load
from edgebench.registry import REGIONS, SCENARIOS
from edgebench.sim.compiled import compiled
from edgebench.tracks.place.constants import PLAN_EDITS, REQUESTS, SLOTS
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.episode import take_turn
from edgebench.tracks.place.observe import observe
from edgebench.tracks.place.parallel import PlaceParallelEnv
from edgebench.tracks.place.physics import blank_ways
from edgebench.tracks.place.simulation import Simulation

ROUNDS, EPISODES, REGION = 7, 20, "s1"
EARLIER = 74.0
"""Steps a second of the earlier system's newest version that runs: 32 experts, 4 devices, 50 tokens."""
STEPS = PLAN_EDITS + SLOTS


def main() -> None:
    """Print steps a second of every face, median of the rounds, and the ratio."""
    print(machine())
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        build_region(REGIONS[REGION])
        region = load(REGION)
        faces = {
            "core, compiled loop": core_playing(Simulation(region, SCENARIOS["trap"], "train"), 0),
            "core, batches alone": core_playing(Simulation(region, SCENARIOS["trap"], "train"), PLAN_EDITS),
            "Gymnasium": single_playing(PlaceEnv(region)),
            "PettingZoo": parallel_playing(PlaceParallelEnv(region)),
        }
        rounds = [{name: play() for name, play in faces.items()} for _ in range(ROUNDS + 1)][1:]
    print(f"\nsteps a second, median and best of {ROUNDS} interleaved rounds of {EPISODES} episodes")
    print(f"{'':<22} {'median':>9} {'best':>9} {'over ' + format(EARLIER, 'g'):>10}")
    for name in faces:
        rates = [of_round[name] for of_round in rounds]
        middle = statistics.median(rates)
        print(f"{name:<22} {middle:>9,.0f} {max(rates):>9,.0f} {middle / EARLIER:>9,.0f}x")


def core_playing(simulation: Simulation, first: int) -> Callable[[], float]:
    """Steps a second of the compiled step from the `first` edit on, observations included."""
    simulation.start(0, 0)
    ways = blank_ways(simulation.devices.node.size, REQUESTS)
    used = np.zeros(ways.bad.shape, np.bool_)
    edits = np.random.default_rng(0).integers(0, simulation.shape, (STEPS, 3))

    def play() -> float:
        seconds = 0.0
        for seed in range(EPISODES):
            simulation.start(0, seed)
            simulation.state.clock[0] = first
            begun = time.perf_counter()
            _loop(
                simulation.devices,
                simulation._sight,
                simulation.world,
                simulation.state,
                simulation.seen,
                ways,
                used,
                edits[first:],
            )
            seconds += time.perf_counter() - begun
        return EPISODES * (STEPS - first) / seconds

    return play


@compiled
def _loop(devices, sight, world, state, seen, ways, used, edits):  # type: ignore[no-untyped-def]
    for step in range(edits.shape[0]):
        take_turn(devices, world, state, ways, used, edits[step, 0], edits[step, 1], edits[step, 2])
        observe(devices, sight, world, state, seen)


def single_playing(env: PlaceEnv) -> Callable[[], float]:
    """Steps a second of the Gymnasium face, resets included."""
    edits = np.random.default_rng(0).integers(0, env.action_space.nvec, (STEPS, 3))

    def play() -> float:
        begun = time.perf_counter()
        for seed in range(EPISODES):
            env.reset(seed=seed)
            for edit in edits:
                env.step(edit)
        return EPISODES * STEPS / (time.perf_counter() - begun)

    return play


def parallel_playing(env: PlaceParallelEnv) -> Callable[[], float]:
    """Steps a second of the PettingZoo face, resets included."""
    counts = [env.action_space(agent).n for agent in env.possible_agents]
    pairs = np.random.default_rng(0).integers(0, counts, (STEPS, 2)).tolist()

    def play() -> float:
        begun = time.perf_counter()
        for seed in range(EPISODES):
            env.reset(seed=seed)
            for expert, device in pairs:
                env.step({"expert": expert, "device": device})
        return EPISODES * STEPS / (time.perf_counter() - begun)

    return play


if __name__ == "__main__":
    main()
