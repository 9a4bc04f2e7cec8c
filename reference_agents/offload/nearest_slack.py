"""Nearest-slack: what a node cannot do in time goes to the nearest neighbour with slack, then to the next; the rest is
rejected.

Command: edgebench eval nearest-slack --track offload
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reference_agents.offload.sight import Observation, demand, passage, room, shares, slack

_KEPT_SLOTS: Final = 1.8
_SLACK_SLOTS: Final = 1.4
_MOST_EXTRA_S: Final = 0.8


class Agent:
    """Neighbours come by latency in the observation, so a running sum fills the nearest first."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode."""

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """What there is room for stays; the surplus fills the neighbours' slack in order."""
        asked = demand(observation)
        kept = np.minimum(asked, room(observation, _KEPT_SLOTS))
        there = np.minimum(slack(observation, _SLACK_SLOTS), passage(observation, _MOST_EXTRA_S))
        before = np.cumsum(there, axis=1) - there
        forwarded = np.clip((asked - kept)[:, None] - before, 0.0, there)
        return shares(kept, forwarded, asked - kept - forwarded.sum(axis=1))
