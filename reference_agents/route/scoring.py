"""What the heuristics share: the terms of a candidate's expected utility, and picking the best candidate."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, COST_WEIGHT
from edgebench.sim.compiled import compiled
from edgebench.tracks.route.features import CANDIDATE, TASK, F, T

Observation = dict[str, NDArray[Any]]
TERMS: Final = ("quality", "network", "measured_extra", "queue", "loading", "service", "cost", "rest")
"""Terms of a candidate's expected utility, the rows of `expected_terms`; `rest` is the workflow after this stage."""

_PROPAGATION, _TRANSMISSION = CANDIDATE["propagation_s"], CANDIDATE["transmission_s"]
_EXTRA, _QUEUE, _LOADING = CANDIDATE["measured_extra_s"], CANDIDATE["queue_s"], CANDIDATE["loading_s"]
_SERVICE, _QUALITY, _COST = CANDIDATE["service_s"], CANDIDATE["quality"], CANDIDATE["cost"]
_RETURN = CANDIDATE["return_s"]
_QUALITY_WEIGHT, _SPEED_WEIGHT = TASK["quality_weight"], TASK["speed_weight"]
_DEADLINE, _LEFT, _STAGES = TASK["deadline_s"], TASK["stages_left"], TASK["stages"]


def blank() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int8], NDArray[np.float64]]:
    """Candidates, task, mask and rest of an empty observation.

    An agent calls its compiled functions with them when it begins, outside the budget of its first decision.
    """
    return (
        np.zeros((F, CANDIDATES), np.float32),
        np.ones(T, np.float32),
        np.zeros(CANDIDATES, np.int8),
        np.zeros(CANDIDATES),
    )


def pick(scores: NDArray[Any], observation: Observation) -> int:
    """The valid candidate with the highest score, the first where several have it.

    One on a node that telemetry calls down is taken only if all are.
    """
    valid = observation["action_mask"] > 0
    up = valid & (row(observation, "down") == 0.0)
    return int(np.argmax(np.where(up if up.any() else valid, scores, -np.inf)))


def row(observation: Observation, name: str) -> NDArray[Any]:
    """One row of `candidates` by name, (K,)."""
    values: NDArray[Any] = observation["candidates"][CANDIDATE[name]]
    return values


def entry(observation: Observation, name: str) -> float:
    """One entry of `task` by name."""
    return float(observation["task"][TASK[name]])


@compiled
def expected_terms(
    candidates: NDArray[np.float32], task: NDArray[np.float32], rest: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What each term adds to the task's utility, (8, K): the formula of the utility, part by part.

    Args:
        candidates: Of the observation, (F, K).
        task: Of the observation, (T,).
        rest: Utility that the stages after this one can add, (K,); on the last stage the way back stands in its place.
    """
    per_second = -float(task[_SPEED_WEIGHT]) / float(task[_DEADLINE])
    per_quality = float(task[_QUALITY_WEIGHT]) / (10.0 * float(task[_STAGES]))
    is_last = task[_LEFT] < 0.15
    terms = np.empty((len(TERMS), candidates.shape[1]))
    for slot in range(candidates.shape[1]):
        seen = candidates[:, slot]
        terms[0, slot] = per_quality * seen[_QUALITY]
        terms[1, slot] = per_second * (seen[_PROPAGATION] + seen[_TRANSMISSION])
        terms[2, slot] = per_second * seen[_EXTRA]
        terms[3, slot] = per_second * seen[_QUEUE]
        terms[4, slot] = per_second * seen[_LOADING]
        terms[5, slot] = per_second * seen[_SERVICE]
        terms[6, slot] = -COST_WEIGHT * seen[_COST]
        terms[7, slot] = per_second * seen[_RETURN] if is_last else rest[slot]
    return terms
