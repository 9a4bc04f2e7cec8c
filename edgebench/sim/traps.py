"""Trap links: when they are bad, and what they add then."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import DRIFT_MS, TRAP_SLOT_MS, TRAP_SLOTS
from edgebench.sim import counter
from edgebench.sim.chains import first_state, next_state
from edgebench.sim.compiled import compiled, rare

_START, _CHANGE, _EXTRA = counter.TRAP_START, counter.TRAP_CHANGE, counter.TRAP_EXTRA
_uniform = counter.uniform

MONITOR: Final = np.dtype(
    [
        ("weight_ms", "f8"),  # moving average of measured extra delays, grown back to the epoch's beginning
        ("pending_ms", "f8"),  # a measurement still under way
        ("pending_at_ms", "f8"),  # when it is known, inf where none is under way
        ("remembered_ms", "f8"),  # what is expected of the link at the decision that is due
        ("extra_ms", "f8"),  # extra delay in the slot it was last looked at, whatever is sent
        ("slot", "i4"),  # that slot, -1 before the first look
        ("epoch", "i4"),  # to whose beginning `weight_ms` is grown back
        ("is_bad", "i1"),  # whether it was bad then
        ("is_listed", "i1"),  # whether it is in `State.listed`
    ],
    align=True,
)


@rare
def look(link: Any, monitor: Any, trap: int, seed: int, slot: int) -> None:
    """Walk a link's Gilbert–Elliott chain on to `slot`: whether it is bad, and its extra delay whatever is sent.

    A coin for every slot is the chain with chances of one half, a link that is bad for good the one that never leaves.

    Args:
        link: The link's record of `edgebench.sim.topology.TRAP_LINK`.
        monitor: Its record of `edgebench.sim.traps.MONITOR`.
        trap: Its index.
        seed: The scenario's.
        slot: None before that of the last look.
    """
    if monitor.slot == slot:
        return
    bad = monitor.is_bad != 0
    if monitor.slot < 0:
        bad = first_state(seed, _START, trap, link.enter, link.leave)
        monitor.slot = 0
    for later in range(monitor.slot + 1, slot + 1):
        bad = next_state(seed, _CHANGE, trap, later, bad, link.enter, link.leave)
    monitor.slot, monitor.is_bad, monitor.extra_ms = slot, bad, link.rest_ms
    if bad:
        spread = link.extra_max_ms - link.extra_min_ms
        monitor.extra_ms = link.extra_min_ms + spread * _uniform(seed, _EXTRA, trap, slot)


@rare
def is_armed(seed: int, trap: int, now_ms: float) -> bool:
    """Whether a link is a trap at all at `now_ms` where the set of traps moves: half of every `DRIFT_MS`."""
    turn = now_ms / DRIFT_MS + _uniform(seed, counter.DRIFT_PHASE, trap, 0)
    return turn - math.floor(turn) < 0.5


@compiled
def trap_schedule(
    link: NDArray[Any], seed: int, traps: bool, drifts: bool
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """What no agent is told: whether each trap link is bad in each slot of an episode, and its extra delay.

    Args:
        link: (C,) of `edgebench.sim.topology.TRAP_LINK`.
        seed: The scenario's.
        traps: Whether links turn bad.
        drifts: Whether the set of traps moves; the state at the beginning of each slot is given.

    Returns:
        Bad and extra in ms whatever is sent, (C, slots) each.
    """
    bad, extra_ms = np.zeros((link.size, TRAP_SLOTS), np.bool_), np.zeros((link.size, TRAP_SLOTS))
    monitor = np.zeros(link.size, MONITOR)
    for trap in range(link.size):
        monitor[trap].slot = -1
        for slot in range(TRAP_SLOTS if traps else 0):
            look(link[trap], monitor[trap], trap, seed, slot)
            extra_ms[trap, slot] = link[trap].rest_ms
            if not drifts or is_armed(seed, trap, slot * TRAP_SLOT_MS):
                bad[trap, slot], extra_ms[trap, slot] = monitor[trap].is_bad != 0, monitor[trap].extra_ms
    return bad, extra_ms
