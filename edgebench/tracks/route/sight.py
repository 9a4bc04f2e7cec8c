"""How learning sees a Route decision: every candidate a row, in units in which one policy fits every region and user.

Times are shares of the task's deadline, what a candidate does for the utility is told in utility, and the best of what
the rest of the workflow can add is told beside it (`edgebench.tracks.route.continuation`), from what is public.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import COST_WEIGHT
from edgebench.sim.compiled import compiled
from edgebench.tracks.route.features import CANDIDATE, LABELS, TASK

_TIMES: Final = (
    *("propagation_s", "transmission_s", "measured_extra_s", "queue_s", "loading_s", "service_s"),
    *("return_s", "onward_s"),
)
ROWS: Final = (
    *(f"root_{name}" for name in _TIMES),
    *_TIMES,
    *("stage_time", "stage_time_cost", "risk_of_failure", "quality_gain", "quality", "cost", "speed", "stored", "down"),
    *("rest", "expected_utility"),
)
"""Features of a candidate. Times are shares of the deadline, up to 2; `rest` and `expected_utility` are those of the
best candidate taken off, in tenths of a task's utility."""
CONTEXT: Final = (
    *("quality_weight", "speed_weight", "deadline", "elapsed"),
    *("stages_left", "stages", "is_text", "is_image", "is_video", "next_text", "next_image", "next_video"),
    *("later_text", "later_image", "later_video", "tokens", "payload", "quality_so_far", "cost_so_far"),
)
"""Features of the task; tokens, payload and deadline are logarithms of one more, elapsed a share of the deadline."""
LABELLED: Final = tuple(label.name for label in LABELS)
"""Features of a candidate from privileged labels alone, after all others; times are shares of the deadline."""
LOAD: Final = ("in_flight", "expected_utility")
"""What the task does not tell but the network does: tasks in flight, and the expected utility of the best candidate."""
SO_FAR: Final = ("elapsed", "quality_so_far", "cost_so_far")
"""Features of the task that depend on what was decided about it."""

_SECONDS: Final = tuple(CANDIDATE[name] for name in _TIMES)
_ON_THE_WAY: Final = 6
_MOST: Final = 2.0
_QUALITY, _COST, _SPEED = CANDIDATE["quality"], CANDIDATE["cost"], CANDIDATE["speed"]
_STORED, _DOWN = CANDIDATE["stored"], CANDIDATE["down"]
_QUALITY_WEIGHT, _SPEED_WEIGHT = TASK["quality_weight"], TASK["speed_weight"]
_DEADLINE, _ELAPSED, _LEFT, _STAGES = TASK["deadline_s"], TASK["elapsed_s"], TASK["stages_left"], TASK["stages"]
_TOKENS, _PAYLOAD, _IN_FLIGHT = TASK["tokens_k"], TASK["payload_mb"], TASK["in_flight"]
_QUALITY_SO_FAR, _COST_SO_FAR = TASK["quality_so_far"], TASK["cost_so_far"]
_AS_THEY_ARE: Final = tuple(range(_LEFT, TASK["later_video"] + 1))
_F, _C = len(ROWS), len(CONTEXT) + len(LOAD)
_LATE_LABELS: Final = [number for number, name in enumerate(LABELLED) if name.endswith("_s")]
_TENTHS: Final = 10.0
_LEAST: Final = -1.0


@compiled
def see(
    candidates: NDArray[np.float32],
    task: NDArray[np.float32],
    mask: NDArray[np.int8],
    rest: NDArray[np.float32],
    rows: NDArray[np.float32],
    context: NDArray[np.float32],
) -> None:
    """Write the sight of D decisions; those without a candidate are left as they are.

    Args:
        candidates: Of the observations, (D, F, K).
        task: Of the observations, (D, T).
        mask: Of the observations, (D, K).
        rest: Utility that the stages after this one can add from each candidate, (D, K).
        rows: (D, K, `ROWS`), written.
        context: (D, `CONTEXT` and `LOAD`), written.
    """
    for number in range(candidates.shape[0]):
        if task[number, _DEADLINE] <= 0.0:
            continue
        _see_task(task[number], context[number])
        _see_candidates(candidates[number], task[number], mask[number], rest[number], rows[number])
        _set_best_apart(mask[number], rows[number], context[number])


