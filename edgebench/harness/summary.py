"""Everything printed about a run, computed from its table of episodes and the references alone.

The command line's table, the leaderboard and the validator all call `summarise`, so they cannot disagree: rows are
sorted by key first and sums are exact (`math.fsum`), which makes the result independent of the order of rows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.harness.episodes import STATUSES
from edgebench.harness.statistics import (
    EpisodeId,
    Estimate,
    Floats,
    Scale,
    Scores,
    normalise,
    region_score,
    total_score,
    worst_region,
    worst_share,
)
from edgebench.registry import track as find_track
from edgebench.track import Track

if TYPE_CHECKING:
    import pandas

SHARED_COLUMNS: Final = ("track", "edition", "split", "scenario")
"""Columns in which the rows of one summary must agree."""


@dataclass(frozen=True)
class Figures:
    """Means over a set of episodes.

    Attributes:
        score: Normalised score with its 95 % interval.
        means: Mean of every figure of the track. The primary metric and the success are means over all episodes, failed
            ones at the floor; the others over the `ok` episodes (`statuses["ok"]` says how many), None where no episode
            is `ok`.
        statuses: Episodes of each status of the closed list.
    """

    score: Estimate
    means: dict[str, float | None]
    statuses: dict[str, int]


@dataclass(frozen=True)
class RegionSummary(Figures):
    """Figures of one region, with the references its score is measured against."""

    region: str
    random: float
    bound: float


@dataclass(frozen=True)
class TotalSummary(Figures):
    """Figures of all regions: the score is the IQM over regions, the others are means over all episodes."""

    worst_region: str
    worst_region_score: float
    worst_episodes_score: float


@dataclass(frozen=True)
class Summary:
    """A run in figures; `regions` are sorted by name, `privileged` marks one that saw what no operator can know."""

    track: str
    edition: str
    split: str
    scenario: str
    privileged: bool
    regions: tuple[RegionSummary, ...]
    total: TotalSummary

    @property
    def references(self) -> dict[str, Scale]:
        """Random agent and bound of each region."""
        return {region.region: region for region in self.regions}

    def as_json(self) -> dict[str, Any]:
        """The same as plain dictionaries, lists, strings and numbers; None where there is no figure."""
        plain = dataclasses.asdict(self)
        return {**plain, "regions": list(plain["regions"])}


def summarise(episodes: pandas.DataFrame, references: Mapping[str, Scale], *, privileged: bool = False) -> Summary:
    """Summarise one run.

    Args:
        episodes: Table as `edgebench.harness.journal.read_episodes` gives it, rows in any order.
        references: Random agent and bound of each region, on the same episodes.
        privileged: As the run's manifest says.

    Raises:
        EdgeBenchError: No rows, rows of several tracks, editions, splits or scenarios, an unknown status, an
            episode twice, a figure that is not finite, or a region without references.
    """
    shared = _shared(episodes)
    ordered = episodes.sort_values(["region", "window", "seed"])
    values = scores([ordered], references)
    regions = tuple(_region_summary(ordered, values, name, references[name]) for name in values.regions)
    worst, worst_value = worst_region(values)
    total = TotalSummary(
        **_figures(ordered, total_score(values)),
        worst_region=worst,
        worst_region_score=worst_value,
        worst_episodes_score=worst_share(values),
    )
    return Summary(**shared, privileged=privileged, regions=regions, total=total)


def scores(runs: Sequence[pandas.DataFrame], references: Mapping[str, Scale]) -> Scores:
    """Normalised scores of one agent from the tables of its runs: one, or one for each training seed.

    Raises:
        EdgeBenchError: The runs are not of the same episodes, or as in `summarise`.
    """
    tables = [run.sort_values(["region", "window", "seed"]) for run in runs]
    if len({tuple(_shared(table).items()) for table in tables}) != 1:
        raise EdgeBenchError("the runs differ in track, edition, split or scenario, or there is none")
    metric = find_track(str(tables[0]["track"].iloc[0])).metric
    per_run = [_by_region(table, metric) for table in tables]
    ids = {region: run_ids for region, (run_ids, _) in per_run[0].items()}
    if any({region: run_ids for region, (run_ids, _) in run.items()} != ids for run in per_run):
        raise EdgeBenchError("the runs are not of the same episodes", mend="evaluate every training seed alike")
    values = {region: np.stack([run[region][1] for run in per_run]) for region in ids}
    return Scores(ids, {region: normalise(values[region], _reference(references, region)) for region in ids})


def _by_region(table: pandas.DataFrame, metric: str) -> dict[str, tuple[tuple[EpisodeId, ...], Floats]]:
    return {
        str(region): (
            tuple((int(window), int(seed)) for window, seed in zip(rows["window"], rows["seed"], strict=True)),
            rows[metric].to_numpy(np.float64),
        )
        for region, rows in table.groupby("region")
    }


def _reference(references: Mapping[str, Scale], region: str) -> Scale:
    if region not in references:
        raise EdgeBenchError("the region has no references", where=region, mend="compute random agent and bound on it")
    return references[region]


def _shared(episodes: pandas.DataFrame) -> dict[str, str]:
    for name in SHARED_COLUMNS:
        if episodes[name].nunique() != 1:
            raise EdgeBenchError(f"a summary is of one {name}, not {episodes[name].nunique()}")
    foreign = sorted(set(episodes["status"]) - set(STATUSES))
    if foreign:
        raise unknown_name("status", str(foreign[0]), STATUSES)
    return {name: str(episodes[name].iloc[0]) for name in SHARED_COLUMNS}


def _region_summary(ordered: pandas.DataFrame, values: Scores, region: str, scale: Scale) -> RegionSummary:
    figures = _figures(ordered[ordered["region"] == region], region_score(values, region))
    return RegionSummary(**figures, region=region, random=float(scale.random), bound=float(scale.bound))


def _figures(rows: pandas.DataFrame, score: Estimate) -> dict[str, Any]:
    done = rows[rows["status"] == "ok"]
    track = find_track(str(rows["track"].iloc[0]))
    return {
        "score": score,
        "means": {figure.name: _mean_of(rows, done, figure.name, track) for figure in track.figures},
        "statuses": {status: int((rows["status"] == status).sum()) for status in STATUSES},
    }


def _mean_of(rows: pandas.DataFrame, done: pandas.DataFrame, name: str, track: Track) -> float | None:
    if name in track.floors:
        return _mean(rows, name)
    return _mean(done, name) if len(done) else None


def _mean(rows: pandas.DataFrame, column: str) -> float:
    mean = math.fsum(rows[column]) / len(rows)
    if not math.isfinite(mean):
        raise EdgeBenchError(f"{column} is not finite in every row that must have it")
    return mean
