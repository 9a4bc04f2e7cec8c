"""Expand and shrink: from the contiguous placement, one copy more for the busiest expert, one fewer for an idle one.

The actions of FlexMoE (arXiv 2304.03946, from its description): expand, shrink, migrate. It knows no history beyond
the moving average of loads and plans no target.

Command: edgebench eval expand-shrink --track place
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.tracks.place.edits import PLACE, REPLICATE
from reference_agents.place.planning import Edit, Observation, keep, mean_loads, plans, rooms, row_costs
from reference_agents.place.scaling import scale_copies


class Agent:
    """Looks at loads a copy, layer by layer."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> Edit:
        """Migrate or expand before the first batch, expand and shrink where it pays afterwards."""
        if plans(observation):
            return _relieve(observation)
        return scale_copies(mean_loads(observation), row_costs(observation), observation)


def _relieve(observation: Observation) -> Edit:
    """Take from the device that a layer burdens most: half of its busiest expert's load, or a whole expert."""
    loads, costs, now = mean_loads(observation), row_costs(observation), observation["placement"]
    layers, experts = loads.shape
    each = loads / now.sum(axis=1).reshape(layers, experts)
    burden = np.einsum("le,leg->lg", each, now.reshape(layers, experts, -1)) * costs
    free = rooms(observation) > now.sum(axis=0)
    for place in np.argsort(-burden.ravel(), kind="stable")[: layers * 2]:
        layer, busiest = divmod(int(place), len(costs))
        edit = _best_relief(layer, busiest, each, burden, costs, free, observation)
        if edit is not None:
            return edit
    return keep(now)


def _best_relief(
    layer: int, busiest: int, each: Any, burden: Any, costs: Any, free: Any, observation: Observation
) -> Edit | None:
    """The edit that lowers the higher burden of two devices of a layer most; None where none lowers it."""
    now, experts = observation["placement"], each.shape[1]
    best, least = None, burden[layer, busiest] * 0.99
    for number in np.flatnonzero(now[layer * experts : (layer + 1) * experts, busiest]):
        expert = layer * experts + int(number)
        copies = now[expert].sum()
        for device in np.flatnonzero(free & (now[expert] == 0)):
            for verb, moved in ((PLACE, each[layer, number]), (REPLICATE, each[layer, number] / (copies + 1))):
                if verb == PLACE and copies > 1:
                    continue
                there = burden[layer, device] + moved * costs[device]
                here = burden[layer, busiest] - moved * costs[busiest]
                if max(there, here) < least:
                    best, least = np.array([expert, verb, device], np.int64), max(there, here)
    return best
