"""One thing wrong with a submission, and reading its files without ever stumbling over them."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgebench.foreign import json_object

MAX_BYTES: Final = 64 * 2**20
"""No file of a submission is larger."""


@dataclass(frozen=True)
class Problem:
    """What is wrong, in which file, and in which row of a table (the header is row 1; None where it is no row)."""

    file: str
    row: int | None
    what: str

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}, row {self.row}"
        return f"{place}: {self.what}"


def unfit_files(folder: Path, names: Iterable[str]) -> list[Problem]:
    """The files of a submission that are links, or larger than any may be; nothing of them is read."""
    found = []
    for name in names:
        if (folder / name).is_symlink():
            found.append(Problem(name, None, "a link, not a file"))
        elif (folder / name).is_file() and (folder / name).stat().st_size > MAX_BYTES:
            found.append(Problem(name, None, f"larger than {MAX_BYTES} bytes"))
    return found


def read_text(folder: Path, name: str, problems: list[Problem], most: int = MAX_BYTES) -> str | None:
    """The text of a file of the submission of at most so many bytes; None, and a problem, where it cannot be had."""
    try:
        if not (folder / name).is_file():
            raise OSError("missing")
        if (folder / name).stat().st_size > most:
            raise OSError(f"larger than {most} bytes")
        return (folder / name).read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        problems.append(Problem(name, None, f"cannot be read: {error}"))
    return None


def read_object(folder: Path, name: str, problems: list[Problem]) -> dict[str, Any] | None:
    """The JSON object in a file of the submission; None, and a problem, where there is none."""
    text = read_text(folder, name, problems)
    if text is None:
        return None
    try:
        return json_object(text)
    except ValueError as error:
        problems.append(Problem(name, None, str(error)))
    return None


def sha256_of(folder: Path, name: str, problems: list[Problem]) -> str | None:
    """SHA-256 of a file of the submission; None, and a problem, where it cannot be had."""
    try:
        with (folder / name).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        problems.append(Problem(name, None, f"cannot be read: {error.strerror or error}"))
    return None


def read_table(folder: Path, name: str, problems: list[Problem], most: int = MAX_BYTES) -> list[list[str]] | None:
    """All rows of a CSV file with its header first; None, and a problem, where there are none."""
    text = read_text(folder, name, problems, most)
    if text is None:
        return None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        problems.append(Problem(name, None, f"no CSV: {error}"))
        return None
    if not rows:
        problems.append(Problem(name, None, "empty"))
        return None
    return rows


def differences(stated: Any, right: Any, place: str = "") -> list[str]:
    """Where two trees of plain JSON values differ, one line a leaf; numbers may differ by rounding."""
    if isinstance(stated, dict) and isinstance(right, dict):
        keys = sorted({*stated, *right})
        return [line for key in keys for line in _differ(stated, right, key, _inside(place, key))]
    if isinstance(stated, list) and isinstance(right, list) and len(stated) == len(right):
        pairs = enumerate(zip(stated, right, strict=True))
        return [line for index, (a, b) in pairs for line in differences(a, b, f"{place}[{index}]")]
    if _same(stated, right):
        return []
    return [f"{place} is {stated!r:.60}, recomputed it is {right!r:.60}"]


def _inside(place: str, key: str) -> str:
    name = key if key.isascii() and key.isprintable() else ascii(key)
    return f"{place}.{name:.60}".lstrip(".")


def _differ(stated: dict[str, Any], right: dict[str, Any], key: str, place: str) -> list[str]:
    if key not in stated:
        return [f"{place} is missing"]
    if key not in right:
        return [f"{place} is not an entry of a summary"]
    return differences(stated[key], right[key], place)


def _same(stated: Any, right: Any) -> bool:
    if type(stated) in (int, float) and type(right) in (int, float):
        return math.isclose(stated, right, rel_tol=1e-9, abs_tol=1e-12)
    return type(stated) is type(right) and bool(stated == right)
