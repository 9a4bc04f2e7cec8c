"""The ledger of the boards, `leaderboards/LEDGER.md`: a line for all that ever happened to a row, the newest last.

Only `edgebench submit`, `verify`, `withdraw` and `edgebench.leaderboard.renew` write it. A row's status is what the
ledger says of the row's present files: a row that was changed after its verification is self-reported again.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from edgebench import __version__
from edgebench.atomic import sweep, write_text
from edgebench.errors import EdgeBenchError
from edgebench.harness.manifest import now
from edgebench.harness.run import EPISODES, RUN_FILES
from edgebench.leaderboard.inert import inert_markdown
from edgebench.locks import alone

FILE: Final = "LEDGER.md"
BOARDS: Final = "leaderboards"
SELF_REPORTED, VERIFIED, MISMATCH, UNREPRODUCIBLE = MARKS = ("self-reported", "verified", "mismatch", "unreproducible")
"""What a row's status can be."""
_BEST_FIRST: Final = (VERIFIED, SELF_REPORTED, UNREPRODUCIBLE, MISMATCH)
CHANGES: Final = ("added", "rescored", "replaced", "removed")
"""What can happen to a row; a verification ends in one of `MARKS[1:]`."""
LONGEST_REASON: Final = 300
_LOCK: Final = ".LEDGER.lock"
_BEGUN: Final = ".LEDGER.begun"
"""Holds the line of a change to an entry while it is made."""
_PATIENCE_S: Final = 120.0
_MAX_BYTES: Final = 64 * 2**20
_NONE: Final = "–"
_UNTOLD: Final = "found so: changed without the tool, or the tool was stopped before its line"
_WORD: Final = r"[a-z0-9][a-z0-9_-]{0,63}"
_FORMS: Final = {
    "date": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"),
    "board": re.compile(rf"{_WORD}/{_WORD}/{_WORD}"),
    "entry": re.compile(r"[a-z0-9][a-z0-9-]{0,63}"),
    "what": re.compile("|".join((*CHANGES, *MARKS[1:]))),
    "checked": re.compile(rf"[0-9]{{1,9}}/[0-9]{{1,9}}|{_NONE}"),
    "reason": re.compile(r".+"),
    "episodes": re.compile(rf"[0-9a-f]{{64}}|{_NONE}"),
    "files": re.compile(rf"[0-9a-f]{{64}}|{_NONE}"),
    "version": re.compile(r"[0-9a-z.+-]{1,40}"),
}
_HEAD: Final = (
    "# Ledger of the leaderboards",
    "",
    "A line for all that happens to a row: added, rescored, replaced, removed; verified, a mismatch, unreproducible.",
    "The newest is the last. Only the tool writes here (`edgebench submit`, `verify`, `withdraw`); never edit it.",
    "`checked`: episodes played again, of all. `episodes`: SHA-256 of `episodes.csv`. `files`: over all files of the",
    "entry. See [docs/submitting.md](../docs/submitting.md).",
    "",
    f"| {' | '.join(_FORMS)} |",
    f"| {' | '.join('---' for _ in _FORMS)} |",
)


@dataclass(frozen=True)
class Line:
    """One line: what happened to which row, when, why, and what the row's files were then.

    Attributes:
        date: UTC, ISO 8601 to the second.
        board: `track/edition/scenario`.
        entry: The row's name.
        what: One of `CHANGES`, or of `MARKS` but the first.
        checked: `K/N` of a verification: episodes played again, of all; `–` for a change.
        reason: Why, in one line.
        episodes: SHA-256 of `episodes.csv`, `–` where there is none.
        files: SHA-256 over all files of the entry, `–` where there is none.
        version: Of EdgeBench, which wrote the line.
    """

    date: str
    board: str
    entry: str
    what: str
    checked: str
    reason: str
    episodes: str
    files: str
    version: str

    def __post_init__(self) -> None:
        """Refuse a line that could not be read again."""
        for name, form in _FORMS.items():
            if name == "reason":
                check_reason(self.reason)
            elif not form.fullmatch(getattr(self, name)):
                raise EdgeBenchError(f"{name} of a ledger's line is {getattr(self, name)!r:.80}")

    def text(self) -> str:
        """The line as a row of the table, nothing in it markup."""
        cells = [inert_markdown(getattr(self, field.name)) if field.name == "reason" else getattr(self, field.name)
                 for field in fields(self)]  # fmt: skip
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Status:
    """How far a row can be believed.

    Attributes:
        mark: One of `MARKS`.
        checked: Episodes that were played again.
        episodes: All episodes of the row, 0 where it was never verified.
        date: Of the verification, "" where there was none.
        reason: What the verification found, "" where there was none.
    """

    mark: str = SELF_REPORTED
    checked: int = 0
    episodes: int = 0
    date: str = ""
    reason: str = ""

    def __str__(self) -> str:
        partly = self.mark == VERIFIED and self.checked < self.episodes
        return f"{self.mark} {self.checked}/{self.episodes}" if partly else self.mark


