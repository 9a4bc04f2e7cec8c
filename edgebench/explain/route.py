"""Where the utility of Route's tasks is lost.

Weights of quality and speed sum to 1, so that a task of perfect quality, answered at once and for nothing, has utility
1. A task that is answered after T lacks

    w_q (1 - mean quality) + w_s min(1, T / deadline) + COST_WEIGHT cost / cost_ref

of it: the first term is lost to quality, the last to cost. The middle one is lost to the delays in proportion to the
time they took, over all stages: a delay of t ms among delays that sum to P loses `w_s min(1, T / deadline) t / P` (in a
chain P = T). Utility is never below 0; where the terms sum to more than 1 each is divided by their sum.

A task that failed loses 1: to its node or its action, or, where it was late, to the delays in the same proportion. A
stage that would have begun after two deadlines was not served; what its task's delays lack of two deadlines is time in
that queue. So the parts of a task sum to 1 - utility, and their means over the tasks to 1 - the episode's utility.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import COST_REF_USD, COST_WEIGHT, FAIL_FACTOR
from edgebench.explain.losses import Losses
from edgebench.tracks.route.simulation import Simulation
from edgebench.tracks.route.state import (
    COUNT,
    DONE,
    DOWN,
    INVALID,
    LATE,
    LOADING,
    PROPAGATION,
    QUEUEING,
    SERVICE,
    TRANSMISSION,
    TRAP,
)

Floats = NDArray[np.float64]
_DELAYS: Final = {
    "network": (PROPAGATION, TRANSMISSION),
    "traps": (TRAP,),
    "queues": (QUEUEING,),
    "loading": (LOADING,),
    "service": (SERVICE,),
}
_FAILURES: Final = {"node down": DOWN, "invalid action": INVALID}


def losses_of(simulation: Simulation) -> dict[str, float]:
    """The parts of an ended episode, mean of its tasks; they sum to 1 - utility."""
    progress = simulation.state.progress[: simulation.state.cursor[COUNT]]
    return {name: float(part.mean()) for name, part in parts_of(simulation.tasks[progress["row"]], progress).items()}


def parts_of(tasks: NDArray[Any], progress: NDArray[Any]) -> dict[str, Floats]:
    """The parts of W tasks that have ended, (W,) each; those of a task sum to 1 - its utility.

    Args:
        tasks: Of `edgebench.tracks.route.state.TASK`, (W,).
        progress: Of `edgebench.tracks.route.state.PROGRESS`, (W,).
    """
    outcome = progress["outcome"]
    late = {f"late: {name}": share * (outcome == LATE) for name, share in _shares_of_late(tasks, progress).items()}
    failed = {name: (outcome == reason).astype(np.float64) for name, reason in _FAILURES.items()}
    return {**_lost_by_answered(tasks, progress), **late, **failed}


def _lost_by_answered(tasks: NDArray[Any], progress: NDArray[Any]) -> dict[str, Floats]:
    """What each task that was answered lacks, (W,) a part."""
    speed = tasks["speed_weight"] * np.minimum(1.0, progress["latency_ms"] / tasks["deadline_ms"])
    terms = {
        **{name: speed * share for name, share in _shares(progress["parts_ms"]).items()},
        "quality": tasks["quality_weight"] * (1.0 - progress["quality_sum"] / tasks["stages"]),
        "cost": COST_WEIGHT * progress["cost_usd"] / COST_REF_USD,
    }
    most = np.maximum(1.0, np.sum(list(terms.values()), axis=0))
    return {name: np.where(progress["outcome"] == DONE, term / most, 0.0) for name, term in terms.items()}


def _shares_of_late(tasks: NDArray[Any], progress: NDArray[Any]) -> dict[str, Floats]:
    """The delays' shares of two deadlines, or of more where they took more; the queue not served is one of them."""
    parts_ms = progress["parts_ms"].copy()
    parts_ms[:, QUEUEING] += np.maximum(0.0, FAIL_FACTOR * tasks["deadline_ms"] - parts_ms.sum(axis=1))
    return _shares(parts_ms)


def _shares(parts_ms: Floats) -> dict[str, Floats]:
    """Each delay over all of them, (W,) each."""
    total_ms = np.maximum(parts_ms.sum(axis=1), np.finfo(np.float64).tiny)
    return {name: parts_ms[:, list(kinds)].sum(axis=1) / total_ms for name, kinds in _DELAYS.items()}


_MEANINGS: Final = {
    "network": "propagation, hops and transmission",
    "traps": "what bad trap links added",
    "queues": "waiting for nodes",
    "loading": "loading models",
    "service": "running models",
}
LOSSES: Final = Losses(
    what="1 - utility",
    of_metric=lambda utility: 1.0 - utility,
    parts={
        **{name: f"answered tasks' time: {meaning}" for name, meaning in _MEANINGS.items()},
        "quality": "models of less quality than 1, by the user's weight",
        "cost": "what the models cost",
        **{f"late: {name}": f"tasks given up after two deadlines: {meaning}" for name, meaning in _MEANINGS.items()},
        "node down": "tasks lost with a node that was down",
        "invalid action": "tasks sent to no candidate",
    },
    of_episode=losses_of,
)
