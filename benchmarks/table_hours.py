"""What the learning behind the published tables took, as the kept runs' curves say.

Run: python benchmarks/table_hours.py
"""

from __future__ import annotations

import csv
from pathlib import Path

KEPT = Path(__file__).resolve().parent.parent / "leaderboards" / "learning"


def main() -> None:
    """Print a line a table: its runs and the hours of a process that they took."""
    for edition in sorted(KEPT.iterdir()):
        for table in sorted(edition.iterdir()):
            seconds = [seconds_of(curve) for curve in table.glob("*/seed-*/curve.csv")]
            print(f"{edition.name:<8} {table.name:<26} {len(seconds):>3} runs {sum(seconds) / 3600:>6.1f} h")


def seconds_of(curve: Path) -> float:
    """How long a run had learned at its last validation."""
    with curve.open(encoding="utf-8", newline="") as file:
        return float(list(csv.DictReader(file))[-1]["seconds"])


if __name__ == "__main__":
    main()
