"""Files of earlier data sets as columns of text: names in any case, UTF-8 or GBK, headers of several spellings."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from builders.importers.report import Report
from edgebench.errors import EdgeBenchError

SERVER_COLUMNS: Final = {
    "server": ("ServerID",),
    "lon": ("Longitude", "ServerLongitude"),
    "lat": ("Latitude", "ServerLatitude"),
    "mbps": ("LinkBandwidth",),
    "compute": ("ComputationCapacity",),
    "storage": ("StorageCapacity",),
}
"""What both systems tell of a server, by the names their columns go by."""
_POINTER: Final = b"version https://git-lfs.github.com/spec/v1"
_POINTER_BYTES: Final = 1024
"""A pointer has three short lines."""


@dataclass(frozen=True)
class Sheet:
    """A CSV file as text.

    Attributes:
        file: Name without folders.
        columns: Cells by column name, in the caller's spelling.
        lines: Line of each row, the header being line 1.
    """

    file: str
    columns: dict[str, list[str]]
    lines: list[int]


def find_file(folder: Path, pattern: str, meaning: str) -> Path:
    """The one file of `folder` whose name matches `pattern`, in any case.

    Raises:
        EdgeBenchError: There is no such file, or several.
    """
    if not folder.is_dir():
        raise EdgeBenchError("no such folder", where=str(folder), mend="name the folder that holds the data's files")
    found = [path for path in sorted(folder.iterdir()) if re.fullmatch(pattern, path.name, re.IGNORECASE)]
    if len(found) != 1:
        what = f"{len(found)} files look like {meaning}" if found else f"no file looks like {meaning}"
        names = ", ".join(path.name for path in found) or f"expected a name like {pattern}"
        raise EdgeBenchError(what, where=f"{folder}: {names}", mend="name the folder of one topology, as published")
    return found[0]


def pointer_size(path: Path) -> int | None:
    """The bytes of the file that a Git-LFS pointer stands for; None where `path` is no pointer."""
    if path.stat().st_size > _POINTER_BYTES or not path.read_bytes().startswith(_POINTER):
        return None
    size = re.search(rb"^size (\d+)$", path.read_bytes(), re.MULTILINE)
    return int(size[1]) if size else 0


def read_text(path: Path, report: Report) -> str:
    """The file's text, UTF-8 or, where that fails, GBK, which is noted.

    Raises:
        EdgeBenchError: It is a Git-LFS pointer, or in neither encoding.
    """
    size = pointer_size(path)
    if size is not None:
        raise EdgeBenchError(
            f"a Git-LFS pointer stands here in place of the file, which has {size:,} bytes",
            where=str(path),
            mend="fetch the file itself: git lfs pull",
        )
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
    try:
        text = raw.decode("gbk")
    except UnicodeDecodeError as error:
        raise EdgeBenchError("neither UTF-8 nor GBK", where=str(path), mend="save the file as UTF-8") from error
    report.note("encoding", path.name, row, "the file is not UTF-8", "read as GBK")
    return text


def read_cells(path: Path, report: Report) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, rows and their lines; blank rows are left out, empty columns after the last named one are noted.

    Raises:
        EdgeBenchError: As `read_text`; or the file is empty or no CSV.
    """
    reader = csv.reader(io.StringIO(read_text(path, report), newline=""))
    try:
        rows = [([cell.strip() for cell in row], reader.line_num) for row in reader]
    except csv.Error as error:
        where = f"{path}, row {reader.line_num}"
        raise EdgeBenchError(f"no CSV: {error}", where=where, mend="fetch the file again") from error
    rows = [(row, line) for row, line in rows if any(row)]
    if not rows:
        raise EdgeBenchError("the file is empty", where=str(path), mend="fetch the file again")
    header, width = rows[0][0], len(rows[0][0])
    while width and not any(row[width - 1 : width] != [""] and len(row) >= width for row, _ in rows):
        width -= 1
    if width < len(header):
        extra = len(header) - width
        report.note("empty columns", path.name, 1, f"{extra} empty columns after the last", "left out")
    padded = [[*row, *[""] * width][:width] for row, _ in rows[1:]]
    return header[:width], padded, [line for _, line in rows[1:]]


def read_sheet(
    path: Path, names: Mapping[str, Sequence[str]], report: Report, *, optional: Sequence[str] = ()
) -> Sheet:
    """Read the columns `names`, each under its own name or one of the spellings given for it, in any case.

    Another spelling than the first is noted. A column that is `optional` and missing is empty.

    Raises:
        EdgeBenchError: A column is missing.
    """
    header, rows, lines = read_cells(path, report)
    places = {cell.lower(): index for index, cell in enumerate(header)}
    columns = {}
    for name, spellings in names.items():
        found = next((spelling for spelling in spellings if spelling.lower() in places), None)
        if found is None and name in optional:
            columns[name] = [""] * len(rows)
            continue
        if found is None:
            raise EdgeBenchError(
                f"no column {spellings[0]}", where=f"{path}: {', '.join(header)}", mend="give the file as published"
            )
        place = places[found.lower()]
        if header[place] != spellings[0]:
            report.note("column name", path.name, 1, f"{spellings[0]} is called {header[place]}", "read as the same")
        columns[name] = [row[place] for row in rows]
    return Sheet(path.name, columns, lines)


def number(text: str) -> float | None:
    """The finite number `text` spells, else None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def string_list(text: str) -> list[object] | None:
    """The list that `text` spells as JSON, else None; nothing is ever evaluated."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def as_table(
    texts: Mapping[str, Sequence[str]], figures: Mapping[str, Sequence[float | None]], lines: Sequence[int]
) -> pl.DataFrame:
    """Columns of text, of numbers and the line of each row; of these types also where there are no rows."""
    schema = {**dict.fromkeys(texts, pl.String), **dict.fromkeys(figures, pl.Float64), "line": pl.Int64}
    return pl.DataFrame({**texts, **figures, "line": lines}, schema=schema)


def read_numbers(
    sheet: Sheet, names: Sequence[str], report: Report, *, needed: bool = False
) -> tuple[dict[str, list[float]], list[int]]:
    """The columns `names` as numbers, and the rows that have all of them.

    A row with anything else is left out by mending, or refused always where it is `needed`.
    """
    kept: list[int] = []
    for row, line in enumerate(sheet.lines):
        bad = [name for name in names if number(sheet.columns[name][row]) is None]
        if not bad:
            kept.append(row)
            continue
        what = f"{bad[0]} is {sheet.columns[bad[0]][row]!r}, not a number"
        if needed:
            report.fatal("unreadable", sheet.file, line, what)
        else:
            report.mend("unreadable", sheet.file, line, what, "the row is left out")
    return {name: [float(sheet.columns[name][row]) for row in kept] for name in names}, kept