def see_labels(labels: NDArray[np.float32], task: NDArray[np.float32], rows: NDArray[np.float32]) -> None:
    """Write what the labels say behind the other features; 0 where there is no candidate.

    Args:
        labels: Of the privileged observations, (D, L, K).
        task: Of the observations, (D, T).
        rows: (D, K, `ROWS` and `LABELLED`), the last of them written.
    """
    deadline = np.where(task[:, _DEADLINE] > 0.0, task[:, _DEADLINE], 1.0)
    told = labels.transpose(0, 2, 1).copy()
    told[..., _LATE_LABELS] = np.minimum(told[..., _LATE_LABELS] / deadline[:, None, None], _MOST)
    rows[..., _F:] = told


@compiled
def _see_task(task: NDArray[np.float32], context: NDArray[np.float32]) -> None:
    deadline = task[_DEADLINE]
    context[0], context[1] = task[_QUALITY_WEIGHT], task[_SPEED_WEIGHT]
    context[2], context[3] = np.log1p(deadline), task[_ELAPSED] / deadline
    place = 4
    for entry in _AS_THEY_ARE:
        context[place] = task[entry]
        place += 1
    context[place], context[place + 1] = np.log1p(task[_TOKENS]), np.log1p(task[_PAYLOAD])
    context[place + 2], context[place + 3] = task[_QUALITY_SO_FAR], task[_COST_SO_FAR]
    context[place + 4] = task[_IN_FLIGHT]


@compiled
def _see_candidates(
    candidates: NDArray[np.float32], task: NDArray[np.float32], mask: NDArray[np.int8], rest: NDArray[np.float32],
    rows: NDArray[np.float32],
) -> None:  # fmt: skip
    deadline, times = task[_DEADLINE], len(_SECONDS)
    per_quality = task[_QUALITY_WEIGHT] / (10.0 * task[_STAGES])
    for slot in range(mask.size):
        row = rows[slot]
        if not mask[slot]:
            row[:] = 0.0
            continue
        total = 0.0
        for place in range(times):
            share = candidates[_SECONDS[place], slot] / deadline
            if place < _ON_THE_WAY:
                total += share
            row[times + place] = min(share, _MOST)
            row[place] = np.sqrt(row[times + place])
        gain, cost = per_quality * candidates[_QUALITY, slot], candidates[_COST, slot]
        lateness = task[_ELAPSED] / deadline + total + row[times + _ON_THE_WAY] - 2.0
        total = min(total, _MOST)
        row[2 * times] = total
        row[2 * times + 1] = 5.0 * task[_SPEED_WEIGHT] * total
        row[2 * times + 2] = 1.0 / (1.0 + np.exp(-5.0 * lateness))
        row[2 * times + 3] = 5.0 * gain
        row[2 * times + 4] = candidates[_QUALITY, slot]
        row[2 * times + 5] = np.log1p(10.0 * cost)
        row[2 * times + 6], row[2 * times + 7] = candidates[_SPEED, slot], candidates[_STORED, slot]
        row[2 * times + 8] = candidates[_DOWN, slot]
        row[2 * times + 9] = rest[slot]
        row[2 * times + 10] = gain - task[_SPEED_WEIGHT] * total - COST_WEIGHT * cost + rest[slot]


@compiled
def _set_best_apart(mask: NDArray[np.int8], rows: NDArray[np.float32], context: NDArray[np.float32]) -> None:
    """Take the best candidate's off the two features in utility; its expected utility goes to the context."""
    for feature in (_F - 2, _F - 1):
        best = -np.inf
        for slot in range(mask.size):
            if mask[slot]:
                best = max(best, rows[slot, feature])
        for slot in range(mask.size):
            if mask[slot]:
                rows[slot, feature] = max(_TENTHS * (rows[slot, feature] - best), _LEAST)
        context[_C - 1] = best
