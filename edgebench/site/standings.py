"""A board's rows as they are shown: tied groups, and where each interval lies on one shared scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edgebench.harness.statistics import Estimate
from edgebench.leaderboard.page import places_label
from edgebench.site.world import Board, Row


@dataclass(frozen=True)
class Scale:
    """The scores from the left end of a bar to its right end; 0 is always among them."""

    low: float
    high: float

    @classmethod
    def around(cls, estimates: Sequence[Estimate]) -> Scale:
        """The scale that holds all these intervals, with a little room."""
        low = min([0.0, *(estimate.low for estimate in estimates)])
        high = max([0.0, *(estimate.high for estimate in estimates)])
        room = 0.03 * max(high - low, 1e-9)
        return cls(low - room, high + room)

    def share(self, score: float) -> float:
        """Where a score lies, in percent from the left."""
        return round(100 * (score - self.low) / (self.high - self.low), 2)


@dataclass(frozen=True)
class Whisker:
    """An interval with its value, in percent of a bar's width."""

    left: float
    right: float
    at: float
    zero: float


def whisker(estimate: Estimate, scale: Scale) -> Whisker:
    """An estimate on a scale."""
    left, right = scale.share(estimate.low), scale.share(estimate.high)
    return Whisker(left, round(100 - right, 2), scale.share(estimate.value), scale.share(0.0))


@dataclass(frozen=True)
class Standing:
    """One row of a board's page.

    Attributes:
        row: The entry.
        rank: As it is printed: `2=` for a shared one, `–` for none.
        places: The 95 % interval of its place, as it is printed.
        order: What sorting by rank sorts by; those without a rank stand last.
        group: Number of the tied group, from 0; -1 without a rank.
        place: `only`, or `first`, `inner` or `last` of a tied group in the order of the table.
        whisker: Its interval.
    """

    row: Row
    rank: str
    places: str
    order: int
    group: int
    place: str
    whisker: Whisker

    @property
    def failed(self) -> int:
        """Episodes that are not `ok`."""
        statuses = self.row.entry.summary.total.statuses
        return sum(count for status, count in statuses.items() if status != "ok")


def standings(board: Board) -> list[Standing]:
    """The rows of a board, ranked ones in the order of their ranks, those without one behind."""
    scale = Scale.around([row.entry.summary.total.score for row in board.rows])
    rows = sorted(board.rows, key=lambda row: (row.rank is None, row.rank or 0))
    sizes = Counter(row.rank for row in rows)
    groups = {rank: number for number, rank in enumerate(dict.fromkeys(row.rank for row in rows if row.rank))}
    found = []
    for number, row in enumerate(rows):
        before = number > 0 and rows[number - 1].rank == row.rank
        after = number + 1 < len(rows) and rows[number + 1].rank == row.rank
        found.append(
            Standing(
                row=row,
                rank=_rank_label(row.rank, sizes[row.rank]),
                places=places_label(board.table.places.get(row.entry.name)),
                order=row.rank if row.rank is not None else len(rows) + 1,
                group=groups[row.rank] if row.rank is not None else -1,
                place="only" if row.rank is None else _place(before=before, after=after),
                whisker=whisker(row.entry.summary.total.score, scale),
            )
        )
    return found


def _rank_label(rank: int | None, sharing: int) -> str:
    if rank is None:
        return "–"
    return f"{rank}=" if sharing > 1 else str(rank)


def _place(*, before: bool, after: bool) -> str:
    if before:
        return "inner" if after else "last"
    return "first" if after else "only"
