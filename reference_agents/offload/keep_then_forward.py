"""Keep-then-forward: a node keeps what it does in a slot and forwards the rest evenly (a threshold rule of DFaaS).

Command: edgebench eval keep-then-forward --track offload
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reference_agents.offload.sight import Observation, demand, is_there, room, shares

_KEPT_SLOTS: Final = 1.0


class Agent:
    """Knows its own queue alone."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode."""

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """As much as there is room for stays, of the rest each neighbour gets the same."""
        asked, there = demand(observation), is_there(observation)
        kept = np.minimum(asked, room(observation, _KEPT_SLOTS))
        forwarded = there * ((asked - kept) / there.sum(axis=1))[:, None]
        return shares(kept, forwarded, np.zeros_like(kept))
