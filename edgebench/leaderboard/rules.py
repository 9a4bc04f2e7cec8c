"""What a board asks of its entries: the regions with their digests, the episodes, the references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from edgebench.constants import EVAL_SEEDS, WINDOW_TASKS
from edgebench.errors import EdgeBenchError
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


def one_family(regions: Iterable[str], edition: str) -> str:
    """The family of all these regions.

    Raises:
        EdgeBenchError: They are of several families, which no table mixes, or one is not built.
    """
    from edgebench.registry import family

    families = {name: family(name, edition) for name in regions}
    if len(set(families.values())) != 1:
        told = ", ".join(f"{name} ({found})" for name, found in families.items())
        raise EdgeBenchError(f"regions of several families cannot be ranked together: {told}", mend="rank each alone")
    return next(iter(families.values()))


def board_regions(played: Iterable[str], edition: str) -> tuple[str, ...]:
    """The regions of the board on which a run of `played` stands.

    All standard regions for a run with one of them (or with none): leaving out a hard one would flatter. Regions of
    another family, the trap scales or one's own, make a board for each choice of them.

    Raises:
        EdgeBenchError: As `one_family`, for runs without a standard region.
    """
    from edgebench.registry import REGIONS

    wanted = tuple(sorted(played))
    if not wanted or not REGIONS.keys().isdisjoint(wanted):
        return tuple(REGIONS)
    one_family(wanted, edition)
    return wanted


def board_rules(track: str, edition: str, scenario: str, played: Iterable[str] = ()) -> Board:
    """The rules of the board on which a run of the regions `played` stands, from the regions built here.

    Raises:
        EdgeBenchError: A region of the board is not built, or differs from its manifest; or as `board_regions`.
    """
    from edgebench.harness.references import references
    from edgebench.region import load

    rules = {}
    for name in board_regions(played, edition):
        region = load(name, edition=edition)
        scale = references(region, track=track, scenario=scenario, split=SPLIT, seeds=EVAL_SEEDS)
        rules[name] = RegionRules(region.digest, region.task_table(SPLIT).num_rows, scale)
    return Board(track, edition, scenario, rules)