def weakest(parts: Sequence[Status]) -> Status:
    """The status of what is made of several rows: the weakest mark among them, of the episodes of all that bear it."""
    mark = max((part.mark for part in parts), key=_BEST_FIRST.index)
    same = [part for part in parts if part.mark == mark]
    return Status(mark, sum(part.checked for part in same), sum(part.episodes for part in same))


def check_reason(reason: str) -> None:
    """Refuse a reason that is no line of printable text."""
    if not (reason.isprintable() and 0 < len(reason) <= LONGEST_REASON and reason == " ".join(reason.split())):
        raise EdgeBenchError(
            f"the reason {reason!r:.60} cannot stand in the ledger",
            mend=f"one line of at most {LONGEST_REASON} printable characters, words a space apart",
        )


class Digests(NamedTuple):
    """SHA-256 of an entry's episodes and over all its files, `–` where there are none."""

    episodes: str
    files: str


class Place(NamedTuple):
    """Where an entry stands: the folder of all boards, `track/edition/scenario`, the entry's name."""

    boards: Path
    board: str
    entry: str


def place_of(folder: Path) -> Place | None:
    """The place of an entry's folder `leaderboards/<track>/<edition>/<scenario>/<entry>`; None for any other folder."""
    whole = folder.resolve()
    if len(whole.parents) < 5 or whole.parents[3].name != BOARDS:
        return None
    board = "/".join(whole.parts[-4:-1])
    return Place(whole.parents[3], board, whole.name)


def digests_of(folder: Path) -> Digests:
    """Digests of the files of an entry as they are now."""
    found = {name: (folder / name).read_bytes() for name in RUN_FILES if (folder / name).is_file()}
    if not found:
        return Digests(_NONE, _NONE)
    whole = hashlib.sha256()
    for name, data in found.items():
        whole.update(f"{name} {len(data)}\n".encode())
        whole.update(data)
    episodes = hashlib.sha256(found[EPISODES]).hexdigest() if EPISODES in found else _NONE
    return Digests(episodes, whole.hexdigest())


def status_of(folder: Path) -> Status:
    """The status of the entry in `folder`, as its ledger tells for the entry's present files.

    A row that was never verified, or was changed since, is self-reported; so is a run that is on no board. Of several
    verifications of the same files the latest counts, of verified ones that of most episodes.

    Args:
        folder: `leaderboards/<track>/<edition>/<scenario>/<entry>`, or any run folder.

    Raises:
        EdgeBenchError: The ledger is damaged.
    """
    place = place_of(folder)
    lines = [] if place is None else read_ledger(place.boards / FILE)
    return Status() if place is None or not lines else _status(lines, place, digests_of(folder).files)


def _status(lines: Sequence[Line], place: Place, files: str) -> Status:
    status = Status()
    for line in lines:
        if (line.board, line.entry, line.files) != (place.board, place.entry, files) or line.what in CHANGES:
            continue
        checked, episodes = map(int, line.checked.split("/"))
        if line.what == status.mark == VERIFIED and checked < status.checked:
            continue
        status = Status(line.what, checked, episodes, line.date, line.reason)
    return status


def read_ledger(path: Path) -> list[Line]:
    """All lines, the oldest first; none where there is no ledger yet.

    Raises:
        EdgeBenchError: It is damaged or was edited; the first wrong line is named.
    """
    if not path.is_file():
        return []
    if path.stat().st_size > _MAX_BYTES:
        raise _damaged(path, 0, f"larger than {_MAX_BYTES} bytes")
    return list(_parsed(path, path.read_bytes()))


@lru_cache(maxsize=2)
def _parsed(path: Path, data: bytes) -> tuple[Line, ...]:
    """The lines of a ledger's bytes, kept: every row of every board is looked up in the same."""
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except ValueError as error:
        raise _damaged(path, 0, str(error)) from error
    lines = text.split("\n")
    if tuple(lines[: len(_HEAD)]) != _HEAD or lines[-1]:
        raise _damaged(path, 0, "its head or its end is not what the tool writes")
    return tuple(_line(row, path, number) for number, row in enumerate(lines[len(_HEAD) : -1], start=len(_HEAD) + 1))


def _line(row: str, path: Path, number: int) -> Line:
    cells = row.removeprefix("| ").removesuffix(" |").split(" | ")
    if len(cells) != len(_FORMS):
        raise _damaged(path, number, f"{len(cells)} cells, expected {len(_FORMS)}")
    told = dict(zip(_FORMS, cells, strict=True))
    try:
        line = Line(**told | {"reason": html.unescape(told["reason"])})
    except EdgeBenchError as error:
        raise _damaged(path, number, error.what) from error
    if line.text() != row or (line.what in CHANGES) != (line.checked == _NONE):
        raise _damaged(path, number, "not as the tool writes it")
    return line


