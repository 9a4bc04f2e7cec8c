"""Popularity: copies follow the load predicted for the next batches (Lina, arXiv 2210.17223, from its abstract).

An expert's next load is predicted from its moving average and from what the layer before sends it: loads of that layer
in the last batch times the affinity between the two. Copies and packing before the first batch are EPLB's; while
batches flow the expert of the highest predicted load a copy gets a further one where it pays, the least needed copy
making room.

Command: edgebench eval popularity --track place
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reference_agents.place import eplb
from reference_agents.place.planning import Edit, Floats, Observation, mean_loads, plans, row_costs
from reference_agents.place.scaling import scale_copies

FROM_LAYER_BEFORE: Final = 0.3
"""Weight of what the layer before sends."""


class Agent:
    """EPLB first, then one copy at a time."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode."""
        self._planner = eplb.Agent()
        self._planner.reset(info)

    def act(self, observation: Observation) -> Edit:
        """The next edit towards EPLB's placement, or one for the load to come."""
        if plans(observation):
            return self._planner.act(observation)
        return scale_copies(predicted_loads(observation), row_costs(observation), observation)


def predicted_loads(observation: Observation) -> Floats:
    """Predicted share of every expert within its layer, (L, E)."""
    mean, affinity = mean_loads(observation), observation["affinity"].astype(np.float64)
    predicted = mean.copy()
    for layer in range(1, len(mean)):
        predicted[layer] += FROM_LAYER_BEFORE * (_sent(mean[layer - 1], affinity[layer - 1]) - mean[layer])
    return predicted


def _sent(loads: Floats, affinity: NDArray[np.float64]) -> Floats:
    """What a layer of such loads sends to the experts of the next, (E,)."""
    leaving = affinity.sum(axis=1, keepdims=True)
    onward = np.divide(affinity, leaving, out=np.full_like(affinity, 1.0 / len(affinity)), where=leaving > 0.0)
    return np.asarray(loads @ onward)
