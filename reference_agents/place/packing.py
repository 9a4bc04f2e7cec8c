"""Packing: every expert once, packed by its load in the history so that no device is burdened more than others.

Command: edgebench eval packing --track place
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_agents.place.planning import (
    Edit,
    Observation,
    Placement,
    edit_towards,
    keep,
    mean_loads,
    pack,
    plans,
    rooms,
    row_costs,
)


class Agent:
    """Packs before the first batch, layer by layer, weighing what a row costs each device."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode."""
        self._target: Placement | None = None

    def act(self, observation: Observation) -> Edit:
        """The next edit towards the packed placement."""
        if not plans(observation):
            return keep(observation["placement"])
        loads = mean_loads(observation)
        if self._target is None:
            self._target = pack(np.ones(loads.shape, np.int64), loads, row_costs(observation), rooms(observation))
        return edit_towards(self._target, observation, loads.ravel())
