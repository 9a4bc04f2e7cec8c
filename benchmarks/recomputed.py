"""How runs made anew compare with the kept ones, row by row, on the same test episodes in the scenario trap.

Run: edgebench reproduce --table route
     python benchmarks/recomputed.py     (or with the folder that --out named)

A line a row: the kept score and the new one, what the new one is above it with its paired 95 % interval, and of how
many training seeds every score of every test episode is the same. Rows of which a seed is missing are left out.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgebench.harness.statistics import paired_difference, total_score
from edgebench.paths import home
from edgebench.registry import DEFAULT_SCENARIO
from edgebench.reproduce.outcome import read_outcome
from edgebench.reproduce.runs import SCORES, Plan
from edgebench.reproduce.tables import SEEDS, TABLES

KEPT = Path(__file__).resolve().parent.parent / "leaderboards" / "learning"


def main(made: Path) -> None:
    """Print every table of which there are rows in both folders."""
    for kept, new in plans(made):
        print(f"\n{new.folder.relative_to(made)}")
        print(f"{'':<28} {'kept':>6} {'new':>6} {'difference':>10} {'95 % interval':>16}  the same")
        print_rows(kept, new)


def plans(made: Path) -> Iterator[tuple[Plan, Plan]]:
    """Of the rows that both folders have, the kept plan and the new one."""
    for table in TABLES.values():
        for folder in sorted(made.glob(f"*/{table.name}-{table.steps}")):
            edition = folder.parent.name
            kept = KEPT / edition / folder.name
            labels = [row.label for row in table.rows if played(kept / row.label) and played(folder / row.label)]
            if labels:
                rows = dataclasses.replace(table.only(labels), agents=(), scenarios=(DEFAULT_SCENARIO,))
                yield Plan(rows, kept, edition, SEEDS, table.steps), Plan(rows, folder, edition, SEEDS, table.steps)


def played(row: Path) -> bool:
    """Whether every training seed of a row has been played."""
    return all((row / f"seed-{seed}" / SCORES).is_file() for seed in range(SEEDS))


def print_rows(kept: Plan, new: Plan) -> None:
    """A line a row."""
    before, after = (read_outcome(plan).scores for plan in (kept, new))
    for row in new.table.rows:
        old, fresh = (scores[row.label][DEFAULT_SCENARIO] for scores in (before, after))
        found = paired_difference(fresh, old).total
        interval = f"{found.low:+.3f} – {found.high:+.3f}"
        line = f"{row.label:<28} {total_score(old).value:>6.3f} {total_score(fresh).value:>6.3f} {found.value:>+10.3f}"
        print(f"{line} {interval:>16}  {same(kept.folder / row.label, new.folder / row.label)} of {SEEDS}")


def same(one: Path, other: Path) -> int:
    """How many training seeds have the same scores."""
    return sum(scores_of(one, seed) == scores_of(other, seed) for seed in range(SEEDS))


def scores_of(row: Path, seed: int) -> Any:
    """By region what a training seed's run scored in every test episode."""
    kept = json.loads((row / f"seed-{seed}" / SCORES).read_bytes())["scores"]
    return {region: played[DEFAULT_SCENARIO] for region, played in kept.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else home() / "runs" / "reproduce")
