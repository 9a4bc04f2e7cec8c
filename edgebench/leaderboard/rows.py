"""Checks of `episodes.csv`: every row on its own, then all of them against the episodes of the board."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from edgebench.harness.episodes import STATUSES
from edgebench.harness.journal import INTEGER_COLUMNS, columns_of
from edgebench.leaderboard.inert import is_plain
from edgebench.leaderboard.problems import Problem
from edgebench.leaderboard.rules import SPLIT, Board
from edgebench.registry import track as find_track
from edgebench.track import Track, named

FILE: Final = "episodes.csv"
ROUNDING: Final = 1e-6
"""What a figure may be beyond its range: sums of many terms are off by rounding."""
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")
_NAMED_AT_MOST: Final = 5
_LONGEST_DETAIL: Final = 1000

Row = Mapping[str, str]
RowCheck = Callable[[Mapping[str, float], int], Iterable[str]]
"""What else is wrong with the figures of an `ok` episode, given the tasks of its window: part of a track."""


def check_rows(table: list[list[str]], board: Board, decision_cpu_ms: float, *, header_row: int = 1) -> list[Problem]:
    """All problems of an episode table.

    Args:
        table: Rows as text, the header first.
        board: What must have been played.
        decision_cpu_ms: The budget of a decision; a mean above it is impossible.
        header_row: Where the header stands in the file; problems are numbered from there.
    """
    columns = columns_of(find_track(board.track))
    if table[0] != list(columns):
        return [Problem(FILE, header_row, f"the columns are not {', '.join(columns)}")]
    problems: list[Problem] = []
    seen: dict[tuple[str, int, int], int] = {}
    for number, cells in enumerate(table[1:], start=header_row + 1):
        found = list(_row_problems(cells, board, decision_cpu_ms))
        problems += [Problem(FILE, number, what) for what in found]
        if len(cells) == len(columns):
            problems += _twice(dict(zip(columns, cells, strict=True)), number, seen)
    return problems + _missing(board, seen)


def _twice(row: Row, number: int, seen: dict[tuple[str, int, int], int]) -> list[Problem]:
    if not all(_WHOLE.fullmatch(row[name]) for name in ("window", "seed")):
        return []
    key = (row["region"], int(row["window"]), int(row["seed"]))
    first = seen.setdefault(key, number)
    return [] if first == number else [Problem(FILE, number, f"the same episode as row {first}")]


def _missing(board: Board, seen: Mapping[tuple[str, int, int], int]) -> list[Problem]:
    missing: dict[str, list[str]] = {}
    for region, window, seed in board.episodes():
        if (region, window, seed) not in seen:
            missing.setdefault(region, []).append(f"window {window} seed {seed}")
    return [
        Problem(FILE, None, f"{len(which)} episodes of region {region} are missing: " + _some(which))
        for region, which in missing.items()
    ]


def _some(items: list[str]) -> str:
    return ", ".join(items[:_NAMED_AT_MOST]) + (", …" if len(items) > _NAMED_AT_MOST else "")


def _row_problems(cells: list[str], board: Board, decision_cpu_ms: float) -> Iterator[str]:
    track = find_track(board.track)
    columns = columns_of(track)
    if len(cells) != len(columns):
        yield f"{len(cells)} cells, expected {len(columns)}"
        return
    row = dict(zip(columns, cells, strict=True))
    yield from _name_problems(row, board)
    if not is_plain(row["detail"]) or len(row["detail"]) > _LONGEST_DETAIL:
        yield f"detail is {row['detail']!r:.40}, not one plain line"
    wrong = [name for name in INTEGER_COLUMNS if not _WHOLE.fullmatch(row[name])]
    yield from (f"{name} is {row[name]!r:.40}, not a whole number" for name in wrong)
    if row["status"] not in STATUSES:
        yield f"status is {row['status']!r:.40}, not one of {', '.join(STATUSES)}"
    elif row["status"] == "ok":
        yield from _figure_problems(row, track, decision_cpu_ms)
    else:
        yield from _floor_problems(row, track)
    if not wrong:
        yield from _place_problems(row, board, track)


def _name_problems(row: Row, board: Board) -> Iterator[str]:
    right = {"track": board.track, "edition": board.edition, "split": SPLIT, "scenario": board.scenario}
    for name, value in right.items():
        if row[name] != value:
            yield f"{name} is {row[name]!r:.40}, the board's is {value!r}"


def _figure_problems(row: Row, track: Track, decision_cpu_ms: float) -> Iterator[str]:
    values = _numbers(row, track)
    for figure in track.figures:
        value = values.get(figure.name, math.nan)
        if not math.isfinite(value):
            yield f"{figure.name} is {row[figure.name]!r:.40}, not a finite number"
        elif value < figure.least - ROUNDING:
            yield f"{figure.name} is {row[figure.name]}, below {figure.least:g}"
        elif value > figure.most + ROUNDING:
            yield f"{figure.name} is {row[figure.name]}, above {figure.most:g}"
    if values.get("decisions", 1.0) % 1:
        yield f"decisions is {row['decisions']}, not a count"
    if values.get("decision_cpu_ms", 0.0) > decision_cpu_ms:
        yield f"decision_cpu_ms is {row['decision_cpu_ms']}, above the budget of {decision_cpu_ms:g}"


def _numbers(row: Row, track: Track) -> dict[str, float]:
    names = (figure.name for figure in track.figures)
    return {name: float(row[name]) for name in names if _NUMBER.fullmatch(row[name])}


def _floor_problems(row: Row, track: Track) -> Iterator[str]:
    for name in (figure.name for figure in track.figures):
        if name not in track.floors and row[name]:
            yield f"{name} is {row[name]!r:.40}, a failed episode has none"
        elif name in track.floors and not (_NUMBER.fullmatch(row[name]) and float(row[name]) == track.floors[name]):
            yield f"{name} is {row[name]!r:.40}, a failed episode has {track.floors[name]:g}"


def _place_problems(row: Row, board: Board, track: Track) -> Iterator[str]:
    rules = board.regions.get(row["region"])
    window, seed = int(row["window"]), int(row["seed"])
    if rules is None:
        yield f"region {row['region']!r:.40} is not of this board"
        return
    if window >= rules.windows or seed >= board.seeds:
        yield f"window {window} seed {seed} is no episode of the board"
        return
    if int(row["episode"]) != window * board.seeds + seed:
        yield f"episode is {row['episode']}, window {window} seed {seed} is number {window * board.seeds + seed}"
    values = _numbers(row, track)
    if row["status"] == "ok" and track.row_check and len(values) == len(track.figures):
        check: RowCheck = named(track.row_check)
        yield from check(values, rules.tasks_in(window))
