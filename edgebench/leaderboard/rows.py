"""Checks of `episodes.csv`: every row on its own, then all of them against the episodes of the board."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from edgebench.harness.episodes import METRICS, STATUSES
from edgebench.harness.journal import COLUMNS, INTEGER_COLUMNS
from edgebench.leaderboard.problems import Problem
from edgebench.leaderboard.rules import SPLIT, Board
from edgebench.registry import TRACKS

FILE: Final = "episodes.csv"
SHARES: Final = ("utility", "success", "quality", "jain")
"""Figures between 0 and 1; all others are at least 0."""
RISING: Final = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
REWARD_ROUNDING: Final = 1e-6
"""Rewards are summed step by step, so that an episode's may be off the sum of utilities, below 0 too, by rounding."""
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")
_NAMED_AT_MOST: Final = 5

Row = Mapping[str, str]


def check_rows(table: list[list[str]], board: Board, decision_cpu_ms: float) -> list[Problem]:
    """All problems of an episode table.

    Args:
        table: Rows as text, the header first.
        board: What must have been played.
        decision_cpu_ms: The budget of a decision; a mean above it is impossible.
    """
    if table[0] != list(COLUMNS):
        return [Problem(FILE, 1, f"the columns are not {', '.join(COLUMNS)}")]
    problems: list[Problem] = []
    seen: dict[tuple[str, int, int], int] = {}
    for number, cells in enumerate(table[1:], start=2):
        found = list(_row_problems(cells, board, decision_cpu_ms))
        problems += [Problem(FILE, number, what) for what in found]
        if len(cells) == len(COLUMNS):
            problems += _twice(dict(zip(COLUMNS, cells, strict=True)), number, seen)
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
    if len(cells) != len(COLUMNS):
        yield f"{len(cells)} cells, expected {len(COLUMNS)}"
        return
    row = dict(zip(COLUMNS, cells, strict=True))
    yield from _name_problems(row, board)
    wrong = [name for name in INTEGER_COLUMNS if not _WHOLE.fullmatch(row[name])]
    yield from (f"{name} is {row[name]!r:.40}, not a whole number" for name in wrong)
    if row["status"] not in STATUSES:
        yield f"status is {row['status']!r:.40}, not one of {', '.join(STATUSES)}"
    elif row["status"] == "ok":
        yield from _figure_problems(row, decision_cpu_ms)
    else:
        yield from _floor_problems(row)
    if not wrong:
        yield from _place_problems(row, board)


def _name_problems(row: Row, board: Board) -> Iterator[str]:
    right = {"track": board.track, "edition": board.edition, "split": SPLIT, "scenario": board.scenario}
    for name, value in right.items():
        if row[name] != value:
            yield f"{name} is {row[name]!r:.40}, the board's is {value!r}"


def _figure_problems(row: Row, decision_cpu_ms: float) -> Iterator[str]:
    values = {name: float(row[name]) for name in METRICS if _NUMBER.fullmatch(row[name])}
    for name in METRICS:
        if name not in values or not math.isfinite(values[name]):
            yield f"{name} is {row[name]!r:.40}, not a finite number"
        elif values[name] < (-REWARD_ROUNDING if name == "reward" else 0.0):
            yield f"{name} is {row[name]}, below 0"
        elif name in SHARES and values[name] > 1:
            yield f"{name} is {row[name]}, above 1"
    ordered = [values.get(name, math.nan) for name in RISING]
    if ordered[0] > ordered[1] or ordered[1] > ordered[2]:
        yield "the latency percentiles do not rise"
    if values.get("decisions", 1.0) < 1 or values.get("decisions", 1.0) % 1:
        yield f"decisions is {row['decisions']}, not a count"
    if values.get("decision_cpu_ms", 0.0) > decision_cpu_ms:
        yield f"decision_cpu_ms is {row['decision_cpu_ms']}, above the budget of {decision_cpu_ms:g}"


def _floor_problems(row: Row) -> Iterator[str]:
    track = TRACKS.get(row["track"])
    floors = {"success": 0.0} | ({track.metric: track.floor} if track else {})
    for name in METRICS:
        if name not in floors and row[name]:
            yield f"{name} is {row[name]!r:.40}, a failed episode has none"
        elif name in floors and not (_NUMBER.fullmatch(row[name]) and float(row[name]) == floors[name]):
            yield f"{name} is {row[name]!r:.40}, a failed episode has {floors[name]:g}"


def _place_problems(row: Row, board: Board) -> Iterator[str]:
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
    if row["status"] == "ok" and _NUMBER.fullmatch(row["utility"]) and _NUMBER.fullmatch(row["reward"]):
        total = float(row["utility"]) * rules.tasks_in(window)
        if not math.isclose(total, float(row["reward"]), rel_tol=REWARD_ROUNDING, abs_tol=REWARD_ROUNDING):
            yield f"reward is {row['reward']}, the utilities of its tasks sum to {total:.9g}"
