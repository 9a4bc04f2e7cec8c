"""Contiguous: keep the placement in order that the episode begins with. The trivial policy, of relative speed 1.

Command: edgebench eval contiguous --track place
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_agents.place.planning import keep


class Agent:
    """Never loads anything."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
        """An edit that changes nothing."""
        return keep(observation["placement"])
