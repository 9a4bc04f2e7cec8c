"""A checkpoint as an agent that the harness plays."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch

from edgebench.errors import EdgeBenchError
from edgebench.learning.checkpoint import load_method
from edgebench.learning.seen import ground_of
from edgebench.learning.sight import Sight
from edgebench.registry import track as find_track
from edgebench.track import named


class Agent:
    """Decides as the checkpoint's method does when it does not explore, on any region.

    Args:
        folder: Of the checkpoint.

    Raises:
        EdgeBenchError: There is no checkpoint. At `reset`: its decisions are no longer what the track shows.
    """

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)  # a decision is too small to be shared out
        self._method, checkpoint = load_method(folder)
        job = checkpoint.job
        self._make_sight = partial(named(find_track(job.track).sights[job.face]), **job.face_settings)
        self._form, self._folder = checkpoint.form, folder
        self._region = ""

    def reset(self, info: dict[str, Any]) -> None:
        """Read the network once a region, begin an episode."""
        if info["region"] != self._region:
            self._region = info["region"]
            self._sight = self._made(info["topology"])
            self._method.enter((ground_of(self._region, info["topology"]),))
        self._sight.begin(info)

    def act(self, observation: dict[str, Any], info: dict[str, Any]) -> Any:
        """The action that the policy likes best."""
        return self._sight.decide(observation, info, self._method.decide)

    def _made(self, public: dict[str, Any]) -> Sight:
        sight: Sight = self._make_sight(public)
        if sight.form != self._form:
            raise EdgeBenchError(
                "the checkpoint was trained on other features than the track shows now",
                where=str(self._folder),
                mend="train again with this version",
            )
        return sight
