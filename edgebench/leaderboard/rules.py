"""What a board asks of its entries: the regions with their digests, the episodes, the references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from edgebench.constants import EVAL_SEEDS, WINDOW_TASKS
from edgebench.harness.statistics import Scale

SPLIT: Final = "test"
"""Boards are of the test tasks."""


@dataclass(frozen=True)
class RegionRules:
    """One region of a board: its digest, the number of its test tasks, the references scores are measured against."""

    digest: str
    tasks: int
    references: Scale

    @property
    def windows(self) -> int:
        """Episodes' worth of tasks."""
        return -(-self.tasks // WINDOW_TASKS)

    def tasks_in(self, window: int) -> int:
        """Tasks of one window; the last may hold fewer than the others."""
        return min(WINDOW_TASKS, self.tasks - window * WINDOW_TASKS)


@dataclass(frozen=True)
class Board:
    """One board; every entry has played every episode of every region exactly once."""

    track: str
    edition: str
    scenario: str
    regions: Mapping[str, RegionRules]
    seeds: int = EVAL_SEEDS

    def episodes(self) -> Iterator[tuple[str, int, int]]:
        """All (region, window, seed), in order."""
        for name, rules in sorted(self.regions.items()):
            yield from ((name, window, seed) for window in range(rules.windows) for seed in range(self.seeds))


def board_rules(track: str, edition: str, scenario: str) -> Board:
    """The rules of a board, from the regions built here.

    Raises:
        EdgeBenchError: A region of the board is not built, or differs from its manifest.
    """
    from edgebench.harness.references import references
    from edgebench.region import load
    from edgebench.registry import REGIONS

    rules = {}
    for name in REGIONS:
        region = load(name, edition=edition)
        scale = references(region, track=track, scenario=scenario, split=SPLIT, seeds=EVAL_SEEDS)
        rules[name] = RegionRules(region.digest, region.task_table(SPLIT).num_rows, scale)
    return Board(track, edition, scenario, rules)
