"""The total board: entrants over all tracks, what each is good at.

An entrant is a name that stands on the boards of several tracks, or a row of `leaderboards/entrants.toml` that names
its entry on each. The total is the mean over the tracks of the track's score; only an entrant of all tracks has one.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from edgebench import __version__
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.harness.statistics import Estimate, iqm, joint_rank_intervals, joint_ranks, joint_total
from edgebench.leaderboard.board import Entry, check_name, read_entry
from edgebench.leaderboard.ledger import Status, weakest
from edgebench.leaderboard.page import places_record
from edgebench.leaderboard.tags import TAGS
from edgebench.paths import home, leaderboards_dir
from edgebench.registry import DEFAULT_SCENARIO, REGIONS, TRACKS

TOTAL: Final = "total"
"""Where the total board stands among the boards of the tracks; no track bears this name."""


@dataclass(frozen=True)
class Profile:
    """What an entrant gets on one track: its entry, its score in `trap` on all standard regions, a score for each tag.

    A tag is None where the entry has no run in the tag's scenario. The status is the weakest of all these runs.
    """

    entry: str
    score: Estimate
    tags: dict[str, float | None]
    status: Status


@dataclass(frozen=True)
class Entrant:
    """One row of the total board.

    Attributes:
        name: The entrant's.
        profiles: By track, of those on which it stands.
        total: Mean over all tracks, None where one is missing.
        rank: Among those that have a total.
        places: 95 % interval of its place among those.
    """

    name: str
    profiles: Mapping[str, Profile]
    total: Estimate | None
    rank: int | None
    places: tuple[int, int] | None

    @property
    def status(self) -> Status:
        """The weakest of its tracks'."""
        return weakest([profile.status for profile in self.profiles.values()])

    def tag(self, name: str) -> float | None:
        """Mean of a tag over all tracks; None where one is missing."""
        values = [self.profiles[track].tags[name] if track in self.profiles else None for track in TRACKS]
        known = [value for value in values if value is not None]
        return math.fsum(known) / len(known) if len(known) == len(values) else None


def read_total(edition: str) -> list[Entrant]:
    """The entrants of an edition, best first, those without a total behind, by name; of the minor version here alone.

    Raises:
        EdgeBenchError: `entrants.toml` names a track or an entry that does not exist, or an entry is damaged.
    """
    told = {name: _entries(name, tracks, edition) for name, tracks in entrant_names(edition).items()}
    named = {name: entries for name, entries in told.items() if entries}
    parts = {
        name: [entry.scores for entry in entries.values()]
        for name, entries in named.items()
        if entries.keys() == TRACKS.keys()
    }
    ranks, places = joint_ranks(parts), joint_rank_intervals(parts)
    rows = [
        Entrant(
            name,
            {track: _profile(entry, edition) for track, entry in entries.items()},
            joint_total(parts[name]) if name in parts else None,
            ranks.get(name),
            places.get(name),
        )
        for name, entries in named.items()
    ]
    return sorted(rows, key=lambda row: (-row.total.value if row.total else math.inf, row.name))


def entrant_names(edition: str) -> dict[str, dict[str, str]]:
    """Entry by track of every entrant: as `entrants.toml` says, then names that stand on two boards or more.

    Raises:
        EdgeBenchError: The file is no table of entries by track, or names a track that does not exist.
    """
    path = home() / "leaderboards" / "entrants.toml"
    told = _read_names(path) if path.is_file() else {}
    standing: dict[str, dict[str, str]] = {}
    for track in TRACKS:
        for folder in sorted((leaderboards_dir(track, edition) / DEFAULT_SCENARIO).glob("*/manifest.json")):
            standing.setdefault(folder.parent.name, {})[track] = folder.parent.name
    return told | {name: on for name, on in sorted(standing.items()) if len(on) > 1 and name not in told}


def _read_names(path: Path) -> dict[str, dict[str, str]]:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EdgeBenchError(
            f"unreadable: {error}", where=str(path), mend='write [entrant] and track = "entry"'
        ) from error
    for name, tracks in told.items():
        check_name(name, str(path))
        if not isinstance(tracks, dict) or not all(isinstance(entry, str) for entry in tracks.values()):
            raise EdgeBenchError(f"{name} is no table of entries", where=str(path), mend='write track = "entry"')
        for track in tracks:
            if track not in TRACKS:
                raise unknown_name("track", track, TRACKS)
            check_name(tracks[track], str(path))
    return told


def _entries(name: str, tracks: Mapping[str, str], edition: str) -> dict[str, Entry]:
    found = {}
    for track, entry in tracks.items():
        folder = leaderboards_dir(track, edition) / DEFAULT_SCENARIO / entry
        if not (folder / "manifest.json").is_file():
            raise EdgeBenchError(
                f"the entrant {name} has no entry {entry!r} on {track}",
                where=str(folder),
                mend="submit it, or mend leaderboards/entrants.toml",
            )
        row = read_entry(folder, entry, list(REGIONS))
        if _is_current(row):
            found[track] = row
    return {track: found[track] for track in TRACKS if track in found}


def _is_current(entry: Entry) -> bool:
    """Whether an entry is of the minor version here: results of others share no table with it."""
    return entry.conditions.version == __version__.rsplit(".", 1)[0]


def _profile(entry: Entry, edition: str) -> Profile:
    own = entry.conditions.scenario
    scenarios = dict.fromkeys((own, *(tag.scenario for tag in TAGS)))
    runs = {scenario: entry if scenario == own else _run(entry, edition, scenario) for scenario in scenarios}
    tags = {tag.name: tag_score(runs[tag.scenario], tag.regions) for tag in TAGS}
    status = weakest([run.status for run in runs.values() if run is not None])
    return Profile(entry.name, entry.summary.total.score, tags, status)


def _run(entry: Entry, edition: str, scenario: str) -> Entry | None:
    """The entry of the same name in another scenario."""
    folder = leaderboards_dir(entry.conditions.track, edition) / scenario / entry.name
    if not (folder / "manifest.json").is_file():
        return None
    found = read_entry(folder, entry.name, list(REGIONS))
    return found if _is_current(found) else None


def tag_score(entry: Entry | None, regions: Sequence[str]) -> float | None:
    """Score of an entry on these regions alone; None where one of them was not played."""
    if entry is None:
        return None
    scores = {part.region: part.score.value for part in entry.summary.regions}
    if not scores.keys() >= set(regions):
        return None
    return float(iqm(np.array([scores[name] for name in regions])))


def total_records(entrants: Sequence[Entrant]) -> list[dict[str, Any]]:
    """One flat record a row; None where there is no figure."""
    return [_record(entrant) for entrant in entrants]


def _record(entrant: Entrant) -> dict[str, Any]:
    total = entrant.total
    record: dict[str, Any] = {
        "rank": entrant.rank,
        **places_record(entrant.places),
        "entrant": entrant.name,
        "status": str(entrant.status),
        "total": total.value if total else None,
        "total_low": total.low if total else None,
        "total_high": total.high if total else None,
    }
    for track in TRACKS:
        profile = entrant.profiles.get(track)
        record[f"{track}_entry"] = profile.entry if profile else None
        record[track] = profile.score.value if profile else None
        record[f"{track}_status"] = str(profile.status) if profile else None
    for tag in TAGS:
        record[tag.name] = entrant.tag(tag.name)
        for track, profile in entrant.profiles.items():
            record[f"{track}_{tag.name}"] = profile.tags[tag.name]
    return record
