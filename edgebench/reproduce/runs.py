"""The runs behind a table: trained where they are not yet, played where they have not been."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from edgebench.atomic import atomic_folder, copy_file, write_text
from edgebench.crew import Task
from edgebench.harness.agents import CHECKPOINT_FILES, CURVE
from edgebench.learning.course import training_task
from edgebench.learning.job import Job
from edgebench.learning.method import settings_of
from edgebench.learning.methods import find_method
from edgebench.region import load
from edgebench.reproduce.tables import Row, Table

RECORD, WEIGHTS = CHECKPOINT_FILES
SCORES: Final = "scores.json"
SPLIT: Final = "test"
_DECIMALS: Final = 6
_PLAY_CHECKPOINT: Final = "edgebench.reproduce.runs:play_checkpoint"
_PLAY_AGENT: Final = "edgebench.reproduce.runs:play_agent"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a reproduction is of.

    Attributes:
        table: The table.
        folder: Where its runs are: `<row>/seed-<n>/`.
        edition: Which build of the regions.
        seeds: Training seeds of a row.
        steps: Decisions that a run learns from, of rows that do not say how many times as many.
        device: Where the nets are while they learn.
    """

    table: Table
    folder: Path
    edition: str
    seeds: int
    steps: int
    device: str = "cpu"

    def job(self, row: Row, seed: int) -> Job:
        """A training run."""
        table, kind = self.table, find_method(row.method)
        wanted = kind.face_settings(settings_of(kind.settings_type, row.settings), table.face)
        return Job(
            row.method, table.track, table.face, row.regions, self.edition, steps=self.steps * row.times, seed=seed,
            settings=dict(row.settings), face_settings=wanted, device=self.device,
        )  # fmt: skip

    def runs(self) -> Iterator[tuple[Row, int, Path]]:
        """Every training run and its folder, the first seed of all rows first: a table is there early, if wide."""
        for seed in range(self.seeds):
            for row in self.table.rows:
                yield row, seed, self.folder / row.label / f"seed-{seed}"

    def agents(self) -> Iterator[tuple[str, Path]]:
        """The agents that are not trained, and their folders."""
        for name in self.table.agents:
            yield name, self.folder / name / "untrained"

    def training(self) -> list[Task]:
        """The training runs that are not complete; one that was left is gone on with."""
        return [
            training_task(self.job(row, seed), folder)
            for row, seed, folder in self.runs()
            if not (folder / SCORES).is_file() and not _is_complete(folder)
        ]

    def playing(self) -> list[Task]:
        """What has not been played yet."""
        shared = {
            "track": self.table.track, "edition": self.edition, "regions": list(self.table.tests),
            "seeds": self.table.scenario_seeds,
        }  # fmt: skip
        trained = [Task(_PLAY_CHECKPOINT, {**shared, "folder": str(folder.resolve())}) for _, _, folder in self.runs()]
        others = [
            Task(_PLAY_AGENT, {**shared, "agent": name, "folder": str(folder.resolve())})
            for name, folder in self.agents()
        ]
        return [task for task in (*others, *trained) if not Path(task.arguments["folder"], SCORES).is_file()]


def take_over(plan: Plan) -> list[Path]:
    """Copy the training runs that other tables have made beside this one's folder, rather than make them again.

    Returns:
        The folders that a run was copied to.

    Raises:
        EdgeBenchError: A region is not built, or a run that was made is damaged.
    """
    taken = []
    names = {name for row in plan.table.rows for name in row.regions}
    digests = {name: load(name, edition=plan.edition).digest for name in names}
    for row, seed, folder in plan.runs():
        if (folder / RECORD).is_file():
            continue
        job = plan.job(row, seed)
        for other in sorted(plan.folder.parent.glob(f"*/*/{folder.name}")):
            if _is_complete(other) and _is_of(other, job, digests):
                _copy_run(other, folder)
                taken.append(folder)
                break
    return taken


def _is_of(folder: Path, job: Job, digests: Mapping[str, str]) -> bool:
    """Whether the weights in a folder are what training `job` on regions of these digests gives."""
    from edgebench.learning.checkpoint import read_checkpoint

    if not (folder / WEIGHTS).is_file():
        return False
    kept = read_checkpoint(folder)
    return kept.job == job and all(kept.digests[name] == digests[name] for name in job.regions)


def _copy_run(run: Path, target: Path) -> None:
    """Without scores, which are of what its table plays."""
    with atomic_folder(target) as folder:
        for name in (*CHECKPOINT_FILES, CURVE):
            copy_file(run / name, folder / name)


def _is_complete(folder: Path) -> bool:
    """Whether a training run went to its end: the curve's last row is that of its last decision."""
    record, curve = folder / RECORD, folder / CURVE
    if not (record.is_file() and curve.is_file()):
        return False
    steps: int = json.loads(record.read_text(encoding="utf-8"))["job"]["steps"]
    return int(curve.read_text(encoding="utf-8").splitlines()[-1].partition(",")[0]) >= steps


def play_checkpoint(
    tell: Callable[[Any], None], stop: Callable[[], bool], *,
    folder: str, track: str, edition: str, regions: Sequence[str], seeds: Mapping[str, int],
) -> None:  # fmt: skip
    """Play a checkpoint's face on the test episodes and keep the primary metric of each in `scores.json`.

    `seeds` says by scenario under how many scenario seeds every window is played.
    """
    import torch

    from edgebench.learning.checkpoint import load_method
    from edgebench.learning.play import play_fixed

    torch.set_num_threads(1)
    method, checkpoint = load_method(Path(folder))
    found = [load(name, edition=edition) for name in regions]
    scores: dict[str, dict[str, list[float]]] = {name: {} for name in regions}
    for scenario, count in seeds.items():
        for region in found:
            played = play_fixed(checkpoint.job, method, [region], split=SPLIT, seeds=count, scenario=scenario)
            scores[region.name][scenario] = played[region.name].round(_DECIMALS).tolist()
            tell({"folder": folder})
            if stop():
                return
    _write(Path(folder), seeds, {region.name: region.digest for region in found}, scores)


def play_agent(
    tell: Callable[[Any], None], stop: Callable[[], bool], *,
    folder: str, agent: str, track: str, edition: str, regions: Sequence[str], seeds: Mapping[str, int],
) -> None:  # fmt: skip
    """As `play_checkpoint`, of a reference agent on the face `single`."""
    import importlib

    from edgebench.envs import make_env
    from edgebench.harness.rollout import fixed_episodes, roll
    from edgebench.registry import track as find_track

    package, metric = find_track(track).agents, find_track(track).metric
    player = importlib.import_module(f"{package}.{agent.replace('-', '_')}").Agent()
    found = [load(name, edition=edition) for name in regions]
    scores: dict[str, dict[str, list[float]]] = {name: {} for name in regions}
    for region in found:
        for scenario, count in seeds.items():
            env = make_env(track, region, scenario=scenario, split=SPLIT)
            face: Any = env.unwrapped
            played = roll(env, player, fixed_episodes(face.windows, count))
            scores[region.name][scenario] = [round(figures[metric], _DECIMALS) for figures in played]
            tell({"folder": folder})
            if stop():
                return
    _write(Path(folder), seeds, {region.name: region.digest for region in found}, scores)


def _write(folder: Path, seeds: Mapping[str, int], digests: Mapping[str, str], scores: Mapping[str, Any]) -> None:
    content = {"split": SPLIT, "seeds": dict(seeds), "digests": dict(digests), "scores": dict(scores)}
    write_text(folder / SCORES, json.dumps(content, allow_nan=False) + "\n")
