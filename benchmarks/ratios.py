"""Is the simulator still as fast, told by ratios within one run, which other load and other machines change little.

Run: python benchmarks/ratios.py          compare with benchmarks/ratios.json; the exit status is 1 after a gross loss
     python benchmarks/ratios.py --keep   write benchmarks/ratios.json
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from common import machine
from vector_rate import Step, oracle_step, rate, single_step, vector_step

import edgebench
from builders.pipeline import build_region
from edgebench.registry import REGIONS

KEPT = Path(__file__).with_suffix(".json")
ROUNDS, REGION, MANY = 7, "s1", 64
GROSS = 2.0
"""A ratio that is so many times smaller than the kept one fails."""
PAIRS = {
    "one episode / plain Python": ("one", "plain"),
    f"{MANY} episodes / one": ("many", "one"),
}


def main() -> int:
    """Print each ratio beside the kept one; the exit status."""
    print(machine())
    measured = measure()
    if sys.argv[1:] == ["--keep"]:
        KEPT.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    lost = [name for name in kept if measured[name] * GROSS < kept[name]]
    print(f"\n{'Route, ' + REGION + ', steps a second':<32} {'now':>8} {'kept':>8}")
    for name, ratio in measured.items():
        print(f"{name:<32} {ratio:>7.1f}x {kept[name]:>7.1f}x {'LOST' if name in lost else ''}")
    return bool(lost)


def measure() -> dict[str, float]:
    """The median of each ratio over rounds in which every contender has its turn."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        build_region(REGIONS[REGION])
        region = edgebench.load(REGION)
    contenders: dict[str, tuple[int, Step]] = {
        "plain": (1, oracle_step(region)),
        "one": (1, single_step(region)),
        "many": (MANY, vector_step(region, MANY)),
    }
    rounds = [{name: rate(count, 1, step) for name, (count, step) in contenders.items()} for _ in range(ROUNDS)]
    return {
        name: round(statistics.median(one[fast] / one[slow] for one in rounds), 1)
        for name, (fast, slow) in PAIRS.items()
    }


if __name__ == "__main__":
    sys.exit(main())
