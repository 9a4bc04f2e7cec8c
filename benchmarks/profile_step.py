"""Where the time of a step goes: the same episodes over and over, each time with one part of the work more.

What a part adds is what it costs in the flow of a step, caches and branches included. Least of several rounds, one
thread, one simulation.

Run: python benchmarks/profile_step.py
"""

from __future__ import annotations

import os
import tempfile
import time
from typing import Any

import numpy as np
from common import machine
from numba import njit

import edgebench
from builders.pipeline import build_region
from edgebench.registry import REGISTERED, SCENARIOS
from edgebench.sim.compiled import part
from edgebench.sim.counter import bits
from edgebench.tracks.route import observe
from edgebench.tracks.route.physics import start, step
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.simulation import Simulation, unpack
from edgebench.tracks.route.state import TURN

NAMES, ROUNDS, STEPS = ("s1", "trap500", "trap2000"), 30, 6000
ACTIONS = np.uint64(20)
"""Valid in every region: each offers more candidates."""


@part
def nothing(topology: Any, tasks: Any, state: Any, seen: Any, scratch: Any) -> None:
    """Events and decisions alone."""


@part
def memory(topology: Any, tasks: Any, state: Any, seen: Any, scratch: Any) -> None:
    """And what is remembered of trap links."""
    observe._remember(state, state.progress[state.cursor[TURN]].ready_ms)


@part
def candidates(topology: Any, tasks: Any, state: Any, seen: Any, scratch: Any) -> None:
    """And the candidates."""
    memory(topology, tasks, state, seen, scratch)
    progress = state.progress[state.cursor[TURN]]
    observe._see_candidates(topology, state, seen, scratch, tasks[progress.row], progress)


@part
def everything(topology: Any, tasks: Any, state: Any, seen: Any, scratch: Any) -> None:
    """The whole observation."""
    observe.observe(topology, tasks, state, seen, scratch)


PARTS = {
    "events, transfers, servers": nothing,
    "what is remembered of traps": memory,
    "candidates": candidates,
    "the task": everything,
}
"""What each part adds, by name."""


def episodes(looked_at: Any) -> Any:
    """A compiled function that plays so many steps and looks at the parts after each."""

    @njit(error_model="numpy")
    def play(address: int, steps: int) -> None:
        topology, tasks, state, seen, scratch = unpack(address)
        for number in range(steps):
            if state.cursor[TURN] < 0:
                start(topology, tasks, state, number % 20, number)
            else:
                step(topology, tasks, state, int(bits(1, 2, number, 0) % ACTIONS))
            if state.cursor[TURN] >= 0:
                looked_at(topology, tasks, state, seen, scratch)

    return play


def main() -> None:
    """Print nanoseconds a step by part and region."""
    print(machine())
    players = {name: episodes(looked_at) for name, looked_at in PARTS.items()}
    print(f"nanoseconds a step, least of {ROUNDS} rounds of {STEPS} steps")
    print(f"{'':<10}" + "".join(f"{name:>30}" for name in (*PARTS, "together")))
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        for region in NAMES:
            build_region(REGISTERED[region])
            print_region(region, players)


def print_region(name: str, players: dict[str, Any]) -> None:
    """A line of the table."""
    region = edgebench.load(name)
    rules = make_rules(SCENARIOS["trap"].parameters())
    simulation = Simulation(region.topology(), region.task_arrays("train"), rules)
    simulation.start(0, 0)
    least = dict.fromkeys(players, np.inf)
    for _ in range(ROUNDS):
        for label, play in players.items():
            begun = time.perf_counter()
            play(simulation.address, STEPS)
            least[label] = min(least[label], (time.perf_counter() - begun) / STEPS * 1e9)
    added = np.diff([0.0, *least.values()])
    print(f"{name:<10}" + "".join(f"{value:>30.0f}" for value in (*added, least["the task"])))


if __name__ == "__main__":
    main()
