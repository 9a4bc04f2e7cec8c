"""A training run as a task of a crew."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from edgebench.crew import Task
from edgebench.learning.job import Job

TRAIN: Final = "edgebench.learning.course:train_here"


def training_task(job: Job, folder: Path, threads: int = 1) -> Task:
    """The task of training `job` in `folder`, on so many threads; another process has another working folder."""
    return Task(TRAIN, {"job": job.as_json(), "folder": str(folder.resolve()), "threads": threads})


def train_here(
    tell: Callable[[Any], None], stop: Callable[[], bool], *, job: Mapping[str, Any], folder: str, threads: int
) -> bool:
    """Train in this process (`edgebench.learning.training.train`); tells its reports as dictionaries."""
    import numba
    import torch

    from edgebench.learning.training import train

    torch.set_num_threads(threads)
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    return train(Job.read(job), Path(folder), lambda report: tell(dataclasses.asdict(report)), stop)
