"""One training run: rounds of practice, validations that choose the checkpoint, a log, and going on after a kill."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from edgebench.atomic import remove_folder, write_text
from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import CURVE
from edgebench.learning.checkpoint import save_checkpoint
from edgebench.learning.job import Job
from edgebench.learning.method import Lesson, Method, settings_of
from edgebench.learning.methods import find_method
from edgebench.learning.play import play_fixed
from edgebench.learning.tensors import load_tree, save_tree
from edgebench.learning.world import Practice, make_world
from edgebench.locks import FOLDER_LOCK, alone
from edgebench.region import load

LAST: Final = "last.safetensors"
VAL_SEEDS: Final = 3
"""Scenario seeds under which every window of `val` is played."""


@dataclass(frozen=True)
class Report:
    """How far a training run is.

    Attributes:
        decisions: Learned from so far.
        seconds: That took, in this and earlier sittings, validations included.
        score: Mean primary metric of the last round's episodes, explored.
        val: The best so far on `val`; None before the first validation.
    """

    decisions: int
    seconds: float
    score: float
    val: float | None


OnRound = Callable[[Report], None]


def train(
    job: Job, folder: Path, on_round: OnRound = lambda report: None, stop: Callable[[], bool] = lambda: False
) -> bool:
    """Train in `folder`, from the beginning or from where it was left.

    Args:
        job: What to train; a folder of another job is refused.
        folder: Where `checkpoint.json`, `weights.safetensors`, `curve.csv` and the state to go on from are kept.
        on_round: Told after every round.
        stop: Asked after every round; True ends the run, which may be gone on with later.

    Returns:
        Whether the run is complete.

    Raises:
        EdgeBenchError: A name is unknown, a region is not built, the folder holds another job or is damaged, another
            process trains there, or it may not be written to; the last state that was kept stays.
    """
    run = _Run(job, folder)
    with _alone_in(folder):
        run.resume()
        while run.decisions < job.steps:
            run.practise()
            on_round(run.report())
            if run.decisions >= run.next_validation():
                run.validate()
                on_round(run.report())
            if stop() and run.decisions < job.steps:
                run.keep()
                return False
    return True


def forget(folder: Path) -> None:
    """Remove a training run, whole; EdgeBenchError where another process trains there."""
    if folder.is_dir():
        with _alone_in(folder):
            pass
    remove_folder(folder)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with alone(folder / FOLDER_LOCK, "another process trains in this folder", "wait for it, or give another --out"):
        yield


class _Run:
    """The state of a training run."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job, self.folder = job, folder
        kind = find_method(job.method)
        if f"{job.track}/{job.face}" not in kind.faces:
            mend = f"it does on: {', '.join(kind.faces)}"
            raise EdgeBenchError(f"{job.method} does not learn on {job.track}/{job.face}", mend=mend)
        settings = settings_of(kind.settings_type, job.settings)
        self.regions = [load(name, edition=job.edition) for name in job.regions]
        world = make_world(
            job.track, job.face, self.regions, scenario=job.scenario, each=settings.each, **job.face_settings
        )
        self.world = Practice(world, self.regions, "train", job.seed, replicas=settings.replicas)
        self.method: Method = kind(self.world.form, settings, job.seed, torch.device(job.device))
        self.decisions, self.seconds, self.validated = 0, 0.0, 0
        self.best: float | None = None
        self.lesson = Lesson(0, 0.0, {})
        self.curve: list[dict[str, Any]] = []

    def practise(self) -> None:
        """A round."""
        begun = time.perf_counter()
        self.method.progress = min(1.0, self.decisions / self.job.steps)
        self.method.enter(self.world.grounds)
        self.lesson = self.method.practise(self.world)
        self.decisions += self.lesson.decisions
        self.seconds += time.perf_counter() - begun

    def next_validation(self) -> float:
        """After so many decisions."""
        return min(self.job.steps, self.job.steps * (self.validated + 1) / self.job.validations)

    def validate(self) -> None:
        """Play `val`; keep the policy where it is the best so far, and the state to go on from."""
        begun = time.perf_counter()
        scores = play_fixed(self.job, self.method, self.regions, split="val", seeds=VAL_SEEDS)
        val = float(sum(part.mean() for part in scores.values()) / len(scores))
        self.validated = int(self.decisions / self.job.steps * self.job.validations)
        if self.best is None or val > self.best:
            self.best = val
            digests = {region.name: region.digest for region in self.regions}
            save_checkpoint(self.folder, self.method, self.job, digests, self.decisions, val)
        self.seconds += time.perf_counter() - begun
        row = {"decisions": self.decisions, "seconds": round(self.seconds, 3), "train": self.lesson.score, "val": val}
        self.curve.append(row | self.lesson.figures)
        write_text(self.folder / CURVE, _csv(self.curve))
        self.keep()  # last: what was written before it is written again, the same, where a kill came before it

    def keep(self) -> None:
        """Write the state to go on from."""
        modules = {name: module.state_dict() for name, module in self.method.modules().items()}
        numbers = {name: getattr(self, name) for name in ("decisions", "seconds", "best", "validated", "curve")}
        state = {"modules": modules, "memory": self.method.memory(), "begun": self.world.begun}
        save_tree(self.folder / LAST, {"job": self.job.as_json(), **state, **numbers})

    def resume(self) -> None:
        """Take up the state that was left, if there is one."""
        path = self.folder / LAST
        if not path.is_file():
            return
        kept = load_tree(path)
        if kept["job"] != _plain(self.job.as_json()):
            odd = sorted(name for name, value in _plain(self.job.as_json()).items() if kept["job"].get(name) != value)
            raise EdgeBenchError(
                f"the folder holds another training run: {', '.join(odd)} differ",
                where=str(self.folder),
                mend="give another --out, or --overwrite to replace it",
            )
        for name, module in self.method.modules().items():
            module.load_state_dict(kept["modules"][name])
        self.method.remember(kept["memory"])
        self.world.begun = kept["begun"]
        for name in ("decisions", "seconds", "best", "validated", "curve"):
            setattr(self, name, kept[name])

    def report(self) -> Report:
        """How far it is."""
        return Report(self.decisions, self.seconds, self.lesson.score, self.best)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
