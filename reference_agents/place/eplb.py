"""EPLB: copies for the experts with the most load a copy, then balanced packing (DeepSeek's load balancer, from its
description in the DeepSeek-V3 report, arXiv 2412.19437).

Command: edgebench eval eplb --track place
"""

from __future__ import annotations

from typing import Any, Final

from reference_agents.place.planning import (
    Edit,
    Observation,
    Placement,
    edit_towards,
    keep,
    mean_loads,
    pack,
    plans,
    replicate_greedily,
    rooms,
    row_costs,
)

FREE: Final = 2
"""Room for so many copies is left, without which edits get in each other's way."""


class Agent:
    """Fills the memory with copies before the first batch."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode."""
        self._target: Placement | None = None

    def act(self, observation: Observation) -> Edit:
        """The next edit towards the balanced placement."""
        if not plans(observation):
            return keep(observation["placement"])
        loads = mean_loads(observation)
        if self._target is None:
            room = rooms(observation)
            copies = replicate_greedily(loads, int(room.sum()) - loads.size - FREE, len(room))
            self._target = pack(copies, loads, row_costs(observation), room)
        return edit_towards(self._target, observation, loads.ravel())
