"""Nodes that fail: when they are down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import TRAP_SLOTS
from edgebench.sim import counter
from edgebench.sim.chains import first_state, next_state
from edgebench.sim.compiled import compiled

_START, _CHANGE = counter.OUTAGE_START, counter.OUTAGE_CHANGE


@compiled
def outage_schedule(nodes: int, seed: int, enter: float, leave: float) -> NDArray[np.bool_]:
    """What no agent is told: whether each node is down in each slot of an episode, (N, slots)."""
    down = np.zeros((nodes, TRAP_SLOTS), np.bool_)
    for node in range(nodes if enter > 0.0 else 0):
        down[node, 0] = first_state(seed, _START, node, enter, leave)
        for slot in range(1, TRAP_SLOTS):
            down[node, slot] = next_state(seed, _CHANGE, node, slot, down[node, slot - 1], enter, leave)
    return down
