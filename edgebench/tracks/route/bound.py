"""A bound no agent can pass: the clairvoyant optimum of every task alone in the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import WINDOW_TASKS
from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.tracks.route.continuation import Continuation


def episode_bounds(
    region: Region, *, scenario: Scenario, split: str, episodes: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """The bound of each episode's mean utility, (len(episodes),), whatever the scenario: the mean of its tasks'."""
    bounds = task_bounds(region, split)
    return np.array([bounds[w * WINDOW_TASKS : (w + 1) * WINDOW_TASKS].mean() for w, _ in episodes], np.float64)


def task_bounds(region: Region, split: str) -> NDArray[np.float64]:
    """An upper bound of each task's utility, (T,), whatever the scenario.

    Every task has the network to itself: no queue, no trap in its bad state, every model resident. Without them
    a chain's utility is a sum over its stages, save for the speed term's floor at 0, so that the
    optimum is the better of two dynamic programmes: one that pays the whole speed term, one that forgoes it. Of a
    graph the programme is no optimum but still above it (`edgebench.tracks.route.continuation.Continuation.values`).
    """
    continuation = Continuation(region.topology())
    return np.array([bound_of(continuation, task) for task in region.task_arrays(split)], np.float64)


def bound_of(continuation: Continuation, task: Any) -> float:
    """The bound of one task, a record of `edgebench.tracks.route.state.TASK`."""
    user, quality, speed = int(task["user_node"]), task["quality_weight"], task["speed_weight"]
    quick = speed + continuation.of_task(task, quality, speed)[0, user]
    patient = continuation.of_task(task, quality, 0.0)[0, user]
    return float(max(0.0, quick, patient))
