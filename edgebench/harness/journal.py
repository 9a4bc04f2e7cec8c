"""The table of episodes on disk: one row added and flushed after each episode, exact when read back."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgebench.atomic import telling_refusal, write_text
from edgebench.errors import EdgeBenchError
from edgebench.harness.episodes import EpisodeKey, EpisodeResult
from edgebench.track import Track

if TYPE_CHECKING:
    import pandas

Row = dict[str, str]
"""One episode as written: every column, as text."""

TEXT_COLUMNS: Final = ("track", "edition", "region", "split", "scenario", "status", "detail")
INTEGER_COLUMNS: Final = ("episode", "window", "seed")
FRONT_COLUMNS: Final = (
    *("track", "edition", "region", "split", "scenario", "episode", "window", "seed", "status", "detail"),
)
"""The first columns of `episodes.csv`, in order, the same for all tracks."""


MEASURED_TIMES: Final = ("decision_cpu_ms",)
"""Columns of times that were measured: all others are the same whenever and wherever an episode is played."""


_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")


def columns_of(track: Track) -> tuple[str, ...]:
    """Columns of a track's `episodes.csv`, in order; an empty cell is a figure that a failed episode does not have."""
    return (*FRONT_COLUMNS, *(figure.name for figure in track.figures))


def to_row(result: EpisodeResult, *, track: str, edition: str, split: str, episode: int) -> Row:
    """The row of an episode; floats are written so that reading gives the same bits."""
    key = result.key
    front = {"track": track, "edition": edition, "region": key.region, "split": split, "scenario": key.scenario}
    place = {"episode": str(episode), "window": str(key.window), "seed": str(key.seed)}
    values = {name: "" if value is None else repr(value) for name, value in result.metrics.items()}
    return {**front, **place, "status": result.status, "detail": result.detail, **values}


def row_key(row: Mapping[str, str]) -> EpisodeKey:
    """Which episode a row is about."""
    return EpisodeKey(row["region"], row["scenario"], int(row["window"]), int(row["seed"]))


class Journal:
    """The rows of a run on one track, mirrored in `episodes.csv` where there is a path.

    A row is on disk before `add` returns. A last line torn by a kill is cut off when the journal is opened.
    """

    def __init__(self, path: Path | None, track: Track) -> None:
        self.path, self._columns = path, columns_of(track)
        self._track = track
        self.rows: list[Row] = []
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        if path.exists():
            _cut_torn_line(path)
            self.rows = read_rows(path, self._track) if path.stat().st_size else []
        if not self.rows:
            write_text(path, self._lines([self._header()]))

    def add(self, row: Row) -> None:
        """Append one row and wait until it is on disk."""
        self.rows.append(row)
        if self.path is not None:
            with telling_refusal(self.path), self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(self._lines([row]))
                file.flush()
                os.fsync(file.fileno())

    def finish(self) -> None:
        """Sort the rows by key, here and on disk."""
        self.rows.sort(key=row_key)
        if self.path is not None:
            write_text(self.path, self._lines([self._header(), *self.rows]))

    def _header(self) -> Row:
        return dict(zip(self._columns, self._columns, strict=True))

    def _lines(self, rows: Sequence[Row]) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([row[name] for name in self._columns] for row in rows)
        return text.getvalue()


def read_rows(path: Path, track: Track) -> list[Row]:
    """The rows of a track's `episodes.csv` as text.

    Raises:
        EdgeBenchError: Other columns, a row of another length, an episode twice, or a number that is none.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except (csv.Error, UnicodeDecodeError) as error:
        raise EdgeBenchError(f"no table: {error}", where=str(path), mend="run the evaluation again") from error
    columns = columns_of(track)
    if tuple(header) != columns:
        raise _foreign(path, 1, "the columns are not those of an episode table")
    rows: list[Row] = []
    seen: set[EpisodeKey] = set()
    for number, line in enumerate(lines, start=2):
        row = _checked_row(line, columns, path, number)
        if row_key(row) in seen:
            raise _foreign(path, number, "this episode occurs twice")
        seen.add(row_key(row))
        rows.append(row)
    return rows


def read_episodes(path: Path, track: Track) -> pandas.DataFrame:
    """`episodes.csv` as a table with typed columns, bit for bit what was written; EdgeBenchError as in `read_rows`."""
    return to_frame(read_rows(path, track), track)


def to_frame(rows: Sequence[Row], track: Track) -> pandas.DataFrame:
    """Rows of a track as a table sorted by key: text, int64 and float64 columns, NaN where there is no figure."""
    import pandas

    ordered = sorted(rows, key=row_key)
    frame = pandas.DataFrame(index=range(len(ordered)))
    for name in columns_of(track):
        texts = [row[name] for row in ordered]
        if name in TEXT_COLUMNS:
            frame[name] = pandas.Series(texts, dtype="str")
        elif name in INTEGER_COLUMNS:
            frame[name] = pandas.Series([int(text) for text in texts], dtype="int64")
        else:
            frame[name] = pandas.Series([float(text or "nan") for text in texts], dtype="float64")
    return frame


def _checked_row(line: list[str], columns: tuple[str, ...], path: Path, number: int) -> Row:
    if len(line) != len(columns):
        raise _foreign(path, number, f"{len(line)} cells, expected {len(columns)}")
    row = dict(zip(columns, line, strict=True))
    for name in (*INTEGER_COLUMNS, *columns[len(FRONT_COLUMNS) :]):
        if not _is_number(row[name], whole=name in INTEGER_COLUMNS):
            raise _foreign(path, number, f"{name} is {row[name]!r:.60}, not a number")
    return row


def _is_number(text: str, *, whole: bool) -> bool:
    if whole:
        return _WHOLE.fullmatch(text) is not None
    try:
        float(text or "nan")
    except ValueError:
        return False
    return True


def _cut_torn_line(path: Path) -> None:
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)


def _foreign(path: Path, number: int, what: str) -> EdgeBenchError:
    return EdgeBenchError(what, where=f"{path}, row {number}", mend="run the evaluation again")
