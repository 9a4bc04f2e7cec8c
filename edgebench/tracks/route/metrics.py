"""What is reported of an episode that has ended."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.route.state import DONE, LOADING, PROPAGATION, QUEUEING, SERVICE, TRANSMISSION, TRAP, State

REWARD_ROUNDING: Final = 1e-6
"""Rewards are summed step by step, so that an episode's may be off the sum of utilities by rounding."""


def episode_metrics(state: State) -> dict[str, float]:
    """The metrics of the track (`track.py`) for an ended episode; percentiles interpolate linearly."""
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


def row_problems(values: Mapping[str, float], tasks: int) -> Iterator[str]:
    """What cannot be in the figures of an episode of `tasks` tasks (`edgebench.leaderboard.rows.RowCheck`)."""
    if not values["latency_p50_ms"] <= values["latency_p95_ms"] <= values["latency_p99_ms"]:
        yield "the latency percentiles do not rise"
    total = values["utility"] * tasks
    if not math.isclose(total, values["reward"], rel_tol=REWARD_ROUNDING, abs_tol=REWARD_ROUNDING):
        yield f"reward is {values['reward']:.9g}, the utilities of its tasks sum to {total:.9g}"
