"""Proportional: requests are spread over node and neighbours in proportion to the capacity each has to spare.

Command: edgebench eval proportional --track offload
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reference_agents.offload.sight import Observation, demand, passage, room, shares, slack

_SLOTS: Final = 1.6
"""Work that may wait at a node, its own capacity of a slot included, is spare up to this."""
_MOST_EXTRA_S: Final = 0.8


class Agent:
    """Trusts what was last published, and what it measured of its links."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode."""

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """Shares by spare capacity, of a neighbour no more than its link carries."""
        there = np.minimum(slack(observation, _SLOTS), passage(observation, _MOST_EXTRA_S))
        here = np.maximum(room(observation, _SLOTS), 1e-3)
        part = np.minimum(1.0, demand(observation) / (here + there.sum(axis=1)))
        return shares(
            part * here, part[:, None] * there, np.maximum(0.0, demand(observation) - here - there.sum(axis=1))
        )
