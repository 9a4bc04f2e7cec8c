"""Trap links: when they are bad, what is measured of them, what is remembered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from edgebench.constants import (
    MEASURE_ALPHA,
    MEASURE_MEMORY_MS,
    TRAP_SLOT_MS,
    TRAP_SLOTS,
)
from edgebench.sim import counter
from edgebench.sim.compiled import compiled
from edgebench.sim.state import State
from edgebench.sim.topology import Topology

_START, _CHANGE, _EXTRA = counter.TRAP_START, counter.TRAP_CHANGE, counter.TRAP_EXTRA
_uniform = counter.uniform


@compiled
def draw_traps(topology: Topology, state: State, seed: int, active: bool) -> None:
    """Fill `state.extra_ms`: a Gilbert–Elliott chain per trap link, started in its stationary state."""
    state.extra_ms[:] = 0.0
    if not active:
        return
    for trap in range(topology.trap.size):
        link = topology.trap[trap]
        bad = _uniform(seed, _START, trap, 0) * (link.enter + link.leave) < link.enter
        for slot in range(TRAP_SLOTS):
            if slot > 0 and _uniform(seed, _CHANGE, trap, slot) < (link.leave if bad else link.enter):
                bad = not bad
            if bad:
                spread = link.extra_max_ms - link.extra_min_ms
                state.extra_ms[trap, slot] = link.extra_min_ms + spread * _uniform(seed, _EXTRA, trap, slot)


@compiled
def extra_now(state: State, trap: int, now_ms: float) -> float:
    """Extra delay in ms of a trap link entered at `now_ms`."""
    return float(state.extra_ms[trap, min(int(now_ms / TRAP_SLOT_MS), TRAP_SLOTS - 1)])


@compiled
def remembered(monitor: Any, now_ms: float) -> float:
    """What an operator expects of a trap link at `now_ms`: the faded moving average of what was measured, in ms.

    Args:
        monitor: The link's record of `edgebench.sim.state.MONITOR`.
        now_ms: Time from the start of the window.
    """
    average, since = monitor.measured_ms, monitor.measured_at_ms
    if monitor.pending_at_ms <= now_ms:
        average, since = _folded(monitor), monitor.pending_at_ms
    if average == 0.0:
        return 0.0
    return float(average * math.exp((since - now_ms) / MEASURE_MEMORY_MS))


@compiled
def measure(monitor: Any, extra_ms: float, now_ms: float, known_at_ms: float) -> None:
    """Start a measurement that is known when the transfer has arrived; one at a time is under way per link."""
    if monitor.pending_at_ms <= now_ms:
        monitor.measured_ms = _folded(monitor)
        monitor.measured_at_ms = monitor.pending_at_ms
        monitor.pending_at_ms = np.inf
    if monitor.pending_at_ms == np.inf:
        monitor.pending_ms = extra_ms
        monitor.pending_at_ms = known_at_ms


@compiled
def _folded(monitor: Any) -> float:
    fade = math.exp((monitor.measured_at_ms - monitor.pending_at_ms) / MEASURE_MEMORY_MS)
    return float((1.0 - MEASURE_ALPHA) * monitor.measured_ms * fade + MEASURE_ALPHA * monitor.pending_ms)
