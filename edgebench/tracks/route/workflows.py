"""Workflows as graphs: what follows from the parents of every stage."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import MAX_STAGES


def link_stages(tasks: NDArray[Any]) -> None:
    """Fill `children`, `leaves`, `payload_mb` and `answer_mb` from the other fields.

    Args:
        tasks: (T,) of `edgebench.tracks.route.state.TASK`; changed in place.

    Raises:
        ValueError: A stage needs itself, a later one or one that is not there.
    """
    stage = np.arange(MAX_STAGES)
    is_there = stage < tasks["stages"][:, None]
    if (np.where(is_there, tasks["parents"] >> stage, tasks["parents"]) != 0).any():
        raise ValueError("the stages of a workflow must stand behind their parents")
    needs = ((tasks["parents"][:, :, None] >> stage) & 1).astype(np.bool_)
    tasks["children"] = (needs << stage[:, None]).sum(axis=1)
    tasks["payload_mb"] = np.where(is_there & (tasks["parents"] == 0), tasks["prompt_mb"][:, None], 0.0)
    tasks["payload_mb"] += (needs * tasks["output_mb"][:, None, :]).sum(axis=2)
    is_leaf = is_there & (tasks["children"] == 0)
    tasks["leaves"] = (is_leaf << stage).sum(axis=1)
    tasks["answer_mb"] = np.where(is_leaf, tasks["output_mb"], 0.0).max(axis=1)
