"""The gate's plan of the Allocate track: who plays, and who fails on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from edgebench.harness.gate import GatePlan
from edgebench.tracks.allocate.features import JOB


class _Idler:
    """An agent that lets a job wait, and so expire, when `gives_up` says so."""

    def __init__(self, agent: Any, gives_up: Callable[[dict[str, Any]], bool]) -> None:
        self._agent, self._gives_up = agent, gives_up

    def reset(self, info: dict[str, Any]) -> None:
        self._agent.reset(info)

    def act(self, observation: dict[str, Any]) -> int:
        wish = int(self._agent.act(observation))
        return observation["action_mask"].size - 1 if self._gives_up(observation) else wish


def _priority(observation: dict[str, Any]) -> int:
    return round(float(observation["job"][JOB["priority"]]))


GIVES_UP: Final[dict[str, Callable[[dict[str, Any]], bool]]] = {
    "by letting every job expire": lambda seen: True,
    "by letting priority 3 expire": lambda seen: _priority(seen) == 3,
    "by letting priority 1 expire": lambda seen: _priority(seen) == 1,
}
"""When an idler gives up a job."""


def _wrap(gives_up: Callable[[dict[str, Any]], bool]) -> Callable[[Any], Any]:
    return lambda agent: _Idler(agent, gives_up)


PLAN: Final = GatePlan(
    trivial=("first-fit",),
    heuristics=("all-offer", "best-fit", "worst-fit", "drf", "priority-edf"),
    failing={name: _wrap(gives_up) for name, gives_up in GIVES_UP.items()},
)
