"""A bound no agent can pass: the clairvoyant optimum of every task alone in the network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.sim.continuation import Continuation


def task_bounds(region: Region, split: str) -> NDArray[np.float64]:
    """An upper bound of each task's utility, (T,), whatever the scenario.

    Every task has the network to itself: no queue, no trap in its bad state, every model resident. Without them
    a task's utility is a sum over its stages, save for the speed term's floor at 0, so that the
    optimum is the better of two dynamic programmes: one that pays the whole speed term, one that forgoes it.
    """
    tasks = region.task_arrays(split)
    continuation = Continuation(region.topology())
    bounds = np.empty(tasks.size)
    for row, task in enumerate(tasks):
        stages, user = int(task["stages"]), int(task["user_node"])
        info = {
            "user_node": user,
            "stage_types": task["stage_type"][:stages],
            "stage_tokens": task["tokens"][:stages],
            "stage_payload_mb": task["payload_mb"][:stages],
            "answer_mb": float(task["answer_mb"]),
        }
        quality, speed, deadline_s = task["quality_weight"], task["speed_weight"], task["deadline_ms"] / 1000.0
        quick = speed + continuation.values(info, quality, speed, deadline_s)[0, user]
        patient = continuation.values(info, quality, 0.0, deadline_s)[0, user]
        bounds[row] = max(0.0, quick, patient)
    return bounds
