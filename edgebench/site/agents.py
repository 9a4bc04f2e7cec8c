"""Agents: the rows that bear one name on the boards of a track and edition, together on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from edgebench.harness.episodes import STATUSES
from edgebench.leaderboard.board import Entry
from edgebench.leaderboard.tags import TAGS
from edgebench.leaderboard.total import tag_score
from edgebench.registry import REGIONS
from edgebench.registry import track as find_track
from edgebench.site.command import eval_command, shown_path
from edgebench.site.plots import Radar, radar
from edgebench.site.standings import Scale, Whisker, whisker
from edgebench.site.world import Board, Row, World

_CAUSES: Final = 12
"""Causes of failures that are listed, the commonest first."""
_LONGEST: Final = 2000
"""Characters of an entry of a manifest that are shown."""
_FIGURES: Final = 6
"""Digits of a figure of an episode."""
_EPISODE: Final = ("region", "window", "seed", "status", "detail")
"""Columns of the table of episodes before the figures."""


@dataclass(frozen=True)
class Showing:
    """A row on a board, None for a run that stands on none."""

    board: Board | None
    row: Row

    @property
    def title(self) -> str:
        """What tells it from the agent's other rows."""
        shared = self.row.entry.conditions
        return f"{shared.scenario}, version {shared.version}"


@dataclass(frozen=True)
class Agent:
    """One page's agent; `showings` in the order of the boards, `trap` of today's version first."""

    track: str
    edition: str
    name: str
    showings: tuple[Showing, ...]


def agents_of(world: World) -> list[Agent]:
    """Every agent of the boards, in the order in which its first board has it."""
    found: dict[tuple[str, str, str], list[Showing]] = {}
    for board in world.boards:
        for row in board.rows:
            key = (board.conditions.track, board.conditions.edition, row.entry.name)
            found.setdefault(key, []).append(Showing(board, row))
    return [Agent(*key, tuple(showings)) for key, showings in found.items()]


def whiskers(showings: Sequence[Showing]) -> list[Whisker]:
    """The intervals of an agent's rows on one scale."""
    scores = [showing.row.entry.summary.total.score for showing in showings]
    scale = Scale.around(scores)
    return [whisker(score, scale) for score in scores]


def causes(row: Row) -> list[tuple[str, str, int]]:
    """Status, detail and number of failed episodes, the commonest first."""
    failed = row.entry.episodes[row.entry.episodes["status"] != "ok"]
    counts = Counter(zip(failed["status"].tolist(), failed["detail"].tolist(), strict=True))
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(status, detail, count) for (status, detail), count in ordered[:_CAUSES]]


def episode_table(row: Row) -> dict[str, Any]:
    """The episodes as plain JSON values: columns with what they mean, and rows, None where there is no figure."""
    figures = find_track(row.entry.conditions.track).figures
    table = row.entry.episodes.sort_values(["region", "window", "seed"])
    columns = [table[name].tolist() for name in _EPISODE]
    columns += [[_short(value) for value in table[figure.name].tolist()] for figure in figures]
    return {
        "columns": [*_EPISODE, *(figure.name for figure in figures)],
        "meanings": [*[""] * len(_EPISODE), *(figure.meaning for figure in figures)],
        "rows": [list(cells) for cells in zip(*columns, strict=True)],
    }


def _short(value: float) -> float | None:
    return None if np.isnan(value) else float(f"{value:.{_FIGURES}g}")


def tag_scores(showings: Sequence[Showing]) -> dict[str, float | None]:
    """Score on the slice of each tag, as on the total board; None where a region of it was not played."""
    entries: dict[str, Entry] = {}
    for showing in showings:
        entries.setdefault(showing.row.entry.conditions.scenario, showing.row.entry)
    return {tag.name: tag_score(entries.get(tag.scenario), tag.regions) for tag in TAGS}


def agent_radar(own: Mapping[str, float | None], name: str, best: Agent | None) -> Radar | None:
    """Tags of an agent, beside those of its track's best; None where it has fewer than three."""
    if sum(value is not None for value in own.values()) < 3:
        return None
    shapes = {name: list(own.values())}
    if best is not None and best.name != name:
        shapes[f"{best.name}, the best"] = list(tag_scores(best.showings).values())
    return radar(list(own), shapes)


def failures(row: Row) -> list[tuple[str, int, float]]:
    """Every status with its episodes and their share of all."""
    counts, total = row.entry.summary.total.statuses, len(row.entry.episodes)
    return [(status, counts[status], counts[status] / total) for status in STATUSES]


def command_of(row: Row) -> str:
    """The command that plays a row again."""
    return eval_command(row.manifest, row.folder, list(REGIONS))


def manifest_lines(row: Row) -> Iterator[tuple[str, str]]:
    """The record of a run as names and words, and where it lies."""
    yield "folder", shown_path(row.folder).as_posix()
    yield from _flat("", row.manifest)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """One level of names within names; what lies deeper, which we never write, as its text."""
    if isinstance(value, Mapping) and value and "." not in name:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key).replace(".", "_"), inner)
    elif value is None or isinstance(value, bool):
        yield name, {None: "–", True: "yes", False: "no"}[value]
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value))[:_LONGEST] or "none"
    else:
        yield name, str(value)[:_LONGEST]
