"""The table of episodes on disk: one row added and flushed after each episode, exact when read back."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgebench.atomic import write_text
from edgebench.errors import EdgeBenchError
from edgebench.harness.episodes import METRICS, EpisodeKey, EpisodeResult

if TYPE_CHECKING:
    import pandas

Row = dict[str, str]
"""One episode as written: every column, as text."""

TEXT_COLUMNS: Final = ("track", "edition", "region", "split", "scenario", "status", "detail")
INTEGER_COLUMNS: Final = ("episode", "window", "seed")
COLUMNS: Final = (
    *("track", "edition", "region", "split", "scenario", "episode", "window", "seed", "status", "detail"),
    *METRICS,
)
"""Columns of `episodes.csv`, in order; an empty cell is a figure that a failed episode does not have."""


def to_row(result: EpisodeResult, *, track: str, edition: str, split: str, episode: int) -> Row:
    """The row of an episode; floats are written so that reading gives the same bits."""
    key = result.key
    front = {"track": track, "edition": edition, "region": key.region, "split": split, "scenario": key.scenario}
    place = {"episode": str(episode), "window": str(key.window), "seed": str(key.seed)}
    values = {name: "" if result.metrics[name] is None else repr(result.metrics[name]) for name in METRICS}
    return {**front, **place, "status": result.status, "detail": result.detail, **values}


def row_key(row: Mapping[str, str]) -> EpisodeKey:
    """Which episode a row is about."""
    return EpisodeKey(row["region"], row["scenario"], int(row["window"]), int(row["seed"]))


class Journal:
    """The rows of a run, mirrored in `episodes.csv` where there is a path.

    A row is on disk before `add` returns. A last line torn by a kill is cut off when the journal is opened.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: list[Row] = []
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        if path.exists():
            _cut_torn_line(path)
            self.rows = read_rows(path) if path.stat().st_size else []
        if not self.rows:
            write_text(path, _lines([dict(zip(COLUMNS, COLUMNS, strict=True))]))

    def add(self, row: Row) -> None:
        """Append one row and wait until it is on disk."""
        self.rows.append(row)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(_lines([row]))
                file.flush()
                os.fsync(file.fileno())

    def finish(self) -> None:
        """Sort the rows by key, here and on disk."""
        self.rows.sort(key=row_key)
        if self.path is not None:
            write_text(self.path, _lines([dict(zip(COLUMNS, COLUMNS, strict=True)), *self.rows]))


def read_rows(path: Path) -> list[Row]:
    """The rows of an `episodes.csv` as text.

    Raises:
        EdgeBenchError: Other columns, a row of another length, an episode twice, or a number that is none.
    """
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = list(csv.reader(file)) or [[]]
    if tuple(header) != COLUMNS:
        raise _foreign(path, 1, "the columns are not those of an episode table")
    rows: list[Row] = []
    seen: set[EpisodeKey] = set()
    for number, line in enumerate(lines, start=2):
        row = _checked_row(line, path, number)
        if row_key(row) in seen:
            raise _foreign(path, number, "this episode occurs twice")
        seen.add(row_key(row))
        rows.append(row)
    return rows


def read_episodes(path: Path) -> pandas.DataFrame:
    """`episodes.csv` as a table with typed columns, bit for bit what was written; EdgeBenchError as in `read_rows`."""
    return to_frame(read_rows(path))


def to_frame(rows: Sequence[Row]) -> pandas.DataFrame:
    """Rows as a table sorted by key: text, int64 and float64 columns, NaN where a failed episode has no figure."""
    import pandas

    ordered = sorted(rows, key=row_key)
    frame = pandas.DataFrame(index=range(len(ordered)))
    for name in COLUMNS:
        texts = [row[name] for row in ordered]
        if name in TEXT_COLUMNS:
            frame[name] = pandas.Series(texts, dtype="str")
        elif name in INTEGER_COLUMNS:
            frame[name] = pandas.Series([int(text) for text in texts], dtype="int64")
        else:
            frame[name] = pandas.Series([float(text or "nan") for text in texts], dtype="float64")
    return frame


def _checked_row(line: list[str], path: Path, number: int) -> Row:
    if len(line) != len(COLUMNS):
        raise _foreign(path, number, f"{len(line)} cells, expected {len(COLUMNS)}")
    row = dict(zip(COLUMNS, line, strict=True))
    for name in (*INTEGER_COLUMNS, *METRICS):
        try:
            int(row[name]) if name in INTEGER_COLUMNS else float(row[name] or "nan")
        except ValueError as error:
            raise _foreign(path, number, f"{name} is {row[name]!r}, not a number") from error
    return row


def _cut_torn_line(path: Path) -> None:
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)


def _lines(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([row[name] for name in COLUMNS] for row in rows)
    return text.getvalue()


def _foreign(path: Path, number: int, what: str) -> EdgeBenchError:
    return EdgeBenchError(what, where=f"{path}, row {number}", mend="run the evaluation again")
