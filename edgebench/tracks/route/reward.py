"""What a task earns: its utility, telescoped over its stages, and the three objectives that the utility weighs."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.constants import COST_REF_USD, COST_WEIGHT, FAIL_FACTOR
from edgebench.sim.compiled import part
from edgebench.tracks.route.state import DONE, OBJECTIVES, QUALITY, SPEED, THRIFT, UTILITY, State


@part
def utility(task: Any, progress: Any, elapsed_ms: float) -> float:
    """`w_q · mean quality + w_s · max(0, 1 − T/deadline) − w_c · cost/cost_ref`, never below a failure's 0."""
    quality = task.quality_weight * progress.quality_sum / task.stages
    speed = task.speed_weight * max(0.0, 1.0 - elapsed_ms / task.deadline_ms)
    return float(max(0.0, quality + speed - COST_WEIGHT * progress.cost_usd / COST_REF_USD))


@part
def potential(task: Any, progress: Any, elapsed_ms: float) -> float:
    """What a task in flight has earned after k of S stages: as its utility, with k/S in place of the speed term's 1.

    Time has passed until the last of the stages that have run is done.

    Rewards are differences of this potential, so that they sum to the utility (Ng, Harada and Russell,
    "Policy invariance under reward transformations", ICML 1999).
    """
    quality = task.quality_weight * progress.quality_sum / task.stages
    share = progress.stages_run / task.stages - min(1.0, elapsed_ms / task.deadline_ms)
    return float(quality + task.speed_weight * share - COST_WEIGHT * progress.cost_usd / COST_REF_USD)


@part
def earn_on_the_way(state: State, task: Any, progress: Any, elapsed_ms: float) -> None:
    """Bring what a task in flight has earned to its potential; of each objective likewise."""
    done = progress.stages_run / task.stages
    _earn(state, progress, UTILITY, potential(task, progress, elapsed_ms))
    _earn(state, progress, QUALITY, progress.quality_sum / task.stages)
    _earn(state, progress, SPEED, done - min(1.0, elapsed_ms / task.deadline_ms))
    _earn(state, progress, THRIFT, done - progress.cost_usd / COST_REF_USD)


@part
def end_task(state: State, task: Any, progress: Any, outcome: int) -> None:
    """Close a task: what it has earned comes to its utility, each objective to its value, and to 0 where it failed."""
    progress.outcome = outcome
    progress.ready_ms = np.inf
    _earn(state, progress, UTILITY, progress.utility)
    if outcome != DONE:
        progress.latency_ms = FAIL_FACTOR * task.deadline_ms
        for objective in range(UTILITY + 1, OBJECTIVES):
            _earn(state, progress, objective, 0.0)
        return
    _earn(state, progress, QUALITY, progress.quality_sum / task.stages)
    _earn(state, progress, SPEED, max(0.0, 1.0 - progress.latency_ms / task.deadline_ms))
    _earn(state, progress, THRIFT, max(0.0, 1.0 - progress.cost_usd / COST_REF_USD))


@part
def _earn(state: State, progress: Any, objective: int, value: float) -> None:
    state.earned[objective] += value - progress.earned[objective]
    progress.earned[objective] = value
