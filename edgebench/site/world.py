"""What is on disk: boards, entries, runs, regions and the ledger, read once for all pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import edgebench
from edgebench.archive import load_safely
from edgebench.errors import EdgeBenchError
from edgebench.harness.manifest import read_manifest
from edgebench.harness.run import EPISODES
from edgebench.leaderboard.board import Conditions, Entry, RankedTable, rank, read_board, read_entry
from edgebench.leaderboard.cross_domain import CrossDomain, cross_domain
from edgebench.leaderboard.total import Entrant, read_total
from edgebench.paths import home, is_folder_name, leaderboards_dir
from edgebench.region import Region
from edgebench.registration import load_tracks
from edgebench.registry import REGIONS, TRACKS

Report = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""
LEDGER: Final = "LEDGER.md"
RUNS: Final = "runs"
CHECKPOINT: Final = "checkpoint.json"
_DIGITS: Final = 8
"""Of the digest in the name of a table that is not of today's version on the standard regions."""


@dataclass(frozen=True)
class Row:
    """One entry where it stands.

    Attributes:
        rank: None for a privileged one.
        entry: Its figures.
        folder: Where it lies.
        manifest: Its record.
    """

    rank: int | None
    entry: Entry
    folder: Path
    manifest: Mapping[str, Any]

    @property
    def status(self) -> str:
        """A key of `edgebench.site.status.MEANINGS`."""
        return self.entry.status.mark


@dataclass(frozen=True)
class Board:
    """One ranked table with what its pages need; `slug` is the stem of its pages' names."""

    slug: str
    table: RankedTable
    rows: tuple[Row, ...]

    @property
    def conditions(self) -> Conditions:
        """What its rows share."""
        return self.table.conditions

    @property
    def title(self) -> str:
        """What readers call it."""
        return f"{self.conditions.track.capitalize()} · {self.conditions.scenario}"


@dataclass(frozen=True)
class CrossBoard:
    """The cross-domain board of a track: its rows as those of any board, and what the ranked table does not tell."""

    board: Board
    found: CrossDomain


@dataclass(frozen=True)
class World:
    """All of it.

    Attributes:
        boards: In the order of tracks, then as `edgebench.leaderboard.board.rank` puts tables.
        cross_domain: The boards of the region nobody may learn on, by edition.
        totals: The total board of each edition that has one.
        runs: Finished runs of the data folder, which are on no board for that.
        regions: That are built.
        ledger: The text of `leaderboards/LEDGER.md`, None where there is none.
        notes: What was found and could not be shown, and why.
    """

    boards: tuple[Board, ...]
    cross_domain: Mapping[str, Sequence[CrossBoard]]
    totals: Mapping[str, Sequence[Entrant]]
    runs: tuple[Row, ...]
    regions: tuple[Region, ...]
    ledger: str | None
    notes: list[str] = field(default_factory=list)


def read_world(report: Report) -> World:
    """Read everything.

    Raises:
        EdgeBenchError: A board holds what is no entry of it. What is outside the boards, a damaged region or run, is
            left out and noted.
    """
    load_tracks()
    notes: list[str] = []
    found = list(_editions())
    boards: list[Board] = []
    crossed: dict[str, list[CrossBoard]] = {}
    for done, (track, edition) in enumerate(found):
        report(f"board {track} {edition}", done, len(found) + 3)
        entries = read_board(track, edition)
        boards += _boards(rank(entries), {board.slug for board in boards})
        crossed.setdefault(edition, []).extend(_crossed(cross_domain(entries)))
    report("total board", len(found), len(found) + 3)
    totals = _totals(sorted({board.conditions.edition for board in boards}), notes)
    report("runs", len(found) + 1, len(found) + 3)
    runs = tuple(_runs(notes))
    report("regions", len(found) + 2, len(found) + 3)
    ledger = home() / "leaderboards" / LEDGER
    return World(
        tuple(boards), {edition: tracks for edition, tracks in crossed.items() if tracks}, totals, runs,
        tuple(_regions(notes)),
        ledger.read_text(encoding="utf-8", errors="replace") if ledger.is_file() else None, notes,
    )  # fmt: skip


def _editions() -> Iterator[tuple[str, str]]:
    for track in TRACKS:
        for folder in sorted((home() / "leaderboards" / track).glob("*/")):
            if folder.is_dir() and is_folder_name(folder.name):
                yield track, folder.name


def _boards(tables: Sequence[RankedTable], taken: set[str]) -> Iterator[Board]:
    """Tables of today's version on the standard regions take the plain names, whatever their order."""
    for table in sorted(tables, key=lambda table: not _is_usual(table.conditions)):
        slug = _slug(table.conditions, taken)
        taken.add(slug)
        yield _board(slug, table)


def _board(slug: str, table: RankedTable) -> Board:
    folder = leaderboards_dir(table.conditions.track, table.conditions.edition) / table.conditions.scenario
    return Board(slug, table, tuple(make_row(folder / entry.name, entry, at) for at, entry in table.rows))


def _crossed(found: Sequence[CrossDomain]) -> Iterator[CrossBoard]:
    for one in found:
        yield CrossBoard(_board(one.table.conditions.track, one.table), one)


def _is_usual(conditions: Conditions) -> bool:
    today = edgebench.__version__.rsplit(".", 1)[0]
    return conditions.version == today and [name for name, _ in conditions.regions] == sorted(REGIONS)


def _slug(conditions: Conditions, taken: set[str]) -> str:
    plain = f"{conditions.track}_{conditions.edition}_{conditions.scenario}"
    if _is_usual(conditions) and plain not in taken:
        return plain
    return f"{plain}_{hashlib.sha256(repr(conditions).encode()).hexdigest()[:_DIGITS]}"


def make_row(folder: Path, entry: Entry, at: int | None) -> Row:
    """An entry, or a run, with its record."""
    return Row(at, entry, folder, read_manifest(folder / "manifest.json"))


def _totals(editions: Sequence[str], notes: list[str]) -> dict[str, Sequence[Entrant]]:
    totals: dict[str, Sequence[Entrant]] = {}
    for edition in editions:
        try:
            entrants = read_total(edition)
        except EdgeBenchError as error:
            notes.append(f"no total board of edition {edition}: {error.what}")
            continue
        if entrants:
            totals[edition] = entrants
    return totals


def _runs(notes: list[str]) -> Iterator[Row]:
    for path in sorted((home() / RUNS).rglob(EPISODES)):
        if not (path.parent / "summary.json").is_file():
            notes.append(f"run {path.parent.relative_to(home()).as_posix()}: not finished")
            continue
        try:
            yield make_row(path.parent, read_entry(path.parent, path.parent.name), None)
        except EdgeBenchError as error:
            notes.append(f"run {path.parent.relative_to(home()).as_posix()}: {error.what}")


def _regions(notes: list[str]) -> Iterator[Region]:
    order = {name: place for place, name in enumerate(REGIONS)}
    found = [path.parts[-3:-1] for path in (home() / "processed").glob("*/*/manifest.json")]
    for edition, name in sorted(found, key=lambda pair: (pair[0], order.get(pair[1], len(order)), pair[1])):
        try:
            yield load_safely(name, edition)
        except EdgeBenchError as error:
            notes.append(f"region {edition}/{name}: {error.what}")
