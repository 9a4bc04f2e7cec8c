"""From the folders of a board to ranked tables: one table for each set of conditions, never mixed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgebench.errors import EdgeBenchError
from edgebench.foreign import json_object
from edgebench.harness.journal import read_episodes
from edgebench.harness.manifest import read_manifest
from edgebench.harness.statistics import Scale, Scores, rank_intervals, shared_ranks
from edgebench.harness.summary import Summary, scores, summarise
from edgebench.leaderboard.claims import shape_problems
from edgebench.leaderboard.ledger import Status, status_of
from edgebench.paths import leaderboards_dir
from edgebench.registry import track as find_track

if TYPE_CHECKING:
    import pandas

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""Names of entries: safe as a folder on every system."""
DEVICE: Final = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")
"""Names Windows keeps for devices."""


@dataclass(frozen=True)
class References:
    """The scale a run's scores were measured on, as its summary records it."""

    random: float
    bound: float


@dataclass(frozen=True)
class Conditions:
    """What the rows of one table share.

    Attributes:
        version: Major and minor version of EdgeBench.
        regions: Name and digest of each region, sorted.
        references: Random agent and bound of each region, in the order of `regions`.
    """

    track: str
    edition: str
    scenario: str
    split: str
    seeds: int
    version: str
    regions: tuple[tuple[str, str], ...]
    references: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Entry:
    """One row of a board before ranking."""

    name: str
    conditions: Conditions
    agent: Mapping[str, str]
    episodes: pandas.DataFrame
    summary: Summary
    status: Status

    @property
    def label(self) -> str:
        """The name, with the mark of an agent that saw what no operator can know."""
        return f"{self.name} (privileged)" if self.summary.privileged else self.name

    @cached_property
    def scores(self) -> Scores:
        """Normalised scores of its episodes."""
        pairs = zip(self.conditions.regions, self.conditions.references, strict=True)
        return scores([self.episodes], {name: References(*pair) for (name, _), pair in pairs})


@dataclass(frozen=True)
class RankedTable:
    """Entries under the same conditions, best first; entries whose paired interval holds 0 share a rank.

    A privileged entry stands where its score puts it, without a rank and without taking one from those below.

    Attributes:
        conditions: What all of them share.
        rows: Rank and entry.
        places: By name the 95 % interval of a ranked entry's place among the ranked.
    """

    conditions: Conditions
    rows: tuple[tuple[int | None, Entry], ...]
    places: Mapping[str, tuple[int, int]]


def read_board(track: str, edition: str, regions: Sequence[str] | None = None) -> list[Entry]:
    """The entries of a board, of all scenarios, one a sub-folder of its scenario's.

    Args:
        track: The decision problem.
        edition: Which build of the regions.
        regions: Score the entries on these alone; all of theirs where None.

    Raises:
        EdgeBenchError: A folder's name is no entry's, or it does not hold a finished run of this board.
    """
    folder = leaderboards_dir(track, edition)
    found = sorted(path for path in folder.glob("*/*/") if path.is_dir() and not path.name.startswith("."))
    for path in found:
        check_name(path.name, str(path))
    entries = {path: read_entry(path, path.name, regions) for path in found}
    for path, entry in entries.items():
        shared = entry.conditions
        if (shared.track, shared.edition, shared.scenario) != (track, edition, path.parent.name):
            raise EdgeBenchError(
                "this run belongs to another board", where=str(path), mend="submit it with edgebench submit"
            )
    return list(entries.values())


def check_name(name: str, where: str) -> None:
    """Refuse a name that is no safe folder on every system."""
    if not NAME.fullmatch(name) or DEVICE.fullmatch(name):
        raise EdgeBenchError(
            f"{name!r:.80} cannot name an entry", where=where, mend="use small letters, digits and hyphens: my-agent-2"
        )


def read_entry(folder: Path, name: str, regions: Sequence[str] | None = None) -> Entry:
    """Read a finished run as the entry `name`, its figures computed from its episodes on `regions`.

    Raises:
        EdgeBenchError: The run is damaged, unfinished, or was not played on all of `regions`.
    """
    manifest = read_manifest(folder / "manifest.json")
    malformed = list(shape_problems(manifest))
    if malformed:
        raise EdgeBenchError(f"malformed manifest: {'; '.join(malformed)}", where=str(folder), mend="evaluate again")
    scale = _references(folder / "summary.json")
    wanted = sorted(regions if regions is not None else manifest["regions"])
    absent = [region for region in wanted if region not in manifest["regions"] or region not in scale]
    if absent:
        raise EdgeBenchError(
            f"the run has no result on {', '.join(absent)}",
            where=str(folder),
            mend="evaluate it there, or leave it out",
        )
    episodes = read_episodes(folder / "episodes.csv", find_track(manifest["track"]))
    episodes = episodes[episodes["region"].isin(wanted)]
    conditions = _conditions(manifest, wanted, scale)
    summary = summarise(episodes, scale, privileged=manifest["privileged"])
    return Entry(name, conditions, manifest["agent"], episodes, summary, status_of(folder))


def _references(path: Path) -> dict[str, References]:
    try:
        summary = json_object(path.read_text(encoding="utf-8"))
        return {
            str(region["region"]): References(float(region["random"]), float(region["bound"]))
            for region in summary["regions"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EdgeBenchError(
            f"unfinished or damaged run: {error}", where=str(path), mend="run the evaluation again to finish it"
        ) from error


def _conditions(manifest: Mapping[str, Any], wanted: Sequence[str], scale: Mapping[str, Scale]) -> Conditions:
    return Conditions(
        track=manifest["track"],
        edition=manifest["edition"],
        scenario=manifest["scenario"],
        split=manifest["split"],
        seeds=manifest["seeds"],
        version=str(manifest["edgebench_version"]).rsplit(".", 1)[0],
        regions=tuple((name, manifest["regions"][name]) for name in wanted),
        references=tuple((scale[name].random, scale[name].bound) for name in wanted),
    )


def rank(entries: Sequence[Entry]) -> list[RankedTable]:
    """Ranked tables, one for each set of conditions; neither order nor number of other tables changes a table.

    Raises:
        EdgeBenchError: Two entries of a table did not play the same episodes.
    """
    groups: dict[Conditions, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.name):
        groups.setdefault(entry.conditions, []).append(entry)
    ordered = sorted(groups, key=lambda c: (c.track, c.edition, c.scenario != "trap", c.scenario, c.version, c.regions))
    return [_ranked(conditions, groups[conditions]) for conditions in ordered]


def _ranked(conditions: Conditions, entries: Sequence[Entry]) -> RankedTable:
    ranked = {entry.name: entry.scores for entry in entries if not entry.summary.privileged}
    ranks = shared_ranks(ranked)
    by_score = sorted(entries, key=lambda entry: (-entry.summary.total.score.value, entry.name))
    rows = tuple((ranks.get(entry.name), entry) for entry in by_score)
    return RankedTable(conditions, rows, rank_intervals(ranked))
