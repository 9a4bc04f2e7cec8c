"""Seconds and peak memory of building each region, from the bundled sample and, where `EDGEBENCH_TEST_DATA` names a
folder with them, from real cell files; beside a Python that unpacks the same file and throws it away.

Run: [EDGEBENCH_TEST_DATA=FOLDER] python benchmarks/build_time.py
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from common import Finished, finish, machine

from builders.sample import sample_path
from edgebench.registry import REGIONS

ROUNDS = 5
REAL_FILES = {"s1": "228_*", "s2": "234_*", "s3": "262_mls_*", "s4": "222_*"}
UNPACK = """
import gzip, sys
with (gzip.open if sys.argv[1].endswith(".gz") else open)(sys.argv[1], "rb") as cells:
    while cells.read(2**20):
        continue
"""


def main() -> None:
    """Print a table of builds from the sample, and from real cells where there are any."""
    print(machine())
    print(f"\nmedian of {ROUNDS} rounds, each a process of its own")
    print(f"{'region':<7} {'cells':<36} {'MB':>6} {'build s':>8} {'peak MiB':>9} {'unpack s':>9} {'build/unpack':>13}")
    for region in REGIONS:
        print_row(region, sample_path(region), [])
    data = os.environ.get("EDGEBENCH_TEST_DATA")
    if data is None:
        print("real cells: EDGEBENCH_TEST_DATA is not set")
        return
    for region, pattern in REAL_FILES.items():
        for cells in sorted((Path(data) / "cells").rglob(f"{pattern}.gz")):
            print_row(region, cells, ["--cells", str(cells), "--edition", "measured"])


def print_row(region: str, cells: Path, arguments: list[str]) -> None:
    """Build one region in every round and print the medians."""
    built, unpacked = zip(*(measure(region, cells, arguments) for _ in range(ROUNDS)), strict=True)
    seconds, unpack_seconds = (statistics.median(one.seconds for one in column) for column in (built, unpacked))
    ratio = statistics.median(one.seconds / other.seconds for one, other in zip(built, unpacked, strict=True))
    peak, size = statistics.median(one.peak_mib for one in built), cells.stat().st_size / 1e6
    figures = f"{seconds:>8.2f} {peak:>9.0f} {unpack_seconds:>9.2f} {ratio:>12.1f}x"
    print(f"{region:<7} {cells.name:<36} {size:>6.2f} {figures}")


def measure(region: str, cells: Path, arguments: list[str]) -> tuple[Finished, Finished]:
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"EDGEBENCH_HOME": home}
        built = finish(["-m", "edgebench.cli", "build", "--region", region, *arguments], environment)
    return built, finish(["-c", UNPACK, str(cells)])


if __name__ == "__main__":
    main()
