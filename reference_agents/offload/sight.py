"""What the heuristics share: columns of the observation by name, and shares to act by."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.offload.features import NEIGHBOUR, NODE

Observation = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]
LOCAL: Final = 0
REJECT: Final = -1


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
    action = np.column_stack([local, forwarded, rejected])
    total = action.sum(axis=1, keepdims=True)
    action[total[:, 0] <= 0.0, LOCAL] = 1.0
    return (action / np.where(total > 0.0, total, 1.0)).astype(np.float32)
