"""Where Place's batches lose time, in units of what they take under the contiguous placement.

`1 / relative speed` is the time of all batches over that of the contiguous placement; a batch's time is the sum of its
parts, so that each part's time over the same sums to it. Unlike the losses of other tracks it has no best value of 0.
"""

from __future__ import annotations

from typing import Final

from edgebench.explain.losses import Losses
from edgebench.tracks.place.simulation import Simulation
from edgebench.tracks.place.state import (
    COMPUTE_MS,
    LOADING_MS,
    LOST_MS,
    PATH_MS,
    REFERENCE_MS,
    TRANSMISSION_MS,
    TRAP_MS,
)

_PARTS: Final = {
    "path": PATH_MS,
    "traps": TRAP_MS,
    "transmission": TRANSMISSION_MS,
    "compute": COMPUTE_MS,
    "loading": LOADING_MS,
    "lost": LOST_MS,
}


def losses_of(simulation: Simulation) -> dict[str, float]:
    """The parts of an ended episode; they sum to 1 / relative speed."""
    total_ms = simulation.state.outcome.sum(axis=0)
    return {name: float(total_ms[part] / total_ms[REFERENCE_MS]) for name, part in _PARTS.items()}


LOSSES: Final = Losses(
    what="1 / relative speed",
    of_metric=lambda speed: 1.0 / speed if speed > 0.0 else float("inf"),
    parts={
        "path": "propagation and hops",
        "traps": "trap extras and late ways",
        "transmission": "the slowest transmission of each round",
        "compute": "the busiest device of each layer",
        "loading": "experts loaded that compute does not hide",
        "lost": "waiting for devices that are down, and invalid edits",
    },
    of_episode=losses_of,
)
