"""The gate's plan of the Allocate track: who plays, and who fails on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from edgebench.harness.gate import GatePlan, Spoil
from edgebench.tracks.allocate.features import JOB


def _priority(observation: dict[str, Any]) -> int:
    return round(float(observation["job"][JOB["priority"]]))


def _when(gives_up: Callable[[dict[str, Any]], bool]) -> Spoil:
    """Let the job wait, and so expire, when `gives_up` says so."""
    return lambda seen, action: seen["action_mask"].size - 1 if gives_up(seen) else action


FAILING: Final = {
    "by letting every job expire": _when(lambda seen: True),
    "by letting priority 3 expire": _when(lambda seen: _priority(seen) == 3),
    "by letting priority 1 expire": _when(lambda seen: _priority(seen) == 1),
}


PLAN: Final = GatePlan(
    trivial=("first-fit",),
    heuristics=("all-offer", "best-fit", "worst-fit", "drf", "priority-edf"),
    failing=FAILING,
)
