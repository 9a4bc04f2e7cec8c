"""The gate's plan of the Place track: who plays, who fails on purpose, what else must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.harness.gate import Finding, GatePlan, Measured, Spoil
from edgebench.tracks.place.edits import DELETE, PLACE
from edgebench.tracks.place.features import DEVICE_FEATURES, PROGRESS_FEATURES

PARTS: Final = {"network": "network_ms", "trap extras": "trap_ms", "compute": "compute_ms", "loading": "loading_ms"}
LEAST_PART: Final = 5.0
"""Least share of random-valid's latency of each part, in per cent."""

Edit = NDArray[np.int64]
_BATCHES_LEFT: Final = [feature.name for feature in PROGRESS_FEATURES].index("batches_left")
_FREE: Final = [feature.name for feature in DEVICE_FEATURES].index("free_gb")


def _once_batches_flow(harm: Callable[[dict[str, Any]], Edit]) -> Spoil:
    """Plan as the other does, and do `harm` in every slot in which a batch is served."""
    return lambda seen, action: harm(seen) if seen["progress"][_BATCHES_LEFT] < 1.0 else action


def _invalid(observation: dict[str, Any]) -> Edit:
    """An edit of no expert."""
    return np.array([len(observation["placement"]), DELETE, 0], np.int64)


def _thrash(observation: dict[str, Any]) -> Edit:
    """The only copy of the busiest expert to the device with the most room that holds none."""
    placement = observation["placement"]
    expert = int(observation["experts"][:, 1].argmax())
    free_gb = np.where(placement[expert] == 0, observation["devices"][:, _FREE], -1.0)
    return np.array([expert, PLACE, free_gb.argmax()], np.int64)


def _crowd(observation: dict[str, Any]) -> Edit:
    """One expert more to the slowest device, whose memory fills."""
    placement = observation["placement"]
    elsewhere = np.flatnonzero(placement[:, 0] == 0)
    return np.array([elsewhere[0] if elsewhere.size else 0, PLACE, 0], np.int64)


def _findings(measured: Measured) -> Iterator[Finding]:
    means = {name: measured.mean("random-valid", metric) for name, metric in PARTS.items()}
    for name, mean in means.items():
        yield "parts of random-valid's latency (%)", name, 100.0 * mean / sum(means.values()), LEAST_PART


PLAN: Final = GatePlan(
    trivial=("contiguous",),
    heuristics=(
        "random-placement",
        "packing",
        "eplb",
        "hierarchical-eplb",
        "popularity",
        "expand-shrink",
        "affinity-annealing",
    ),
    failing={
        "by invalid edits": _once_batches_flow(_invalid),
        "by needless loading": _once_batches_flow(_thrash),
        "by crowding one device": _once_batches_flow(_crowd),
    },
    more=_findings,
)
