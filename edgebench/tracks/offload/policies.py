"""Fixed policies of the sites that nobody plays where one site is in focus; they see what an agent would see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.offload.features import NEIGHBOUR, NODE
from edgebench.tracks.offload.state import LOCAL, REJECT

Shares = NDArray[np.float32]
Policy = Callable[[Mapping[str, NDArray[Any]]], Shares]
_SLOTS: Final = 1.6
"""Work that may wait at a node before it has nothing to spare, in slots of its own."""


def all_local(observation: Mapping[str, NDArray[Any]]) -> Shares:
    """Every site keeps all it is asked for, (N, C)."""
    shares = np.zeros(observation["action_mask"].shape, np.float32)
    shares[:, LOCAL] = 1.0
    return shares


def spare(observation: Mapping[str, NDArray[Any]]) -> Shares:
    """A site fills what it has to spare, then what its neighbours had when they last told, and rejects the rest."""
    nodes, near = observation["nodes"], observation["neighbours"]
    asked = nodes[:, NODE["load"]]
    kept = np.minimum(asked, np.maximum(_SLOTS - nodes[:, NODE["queue"]], 0.0))
    there = np.maximum(_SLOTS - near[:, :, NEIGHBOUR["queue"]] - near[:, :, NEIGHBOUR["load"]], 0.0)
    there *= near[:, :, NEIGHBOUR["capacity"]] / nodes[:, NODE["capacity"], None]
    there *= (near[:, :, NEIGHBOUR["down"]] == 0.0) & (near[:, :, NEIGHBOUR["measured_extra_s"]] < 1.0)
    filled = np.minimum(1.0, (asked - kept) / np.maximum(there.sum(axis=1), 1e-9))
    shares = np.zeros(observation["action_mask"].shape, np.float32)
    shares[:, LOCAL], shares[:, 1:REJECT] = kept, filled[:, None] * there
    shares[:, REJECT] = np.maximum(asked - shares.sum(axis=1), 0.0)
    return np.asarray(shares / np.maximum(shares.max(axis=1, keepdims=True), 1.0), np.float32)


OTHERS: Final[dict[str, Policy]] = {"all-local": all_local, "spare": spare}
"""By name."""
