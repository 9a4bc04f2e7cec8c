"""A training run as a task of a crew."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from edgebench.crew import Task
from edgebench.learning.job import Job

TRAIN: Final = "edgebench.learning.course:train_here"


def training_task(job: Job, folder: Path) -> Task:
    """The task of training `job` in `folder`; another process has another working folder."""
    return Task(TRAIN, {"job": job.as_json(), "folder": str(folder.resolve())})


def train_here(tell: Callable[[Any], None], stop: Callable[[], bool], *, job: Mapping[str, Any], folder: str) -> bool:
    """Train in this process (`edgebench.learning.training.train`); tells its reports as dictionaries.

    On one thread: how sums are shared out among threads changes their last bits, so that a seed's weights would
    depend on how many are trained beside it; and nets this small gain little by more.
    """
    import torch

    from edgebench.learning.training import train
    from edgebench.sim.threads import use_threads

    torch.set_num_threads(1)
    use_threads(1)
    return train(Job.read(job), Path(folder), lambda report: tell(dataclasses.asdict(report)), stop)
