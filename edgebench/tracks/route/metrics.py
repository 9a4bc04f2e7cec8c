"""What is reported of an episode that has ended."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.route.state import DONE, LOADING, PROPAGATION, QUEUEING, SERVICE, TRANSMISSION, TRAP, State

METRICS = {
    "utility": "mean utility of a task, a failed one counting 0",
    "success": "share of tasks answered within two deadlines",
    "quality": "mean quality of a stage over the answered tasks' stages done, 0 where none was answered",
    "latency_mean_ms": "mean time from arrival to answer; a failed task counts two deadlines",
    "latency_p50_ms": "median of the same",
    "latency_p95_ms": "95th percentile of the same",
    "latency_p99_ms": "99th percentile of the same",
    "cost_usd": "mean cost of a task",
    "trap_hits": "bad trap links crossed, a task",
    "network_ms": "propagation, hops and transmission, mean a task",
    "trap_ms": "trap extras, mean a task",
    "queueing_ms": "waiting for nodes, mean a task",
    "loading_ms": "loading models, mean a task",
    "service_ms": "running models, mean a task",
    "jain": "Jain's index of the nodes' busy times",
}
"""Metrics of an episode by name."""


def episode_metrics(state: State) -> dict[str, float]:
    """The values of `METRICS` for an ended episode; percentiles interpolate linearly."""
    count = int(state.cursor[1])
    progress = state.progress[:count]
    latency, parts = progress["latency_ms"], progress["parts_ms"].mean(axis=0)
    answered = progress["outcome"] == DONE
    quality = progress["quality_sum"][answered] / progress["stages_run"][answered]
    median, late, latest = np.percentile(latency, (50, 95, 99))
    return {
        "utility": float(progress["utility"].mean()),
        "success": float(answered.mean()),
        "quality": float(quality.mean()) if answered.any() else 0.0,
        "latency_mean_ms": float(latency.mean()),
        "latency_p50_ms": float(median),
        "latency_p95_ms": float(late),
        "latency_p99_ms": float(latest),
        "cost_usd": float(progress["cost_usd"].mean()),
        "trap_hits": float(progress["trap_hits"].mean()),
        "network_ms": float(parts[PROPAGATION] + parts[TRANSMISSION]),
        "trap_ms": float(parts[TRAP]),
        "queueing_ms": float(parts[QUEUEING]),
        "loading_ms": float(parts[LOADING]),
        "service_ms": float(parts[SERVICE]),
        "jain": jain(state.busy_ms),
    }


def jain(shares: NDArray[np.float64]) -> float:
    """Jain's index (Σx)² / (n Σx²): 1 for equal shares, 1/n where one has all; 1 as well where nobody has any.

    Jain, Chiu and Hawe, "A quantitative measure of fairness", DEC TR-301, 1984.
    """
    squares = float((shares**2).sum())
    return float(shares.sum()) ** 2 / (shares.size * squares) if squares > 0.0 else 1.0
