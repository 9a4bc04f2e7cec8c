"""What came of a table's runs: scores between the random agent and the bound, their intervals and ranks."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import CURVE
from edgebench.harness.references import References, references
from edgebench.harness.rollout import fixed_episodes
from edgebench.harness.statistics import Scores, normalise
from edgebench.region import load
from edgebench.reproduce.runs import SCORES, SPLIT, Plan
from edgebench.reproduce.tables import Table


@dataclass(frozen=True)
class Outcome:
    """A table's results.

    Attributes:
        plan: Of what.
        scores: By row label or agent, then by scenario.
        curves: By row label, of each training seed decisions and score on `val`, both (validations,).
        scale: The references by region and scenario.
    """

    plan: Plan
    scores: Mapping[str, Mapping[str, Scores]]
    curves: Mapping[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]]
    scale: Mapping[tuple[str, str], References]

    @property
    def trained(self) -> list[str]:
        """Labels of what learned."""
        return [row.label for row in self.plan.table.rows]


def read_outcome(plan: Plan) -> Outcome:
    """The results of a plan's runs, all of which have been played.

    Raises:
        EdgeBenchError: One has not, or was played on another build of a region.
    """
    table = plan.table
    regions = {name: load(name, edition=plan.edition) for name in table.tests}
    scale = {
        (name, scenario): references(region, track=table.track, scenario=scenario, split=SPLIT, seeds=seeds)
        for name, region in regions.items()
        for scenario, seeds in table.scenario_seeds.items()
    }
    folders: dict[str, list[Path]] = {}
    for row, _, folder in plan.runs():
        folders.setdefault(row.label, []).append(folder)
    folders |= {name: [folder] for name, folder in plan.agents()}
    digests = {name: region.digest for name, region in regions.items()}
    played = {label: [_read(folder, digests, table) for folder in every] for label, every in folders.items()}
    scores = {
        label: {scenario: _scores(runs, scenario, table, scale) for scenario in table.scenarios}
        for label, runs in played.items()
    }
    curves = {row.label: [_curve(folder / CURVE) for folder in folders[row.label]] for row in table.rows}
    return Outcome(plan, scores, curves, scale)


def _read(folder: Path, digests: Mapping[str, str], table: Table) -> dict[str, Any]:
    path = folder / SCORES
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EdgeBenchError(
            f"not played yet: {error}", where=str(path), mend="edgebench reproduce plays it"
        ) from error
    if wrong := _not_as_told(kept, digests, table):
        raise EdgeBenchError(wrong, where=str(path), mend="remove it: it is played again")
    scores: dict[str, Any] = kept["scores"]
    return scores


def _not_as_told(kept: dict[str, Any], digests: Mapping[str, str], table: Table) -> str:
    """In what the scores that are there are not those of the table; empty where they are."""
    if kept["digests"] != digests:
        return "played on another build of the regions"
    for scenario, seeds in table.scenario_seeds.items():
        if (played := kept["seeds"].get(scenario, 0)) != seeds:
            return f"played in {scenario} under {played} scenario seeds, not {seeds}"
    return ""


def _scores(
    runs: list[dict[str, Any]], scenario: str, table: Table, scale: Mapping[tuple[str, str], References]
) -> Scores:
    """Episodes stand in the order of `fixed_episodes`, by window and then by seed."""
    values = {
        name: normalise(np.array([run[name][scenario] for run in runs], np.float64), scale[name, scenario])
        for name in table.tests
    }
    seeds = table.scenario_seeds[scenario]
    windows = {name: array.shape[1] // seeds for name, array in values.items()}
    return Scores({name: tuple(fixed_episodes(windows[name], seeds)) for name in table.tests}, values)


def _curve(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return np.array([float(row["decisions"]) for row in rows]), np.array([float(row["val"]) for row in rows])
