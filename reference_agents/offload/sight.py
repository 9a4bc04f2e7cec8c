"""What the heuristics share: columns of the observation by name, and shares to act by."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.offload.constants import MEMORY_MB, WORK_SHARES
from edgebench.tracks.offload.features import NEIGHBOUR, NODE

Observation = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]
LOCAL: Final = 0
REJECT: Final = -1
_SHARES_PER_MEMORY: Final = 10.0 * sum(WORK_SHARES) / sum(MEMORY_MB)
"""Thousands of CPU shares that 10 GB hold."""


def of_node(observation: Observation, name: str) -> Floats:
    """A column of `nodes` by name, (N,)."""
    return np.asarray(observation["nodes"][:, NODE[name]], np.float64)


def of_neighbour(observation: Observation, name: str) -> Floats:
    """A column of `neighbours` by name, (N, D)."""
    return np.asarray(observation["neighbours"][:, :, NEIGHBOUR[name]], np.float64)


def is_there(observation: Observation) -> NDArray[np.bool_]:
    """Whether there is a neighbour, (N, D)."""
    return np.asarray(observation["action_mask"][:, 1:-1] > 0)


def shares(local: Floats, forwarded: Floats, rejected: Floats) -> NDArray[np.float32]:
    """Amounts kept, (N,), forwarded, (N, D), and rejected, (N,), as an action; all of nothing is kept."""
    action = np.maximum(np.column_stack([local, forwarded, rejected]), 0.0)  # differences may round below 0
    total = action.sum(axis=1, keepdims=True)
    action[total[:, 0] <= 0.0, LOCAL] = 1.0
    return (action / np.where(total > 0.0, total, 1.0)).astype(np.float32)


def demand(observation: Observation) -> Floats:
    """Work to be split now, (N,), in thousands of CPU shares; all amounts below are."""
    return of_node(observation, "load") * of_node(observation, "capacity")


def room(observation: Observation, slots: float) -> Floats:
    """What a node can take so that no more than so many slots of work wait there and its memory holds all, (N,)."""
    waiting = np.maximum(0.0, slots - of_node(observation, "queue")) * of_node(observation, "capacity")
    held = of_node(observation, "memory_free") * of_node(observation, "memory") * _SHARES_PER_MEMORY
    return np.asarray(np.minimum(waiting, held), np.float64)


def slack(observation: Observation, slots: float) -> Floats:
    """The same of every neighbour after its own users' requests, as last published, (N, D); of one that is down 0."""
    left = slots - of_neighbour(observation, "queue") - of_neighbour(observation, "load")
    up = of_neighbour(observation, "down") == 0.0
    return np.asarray(np.maximum(0.0, left) * of_neighbour(observation, "capacity") * up)


def passage(observation: Observation, most_extra_s: float) -> Floats:
    """What each link still carries in this slot, (N, D); one that was measured to add more than this is closed."""
    left = of_neighbour(observation, "bandwidth") * np.maximum(0.0, 1.0 - of_neighbour(observation, "backlog"))
    return np.asarray(left * (of_neighbour(observation, "measured_extra_s") < most_extra_s))
