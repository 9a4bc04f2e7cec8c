"""Nodes that fail: what they hold is lost, what reaches them or runs on them fails, telemetry tells it late."""

from __future__ import annotations

from typing import Final

import numpy as np

from edgebench.constants import TELEMETRY_MS, TRAP_SLOT_MS, TRAP_SLOTS
from edgebench.sim import counter
from edgebench.sim.chains import first_state, next_state, slot_of
from edgebench.sim.compiled import part, rare
from edgebench.sim.topology import Topology
from edgebench.tracks.route.state import SEED, State

_START, _CHANGE = counter.OUTAGE_START, counter.OUTAGE_CHANGE
PERIOD_SLOTS: Final = round(TELEMETRY_MS / TRAP_SLOT_MS)
"""Slots of a telemetry period; its first slot is that of which telemetry tells."""


@part
def forget_outages(topology: Topology, state: State) -> None:
    """Before an episode: no node looked at."""
    for node in range(topology.node.shape[0]):
        state.outage[node].slot = -1


@rare
def look_at_node(state: State, node: int, slot: int) -> bool:
    """Walk a node's chain on to `slot`; whether it is down then or was on the way, so that all it held is lost."""
    outage, rules, seed = state.outage[node], state.rules[0], state.cursor[SEED]
    lost = False
    for later in range(outage.slot + 1, slot + 1):
        if later == 0:
            outage.is_down = first_state(seed, _START, node, rules.outage_enter, rules.outage_leave)
        else:
            was_down = outage.is_down != 0
            outage.is_down = next_state(seed, _CHANGE, node, later, was_down, rules.outage_enter, rules.outage_leave)
        if later % PERIOD_SLOTS == 0:
            outage.seen_down = outage.is_down
        lost |= outage.is_down != 0
    outage.slot = max(outage.slot, slot)
    return lost


@part
def period_slot(now_ms: float) -> int:
    """The slot of which telemetry last told at `now_ms`."""
    return min(int(now_ms / TELEMETRY_MS), (TRAP_SLOTS - 1) // PERIOD_SLOTS) * PERIOD_SLOTS


@rare
def is_down_now(state: State, node: int, now_ms: float) -> bool:
    """Whether a node is down at `now_ms`, looked up without a trace: nobody learns of it."""
    outage, rules, seed = state.outage[node], state.rules[0], state.cursor[SEED]
    down = outage.is_down != 0
    for later in range(outage.slot + 1, slot_of(now_ms) + 1):
        down = next_state(seed, _CHANGE, node, later, down, rules.outage_enter, rules.outage_leave)
    return bool(down)


@rare
def fails_before(state: State, node: int, done_ms: float) -> float:
    """When a node that is up at the last look goes down by `done_ms`, in ms; infinity where it does not."""
    rules, seed = state.rules[0], state.cursor[SEED]
    for later in range(state.outage[node].slot + 1, slot_of(done_ms) + 1):
        if next_state(seed, _CHANGE, node, later, False, rules.outage_enter, rules.outage_leave):
            return later * TRAP_SLOT_MS
    return np.inf
