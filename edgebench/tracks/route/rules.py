"""What a simulation goes by that is no part of the region: the scenario's parameters and what is decided how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

RULES: Final = np.dtype(
    [
        ("traps", "i8"),  # 1 where trap links turn bad
        ("crowds", "i8"),  # flash crowds an episode
        ("crowd_tasks", "i8"),  # tasks of one
        ("crowd_speedup", "f8"),  # how many times as fast they come
        ("outage_enter", "f8"),  # chance per slot that a node fails
        ("outage_leave", "f8"),  # chance per slot that it is back
        ("drifts", "i8"),  # 1 where the set of traps and the place of the load move
        ("jitter_chance", "f8"),  # chance per slot that the way between two nodes is late
        ("jitter_min_ms", "f8"),
        ("jitter_max_ms", "f8"),
        ("tick_ms", "f8"),  # decisions wait for the next multiple of this; 0: they do not wait
        ("sees_all", "i8"),  # 1 where every instance is offered
        ("privileged", "i8"),  # 1 where labels are written
    ],
    align=True,
)


def make_rules(
    parameters: Mapping[str, float], *, tick_ms: float = 0.0, sees_all: bool = False, privileged: bool = False
) -> NDArray[Any]:
    """Rules from a scenario's parameters (`edgebench.registry.Scenario.parameters`), (1,) of `RULES`.

    Raises:
        ValueError: A parameter is unknown.
    """
    rules = np.zeros(1, RULES)
    rules["crowd_speedup"] = 1.0
    rules["tick_ms"], rules["sees_all"], rules["privileged"] = tick_ms, sees_all, privileged
    for name, value in parameters.items():
        rules[name] = value
    return rules
