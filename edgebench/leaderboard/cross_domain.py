"""The cross-domain board: one region that nobody may learn on, and the agents that never saw it, ranked there alone.

Who learned there is told by the record of a checkpoint and, of reference agents, by the gate's plan of their track; an
agent handed in as code is taken at its author's word (docs/rules.md). What it costs to have learned elsewhere is told
where the runs of a learning method are kept that differ in nothing but the region: `leaderboards/learning`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from edgebench import __version__
from edgebench.errors import EdgeBenchError
from edgebench.foreign import json_object
from edgebench.harness.agents import CHECKPOINT_FILES
from edgebench.harness.rollout import fixed_episodes
from edgebench.harness.statistics import Estimate, Scores, normalise, paired_difference, region_score
from edgebench.leaderboard.board import Conditions, Entry, RankedTable, References, rank, read_entry
from edgebench.leaderboard.total import tag_score
from edgebench.paths import boards_dir, leaderboards_dir
from edgebench.registry import DEFAULT_SCENARIO, UNSEEN
from edgebench.registry import track as find_track
from edgebench.track import named

RUNS: Final = "learning"
"""Where the training runs of published tables are kept, among the boards."""
_SCORES: Final = "scores.json"
_RECORD: Final = CHECKPOINT_FILES[0]
_SEED: Final = ("seed", "regions")
"""What may differ between the runs of one method: its training seed, and where it learned."""


@dataclass(frozen=True)
class Loss:
    """What a learning method loses on the unseen region by having learned elsewhere.

    Attributes:
        method: What learned, from so many decisions,
        decisions: under every training seed,
        learned_on: there.
        score: Of all its runs on the unseen region.
        lost: Score of the same method that learned there, minus this one's, on the same episodes.
    """

    method: str
    decisions: int
    learned_on: tuple[str, ...]
    score: Estimate
    lost: Estimate


@dataclass(frozen=True)
class CrossDomain:
    """The cross-domain board of one track.

    Attributes:
        table: Ranked by the score on the unseen region.
        home: By name, the score on the other regions of the agent's board.
        learned_there: Names of entries that are left out: they learned on it.
        losses: Of learning methods that learned elsewhere, in the order of their names.
    """

    table: RankedTable
    home: Mapping[str, float]
    learned_there: tuple[str, ...]
    losses: tuple[Loss, ...]


def cross_domain(entries: Sequence[Entry]) -> list[CrossDomain]:
    """The cross-domain board of a track in `trap`: one for each set of conditions, none where nobody was played there.

    Args:
        entries: Of a track and edition (`edgebench.leaderboard.board.read_board`); of those in other scenarios or of
            other minor versions nothing is told.

    Raises:
        EdgeBenchError: An entry or a training run is damaged.
    """
    unseen: list[Entry] = []
    home: dict[str, float] = {}
    learned_there = []
    for entry in filter(_is_wanted, entries):
        shared = entry.conditions
        folder = leaderboards_dir(shared.track, shared.edition) / shared.scenario / entry.name
        if _learned_there(folder, entry):
            learned_there.append(entry.name)
            continue
        unseen.append(read_entry(folder, entry.name, [UNSEEN]))
        others = [name for name, _ in shared.regions if name != UNSEEN]
        score = tag_score(entry, others) if others else None
        if score is not None:
            home[entry.name] = score
    return [CrossDomain(table, home, tuple(learned_there), tuple(_losses(table.conditions))) for table in rank(unseen)]


def _is_wanted(entry: Entry) -> bool:
    shared = entry.conditions
    minor = __version__.rsplit(".", 1)[0]
    return (shared.scenario, shared.version) == (DEFAULT_SCENARIO, minor) and UNSEEN in dict(shared.regions)


def _learned_there(folder: Path, entry: Entry) -> bool:
    kind = entry.agent["kind"]
    if kind == "checkpoint":
        return UNSEEN in _job(folder)["regions"]
    return kind == "reference" and entry.agent["name"] in named(find_track(entry.conditions.track).gate).trained


def _job(folder: Path) -> dict[str, Any]:
    """How a checkpoint was trained."""
    path = folder / _RECORD
    try:
        job = dict(json_object(path.read_text(encoding="utf-8"))["job"])
        return job | {"regions": tuple(map(str, job["regions"]))}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EdgeBenchError(f"no record of a training: {error}", where=str(path)) from error


def _losses(shared: Conditions) -> Iterator[Loss]:
    """Methods of which runs are kept that learned on the unseen region and others that did not."""
    methods: dict[str, dict[tuple[str, ...], dict[int, Path]]] = {}
    for path in sorted((boards_dir() / RUNS / shared.edition).glob(f"*/*/*/{_SCORES}")):
        if not (path.parent / _RECORD).is_file():
            continue
        job = _job(path.parent)
        if job["track"] == shared.track:
            alike = json.dumps({name: job[name] for name in sorted(job) if name not in _SEED})
            methods.setdefault(alike, {}).setdefault(job["regions"], {})[job["seed"]] = path  # some stand in two tables
    for alike, places in sorted(methods.items()):
        if (UNSEEN,) not in places:
            continue
        found = {regions: _scores([runs[seed] for seed in sorted(runs)], shared) for regions, runs in places.items()}
        job, there = json.loads(alike), found[UNSEEN,]
        for regions, scores in sorted(found.items()):
            if UNSEEN not in regions and scores is not None and there is not None:
                lost = paired_difference(there, scores).regions[UNSEEN]
                yield Loss(job["method"], job["steps"], regions, region_score(scores, UNSEEN), lost)


def _scores(runs: list[Path], shared: Conditions) -> Scores | None:
    """Scores of the runs on the unseen region; None where they were played on another build or under other seeds."""
    rows = []
    for path in runs:
        try:
            kept = json_object(path.read_text(encoding="utf-8"))
            if kept["digests"].get(UNSEEN) != dict(shared.regions)[UNSEEN] or kept["seeds"] != shared.seeds:
                return None
            rows.append([float(value) for value in kept["scores"][UNSEEN][shared.scenario]])
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise EdgeBenchError(f"damaged scores of a training run: {error}", where=str(path)) from error
    values = normalise(np.array(rows), References(*shared.references[0]))
    return Scores({UNSEEN: tuple(fixed_episodes(values.shape[1] // shared.seeds, shared.seeds))}, {UNSEEN: values})
