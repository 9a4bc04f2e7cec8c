"""Seconds of `edgebench eval greedy-estimate` over the standard regions, 20 episodes each, all starts included;
beside the same episodes rolled in this process, which is what the simulator and the agent alone take.

Run: python benchmarks/eval_time.py
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from common import finish, machine

from builders.pipeline import build_region
from edgebench.constants import EVAL_SEEDS
from edgebench.envs import make_env
from edgebench.harness.rollout import fixed_episodes, roll
from edgebench.region import load
from edgebench.registry import REGIONS
from reference_agents.route.greedy_estimate import Agent

ROUNDS, AGENT = 5, "greedy-estimate"


def main() -> None:
    """Print the time of the whole command beside that of the same episodes in this process."""
    print(machine())
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        for spec in REGIONS.values():
            build_region(spec)
        rolled()  # compiles, and the first evaluation computes the references once a region
        first = evaluated(Path(home) / "first")
        rounds = [(evaluated(Path(home) / f"run{number}"), rolled()) for number in range(ROUNDS)]
    whole, inside = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(one / other for one, other in rounds)
    print(f"\nseconds, median of {ROUNDS} interleaved rounds: {len(REGIONS)} regions, 20 episodes each")
    print(f"{f'edgebench eval {AGENT}':<34} {whole:>7.2f}   (the first: {first:.2f})")
    print(f"{'the same episodes in this process':<34} {inside:>7.2f}   {ratio:.1f}x less")


def evaluated(out: Path) -> float:
    regions = ",".join(REGIONS)
    return finish(["-m", "edgebench.cli", "eval", AGENT, "--regions", regions, "--out", str(out)]).seconds


def rolled() -> float:
    """Seconds of the same episodes in this process."""
    begun = time.perf_counter()
    for name in REGIONS:
        env = make_env("route", load(name), split="test")
        episodes = fixed_episodes(env.get_wrapper_attr("windows"), EVAL_SEEDS)
        assert len(list(roll(env, Agent(), episodes))) == 20
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
