"""The figures of an episode of Place that has ended."""

from __future__ import annotations

import numpy as np

from edgebench.constants import DEADLINE_MS
from edgebench.tracks.place.state import (
    COMPUTE_MS,
    COPIES,
    IMBALANCE,
    LATENCY_MS,
    LOADED_GB,
    LOADING_MS,
    LOST_MS,
    PATH_MS,
    REFERENCE_MS,
    ROWS_CROSSED,
    ROWS_LOST,
    TRANSMISSION_MS,
    TRAP_HITS,
    TRAP_MS,
    Devices,
    State,
    World,
)

_PARTS = {
    "network_ms": (PATH_MS, TRANSMISSION_MS),
    "trap_ms": (TRAP_MS,),
    "compute_ms": (COMPUTE_MS,),
    "loading_ms": (LOADING_MS,),
    "lost_ms": (LOST_MS,),
}


def episode_metrics(devices: Devices, world: World, state: State) -> dict[str, float]:
    """Every figure that `edgebench.tracks.place.track` names, of an episode whose batches are all served.

    `relative_speed` is `sum of T_contiguous / sum of T` over the batches. A batch succeeds if it takes no longer than
    `edgebench.constants.DEADLINE_MS` and none of its rows lost an expert.
    """
    outcome = state.outcome
    latency_ms, rows, layers = outcome[:, LATENCY_MS], world.routes.shape[1], world.routes.shape[2]
    busy = state.total_busy_ms
    figures = {
        "relative_speed": outcome[:, REFERENCE_MS].sum() / latency_ms.sum(),
        "success": np.mean((latency_ms <= DEADLINE_MS) & (outcome[:, ROWS_LOST] == 0.0)),
        "latency_mean_ms": latency_ms.mean(),
        "latency_p95_ms": np.percentile(latency_ms, 95.0),
        **{name: outcome[:, list(parts)].sum(axis=1).mean() for name, parts in _PARTS.items()},
        "imbalance": outcome[:, IMBALANCE].mean(),
        "crossing_share": outcome[:, ROWS_CROSSED].mean() / (rows * (layers + 1)),
        "all_to_all_mb": outcome[:, ROWS_CROSSED].mean() * devices.row_mb,
        "loaded_gb": outcome[:, LOADED_GB].sum(),
        "copies": outcome[:, COPIES].mean() / state.placement.shape[0],
        "trap_hits": outcome[:, TRAP_HITS].mean(),
        "jain": busy.sum() ** 2 / (busy.size * (busy**2).sum()) if busy.any() else 1.0,
    }
    return {name: float(value) for name, value in figures.items()}
