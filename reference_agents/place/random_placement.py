"""Random placement: every expert once, anywhere it fits, and left there.

Command: edgebench eval random-placement --track place
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.sim import counter
from reference_agents.place.planning import Edit, Observation, Placement, edit_towards, keep, mean_loads, plans, rooms

_STREAM = 2


class Agent:
    """Draws a placement before the first batch."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode with its seed."""
        self._seed = int(info["seed"])
        self._target: Placement | None = None
        counter.uniforms(self._seed, _STREAM, 1)

    def act(self, observation: Observation) -> Edit:
        """The next edit towards the drawn placement."""
        if not plans(observation):
            return keep(observation["placement"])
        if self._target is None:
            self._target = self._draw(observation)
        return edit_towards(self._target, observation, mean_loads(observation).ravel())

    def _draw(self, observation: Observation) -> Placement:
        experts = len(observation["placement"])
        places = np.repeat(np.arange(observation["placement"].shape[1]), rooms(observation))
        order = np.argsort(counter.uniforms(self._seed, _STREAM, places.size))[:experts]
        target = np.zeros_like(observation["placement"])
        target[np.arange(experts), places[order]] = 1
        return target
