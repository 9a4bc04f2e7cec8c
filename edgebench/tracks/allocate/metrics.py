"""The figures of an episode that has ended."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.allocate.constants import RESOURCES
from edgebench.tracks.allocate.state import DONE, Sites, State


def episode_metrics(sites: Sites, jobs: NDArray[Any], state: State) -> dict[str, float]:
    """Every metric of the track.

    The reward is `points_done - points_violated - points_latency - points_imbalance - points_waste`. Utilisations are
    over the time until the last event. With equal utilisations of all sites Jain's index is 1; so it is of none.
    """
    tally, done = state.tally[0], state.progress["status"] == DONE
    count, priority = jobs.size, jobs["priority"]
    latency_ms = np.where(
        done,
        state.progress["held_ms"] + state.progress["transfer_ms"] - jobs["arrival_ms"],
        jobs["latest_ms"] + jobs["duration_ms"] - jobs["arrival_ms"],
    )
    held = tally["held"] / (sites.capacity.sum(axis=0) * max(float(tally["now_ms"]), 1.0))
    return {
        "completion": float(priority[done].sum() / priority.sum()),
        "success": float(done.mean()),
        **{f"violations_{wanted}": _share(~done[priority == wanted]) for wanted in (1, 2, 3)},
        "latency_mean_ms": float(latency_ms.mean()),
        "latency_p95_ms": float(np.quantile(latency_ms, 0.95)),
        **{f"utilisation_{name}": float(held[index]) for index, name in enumerate(RESOURCES)},
        "fragmentation": 1.0 - _ratio(tally["free_least"], tally["free_mean"]),
        "waste": _ratio(tally["idle_ms"], tally["dominant_ms"], 0.0),
        "imbalance": _ratio(tally["variance"], tally["publications"], 0.0),
        "jain": _ratio(state.busy_ms.sum() ** 2, state.busy_ms.size * (state.busy_ms**2).sum()),
        "trap_hits": float(tally["trap_hits"] / count),
        "refusals": float(tally["refusals"] / count),
        "deferrals": float(tally["deferrals"] / count),
        **_points(tally["points"]),
    }


def _points(points: NDArray[np.float64]) -> dict[str, float]:
    names = ("done", "violated", "latency", "imbalance", "waste")
    return {f"points_{name}": float(value) for name, value in zip(names, points, strict=True)}


def _share(missed: NDArray[np.bool_]) -> float:
    """The share that is true, 0 of none."""
    return float(missed.mean()) if missed.size else 0.0


def _ratio(part: float, whole: float, of_none: float = 1.0) -> float:
    return float(part / whole) if whole > 0.0 else of_none
