"""Seconds of every step of a build with 25, 500 and 2,000 nodes, from the bundled samples.

Run: python benchmarks/build_steps.py
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time

from common import machine

from builders.pipeline import STEPS, build_region
from edgebench.registry import region_spec

ROUNDS = 5
SCALES = ("s1", "trap500", "trap2000")


def main() -> None:
    """Print a table: a row a step, a column a region."""
    print(machine())
    rounds: dict[str, list[dict[str, float]]] = {region: [] for region in SCALES}
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        for region in SCALES:
            step_seconds(region)
        for _ in range(ROUNDS):
            for region in SCALES:
                rounds[region].append(step_seconds(region))
    print(f"\nseconds, median of {ROUNDS} interleaved rounds, everything compiled; share of the build")
    print(f"{'step':<8}" + "".join(f"{f'{region}, {region_spec(region).nodes} nodes':>24}" for region in SCALES))
    totals = {region: statistics.median(sum(times.values()) for times in rounds[region]) for region in SCALES}
    for step in STEPS:
        medians = {region: statistics.median(times[step] for times in rounds[region]) for region in SCALES}
        print(f"{step:<8}" + "".join(f"{s:>16.3f}{s / totals[region]:>7.0%} " for region, s in medians.items()))
    print(f"{'all':<8}" + "".join(f"{total:>16.3f}{'':>8}" for total in totals.values()))


def step_seconds(region: str) -> dict[str, float]:
    """Seconds of each step of one build."""
    begun: list[tuple[str, float]] = []
    build_region(region_spec(region), on_step=lambda step, *_: begun.append((step, time.perf_counter())))
    ends = [moment for _, moment in begun[1:]] + [time.perf_counter()]
    return {step: end - start for (step, start), end in zip(begun, ends, strict=True)}


if __name__ == "__main__":
    main()
