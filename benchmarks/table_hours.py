"""What the learning behind the published tables took, as the kept runs' curves say.

Run: python benchmarks/table_hours.py

Many runs waited for other work on the machine. The second figure is what they take at the pace of the quickest tenth of
their row's stretches from one validation to the next.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

KEPT = Path(__file__).resolve().parent.parent / "leaderboards" / "learning"
Curve = list[tuple[float, float]]
"""Decisions and seconds at each validation."""


def main() -> None:
    """Print a line a table: its runs, the hours of a process that they took, and those at their quicker pace."""
    for edition in sorted(KEPT.iterdir()):
        for table in sorted(edition.iterdir()):
            rows = [[curve_of(path) for path in row.glob("seed-*/curve.csv")] for row in sorted(table.iterdir())]
            taken = sum(curve[-1][1] for curves in rows for curve in curves) / 3600
            quick = sum(seconds_at_quicker_pace(curves) for curves in rows if curves) / 3600
            runs = sum(map(len, rows))
            print(f"{edition.name:<8} {table.name:<26} {runs:>3} runs {taken:>6.1f} h {quick:>6.1f} h")


def curve_of(path: Path) -> Curve:
    """What a run had learned from, and how long, at each of its validations."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(float(row["decisions"]), float(row["seconds"])) for row in csv.DictReader(file)]


def seconds_at_quicker_pace(curves: Sequence[Curve]) -> float:
    """Of all runs of a row."""
    paces = sorted(pace for curve in curves for pace in paces_of(curve))
    return paces[len(paces) // 10] * sum(curve[-1][0] for curve in curves)


def paces_of(curve: Curve) -> Iterator[float]:
    """Seconds a decision from each validation to the next, and to the first of a run that has one alone."""
    for (decisions, seconds), (more, later) in pairwise(curve if len(curve) > 1 else [(0.0, 0.0), *curve]):
        yield (later - seconds) / (more - decisions)


if __name__ == "__main__":
    main()
