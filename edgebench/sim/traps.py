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
from edgebench.sim.compiled import part
from edgebench.sim.state import State
from edgebench.sim.topology import Topology

_START, _CHANGE, _EXTRA = counter.TRAP_START, counter.TRAP_CHANGE, counter.TRAP_EXTRA
_uniform = counter.uniform


@part
def draw_traps(topology: Topology, state: State, seed: int, active: bool) -> None:
    """Fill `state.extra_ms` and `state.is_bad`: a Gilbert–Elliott chain per trap link, started in its stationary state.

    A coin for every slot is the chain with chances of one half, a link that is bad for good the one that never leaves.
    """
    for trap in range(topology.trap.shape[0]):
        if active:
            _draw_trap(topology.trap[trap], state, seed, trap)
        else:
            for slot in range(TRAP_SLOTS):
                state.extra_ms[trap, slot], state.is_bad[trap, slot] = 0.0, 0


@part
def _draw_trap(link: Any, state: State, seed: int, trap: int) -> None:
    bad = _uniform(seed, _START, trap, 0) * (link.enter + link.leave) < link.enter
    for slot in range(TRAP_SLOTS):
        if slot > 0 and _uniform(seed, _CHANGE, trap, slot) < (link.leave if bad else link.enter):
            bad = not bad
        state.is_bad[trap, slot] = bad
        state.extra_ms[trap, slot] = link.rest_ms
        if bad:
            spread = link.extra_max_ms - link.extra_min_ms
            state.extra_ms[trap, slot] = link.extra_min_ms + spread * _uniform(seed, _EXTRA, trap, slot)


@part
def slot_of(now_ms: float) -> int:
    """The slot of a trap link entered at `now_ms`; the last one holds."""
    return min(int(now_ms / TRAP_SLOT_MS), TRAP_SLOTS - 1)


@part
def extra_now(state: State, link: Any, trap: int, megabytes: float, now_ms: float) -> float:
    """Extra delay in ms of `megabytes` over a trap link entered at `now_ms`.

    While the link is bad, less bandwidth or lost packets add `megabytes × slow_ms_per_mb` to what the slot adds.

    Args:
        state: The episode.
        link: The link's record of `edgebench.sim.topology.TRAP_LINK`.
        trap: Its index.
        megabytes: What is sent.
        now_ms: Time from the start of the window.
    """
    slot = slot_of(now_ms)
    extra = float(state.extra_ms[trap, slot])
    if state.is_bad[trap, slot]:
        extra += megabytes * link.slow_ms_per_mb
    return extra


@part
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


@part
def fold(monitor: Any, now_ms: float) -> None:
    """Take a measurement into the moving average once it is known."""
    if monitor.pending_at_ms <= now_ms:
        monitor.measured_ms = _folded(monitor)
        monitor.measured_at_ms = monitor.pending_at_ms
        monitor.pending_at_ms = np.inf


@part
def measure(monitor: Any, extra_ms: float, now_ms: float, known_at_ms: float) -> None:
    """Start a measurement that is known when the transfer has arrived; one at a time is under way per link."""
    fold(monitor, now_ms)
    if monitor.pending_at_ms == np.inf:
        monitor.pending_ms = extra_ms
        monitor.pending_at_ms = known_at_ms


@part
def _folded(monitor: Any) -> float:
    fade = math.exp((monitor.measured_at_ms - monitor.pending_at_ms) / MEASURE_MEMORY_MS)
    return float((1.0 - MEASURE_ALPHA) * monitor.measured_ms * fade + MEASURE_ALPHA * monitor.pending_ms)
