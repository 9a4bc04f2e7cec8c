"""My agent for Offload: where does each node send its users' requests: itself, a neighbour, or nowhere?

    edgebench eval my_agent.py --track offload --split val        score it; 0 is random, 1 a clairvoyant bound
    edgebench explain RUN                                         where it loses, beside a heuristic

An agent is a class `Agent` with `reset` and `act`. It runs in a process of its own, without network. What an
observation holds, entry by entry: python -m pydoc edgebench.tracks.offload.env.OffloadEnv
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.offload.features import NODE

# A node keeps what it has room for, up to so many seconds of its own work. It could send the rest to neighbours that
# have room: `capacity`, `queue` and `load` of `neighbours` tell.
KEPT_SLOTS = 1.8


class Agent:
    """Every node keeps what it can do in time and rejects the rest at once, which costs less than losing it."""

    def reset(self, info: dict[str, Any]) -> None:
        """An episode begins: 120 slots of a second. `info` names region and scenario and holds the network."""

    def act(self, observation: dict[str, Any], info: dict[str, Any]) -> NDArray[np.float32]:
        """A slot's requests have arrived: a row a node, its shares of itself, 8 neighbours, rejection."""
        nodes = observation["nodes"]

        room = np.maximum(0.0, KEPT_SLOTS - nodes[:, NODE["queue"]])  # in slots of the node's work
        kept = np.minimum(1.0, room / np.maximum(nodes[:, NODE["load"]], 1e-6))

        shares = np.zeros(observation["action_mask"].shape, np.float32)
        shares[:, 0] = kept
        shares[:, -1] = 1.0 - kept
        return shares