def _damaged(path: Path, number: int, what: str) -> EdgeBenchError:
    where = f"{path}, line {number}" if number else str(path)
    return EdgeBenchError(f"damaged ledger: {what}", where=where, mend=f"git checkout -- {BOARDS}/{FILE}")


class Book:
    """The ledger while this process alone may write it."""

    def __init__(self, boards: Path) -> None:
        self.boards = boards
        self.lines = read_ledger(boards / FILE)
        self._settle()

    def add(self, folder: Path, what: str, reason: str, checked: str = _NONE, *, date: str = "") -> Line:
        """Add the line of the entry in `folder`, on disk when this returns.

        Raises:
            EdgeBenchError: The folder is no entry's, or the reason is longer than a line or holds control characters.
        """
        line = _new_line(_entry(folder), what, reason, digests_of(folder), checked, date)
        self._write([line])
        return line

    @contextmanager
    def changing(self, folder: Path, what: str, reason: str, files: Path) -> Iterator[None]:
        """Add the line of the entry in `folder` when the block has changed it.

        Where the process ends between the change and its line, the next to hold the ledger adds the same line.

        Args:
            folder: The entry's.
            what: One of `CHANGES`.
            reason: Stands in the ledger, in one line.
            files: A folder with the entry's new files; for `removed`, that of the old ones.

        Raises:
            EdgeBenchError: As `add`, before the block.
        """
        line = _new_line(_entry(folder), what, reason, digests_of(files))
        begun = self.boards / _BEGUN
        write_text(begun, line.text() + "\n")
        yield
        self._write([line])
        begun.unlink()

    def last(self, folder: Path) -> Line | None:
        """The latest line of the entry in `folder`."""
        place = _entry(folder)
        found = [line for line in self.lines if (line.board, line.entry) == (place.board, place.entry)]
        return found[-1] if found else None

    def _settle(self) -> None:
        """Add the line of a change whose process ended before the line stood; forget a change that was not made."""
        begun = self.boards / _BEGUN
        if not begun.is_file():
            return
        line = _line(begun.read_text(encoding="utf-8").removesuffix("\n"), begun, 1)
        entry = self.boards / line.board / line.entry
        sweep(entry)
        standing = digests_of(entry).files
        if line not in self.lines and standing == (_NONE if line.what == "removed" else line.files):
            self._write([line])
        begun.unlink()

    def catch_up(self, reason: str) -> None:
        """Add lines for rows that are not as the ledger last knew them, so that no change stays untold."""
        last = {(line.board, line.entry): line for line in self.lines}
        standing = {}
        for manifest in sorted(self.boards.glob("*/*/*/*/manifest.json")):
            place = place_of(manifest.parent)
            if place is not None and not place.entry.startswith("."):
                standing[place.board, place.entry] = (place, digests_of(manifest.parent))
        found = []
        for key, (place, digests) in standing.items():
            known = last.get(key)
            if known is None or known.what == "removed":
                found.append(_new_line(place, "added", reason, digests))
            elif known.files != digests.files:
                found.append(_new_line(place, "replaced", reason, digests))
        for key, line in last.items():
            if key not in standing and line.what != "removed":
                place = Place(self.boards, line.board, line.entry)
                found.append(_new_line(place, "removed", reason, Digests(line.episodes, line.files)))
        if found:
            self._write(found)

    def _write(self, lines: Sequence[Line]) -> None:
        self.lines += lines
        text = "\n".join((*_HEAD, *(line.text() for line in self.lines), ""))
        write_text(self.boards / FILE, text)


def _entry(folder: Path) -> Place:
    place = place_of(folder)
    if place is None:
        raise EdgeBenchError("no entry of a board", where=str(folder), mend=f"{BOARDS}/track/edition/scenario/name")
    return place


def _new_line(place: Place, what: str, reason: str, digests: Digests, checked: str = _NONE, date: str = "") -> Line:
    return Line(date or now(), place.board, place.entry, what, checked, reason, *digests, __version__)


def begin(boards: Path, reason: str) -> None:
    """Begin a ledger with a line for every row that stands; one that was begun already is left to what it says."""
    if not (boards / FILE).is_file():
        with writing(boards, untold=reason):
            return


@contextmanager
def writing(boards: Path, untold: str = _UNTOLD) -> Iterator[Book]:
    """Hold the ledger of all boards in `boards` (`edgebench.paths.boards_dir`); others wait meanwhile.

    What happened to rows without a line is told first, `untold` its reason. A process that dies lets go of the ledger.

    Raises:
        EdgeBenchError: The ledger is damaged, or another process has held it for minutes.
    """
    with still(boards):
        book = Book(boards)
        book.catch_up(untold)
        yield book


@contextmanager
def still(boards: Path) -> Iterator[None]:
    """Hold all boards in `boards` still: whoever would enter, change or remove an entry waits meanwhile.

    Raises:
        EdgeBenchError: Another process has held them for minutes.
    """
    busy = "another process holds the ledger"
    with alone(boards / _LOCK, busy, "wait for it, or end it", patience_s=_PATIENCE_S):
        yield
