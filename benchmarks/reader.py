"""Reading the cells of one country from a large generated file, plain and gzip, beside `wc -l`, `zcat | wc -l`, pandas,
polars and duckdb; each in a process of its own. With `--region`, the whole build of that region from it.

Run: python benchmarks/reader.py [--rows 5] [--rounds 5] [--region s1]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from common import Finished, finish, machine

MILLION = 1_000_000
COUNTRY = 228
COLUMNS = ["radio", "mcc", "net", "area", "cell", "lon", "lat", "range", "samples", "created", "updated"]
MAKE = """
import sys
import numpy as np
import polars as pl

HEADER = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"
RADIOS, RADIO_SHARES = ["GSM", "UMTS", "LTE", "NR"], [0.23, 0.48, 0.28, 0.01]
COUNTRIES, COUNTRY_SHARES = [228, 234, 262, 222, 208, 310, 724, 404], [0.01, 0.04, 0.06, 0.03, 0.05, 0.21, 0.2, 0.4]
PART = 500_000

def part(number, rows):
    draw = np.random.default_rng([2026, number])
    created = draw.integers(1_300_000_000, 1_700_000_000, rows)
    return pl.DataFrame({
        "radio": draw.choice(RADIOS, rows, p=RADIO_SHARES),
        "mcc": draw.choice(COUNTRIES, rows, p=COUNTRY_SHARES),
        "net": draw.integers(1, 4, rows),
        "area": draw.integers(1, 65_535, rows),
        "cell": draw.integers(65_536, 2**28, rows),
        "unit": np.where(draw.random(rows) < 0.55, -1, 0),
        "lon": np.round(draw.uniform(6.0, 10.4, rows), 6),
        "lat": np.round(draw.uniform(45.9, 47.7, rows), 6),
        "range": draw.integers(500, 9_000, rows),
        "samples": draw.integers(1, 200, rows),
        "changeable": 1,
        "created": created,
        "updated": created + draw.integers(0, 10_000_000, rows),
        "averageSignal": 0,
    })

with open(sys.argv[1], "wb") as file:
    file.write(HEADER.encode() + b"\\n")
    for number, begin in enumerate(range(0, int(sys.argv[2]), PART)):
        part(number, min(PART, int(sys.argv[2]) - begin)).write_csv(file, include_header=False)
"""
CONTENDERS = {
    "EdgeBench": (
        "from pathlib import Path; from builders.cells import read_cells; from builders.ledger import Ledger",
        "read_cells(Path(path), Ledger(), (country,)).height",
    ),
    "polars streaming": (
        "import polars as pl",
        "pl.scan_csv(path).select(columns).filter(pl.col('mcc') == country).collect(engine='streaming').height",
    ),
    "duckdb": (
        "import duckdb",
        "len(duckdb.sql(f'select {\", \".join(columns)} from \\'{path}\\' where mcc = {country}').fetchnumpy()['mcc'])",
    ),
    "pandas": (
        "import pandas as pd",
        "len(pd.read_csv(path, usecols=columns).query(f'mcc == {country}'))",
    ),
}
TIMED = """
import resource, sys, time
path, country, columns = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")
{imports}
begun = time.perf_counter()
rows = {work}
seconds = time.perf_counter() - begun
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rows)
"""


def main() -> None:
    """Make the file, print the table, build the region."""
    asked = arguments()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "cells.csv"
        finish(["-c", MAKE, str(plain), str(round(asked.rows * MILLION))])
        subprocess.run(["gzip", "-k1", str(plain)], check=True)
        packed = plain.with_suffix(".csv.gz")
        if asked.rounds:
            print_table(plain, f"wc -l {plain}", asked)
            print_table(packed, f"zcat {packed} | wc -l", asked)
        if asked.region:
            print_build(asked.region, packed, Path(folder))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=float, default=5.0, help="million rows of the file; a full dump has 45")
    parser.add_argument("--rounds", type=int, default=5, help="in each of them every contender runs once; 0: none")
    parser.add_argument("--region", help="build this region from the file, too")
    return parser.parse_args()


def print_table(path: Path, floor: str, asked: argparse.Namespace) -> None:
    """Every contender in turn, round after round, so that a busy moment falls on all of them."""
    rounds = [one_round(path, floor) for _ in range(asked.rounds)]
    size = f"{asked.rows:g} M rows, {path.stat().st_size / MILLION:,.0f} MB"
    print(f"\n{path.name}, {size}; median of {asked.rounds} rounds")
    print(f"{'':<18} {'s':>7} {'M rows/s':>9} {'peak MiB':>9} {'of polars':>10} {'of ' + floor.split()[0]:>9}")
    for name in rounds[0]:
        seconds, peak = (statistics.median(values) for values in zip(*(one[name] for one in rounds), strict=True))
        polars, floored = (
            statistics.median(one[name].seconds / one[other].seconds for one in rounds)
            for other in ("polars streaming", floor.split()[0])
        )
        memory = f"{peak:>9.0f}" if peak else f"{'':>9}"
        print(f"{name:<18} {seconds:>7.2f} {asked.rows / seconds:>9.2f} {memory} {polars:>9.2f}x {floored:>8.2f}x")


def one_round(path: Path, floor: str) -> dict[str, Finished]:
    """Seconds and memory of every contender; those of Python count from after their imports."""
    results = {floor.split()[0]: finish(["-c", f"import os; raise SystemExit(os.system({floor + ' > /dev/null'!r}))"])}
    results = {name: Finished(result.seconds, 0.0) for name, result in results.items()}
    found = set()
    for name, (imports, work) in CONTENDERS.items():
        results[name], rows = timed(path, imports, work)
        found.add(rows)
    if len(found) > 1:
        raise RuntimeError(f"the contenders disagree about the rows of {COUNTRY}: {found}")
    return results


def timed(path: Path, imports: str, work: str) -> tuple[Finished, int]:
    program = TIMED.format(imports=imports, work=work)
    command = [sys.executable, "-c", program, str(path), str(COUNTRY), ",".join(COLUMNS)]
    # Before these three figures duckdb may print how far it is.
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-3:]
    return Finished(float(printed[0]), float(printed[1])), int(printed[2])


def print_build(region: str, cells: Path, home: Path) -> None:
    """The whole build from the packed file, process start included."""
    options = ["--region", region, "--cells", str(cells), "--edition", "generated"]
    built = finish(["-m", "edgebench.cli", "build", *options], os.environ | {"EDGEBENCH_HOME": str(home)})
    print(f"\nbuild of {region} from {cells.name}: {built.seconds:.1f} s, peak {built.peak_mib:,.0f} MiB")


if __name__ == "__main__":
    main()
