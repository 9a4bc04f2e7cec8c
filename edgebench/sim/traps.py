"""Trap links: when they are bad, what is measured of them, what is remembered."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import DRIFT_MS, MEASURE_ALPHA, MEASURE_MEMORY_MS, TRAP_SLOT_MS, TRAP_SLOTS
from edgebench.sim import counter
from edgebench.sim.chains import first_state, next_state, slot_of
from edgebench.sim.compiled import compiled, part, rare
from edgebench.sim.state import LISTED, MONITOR, SEED, State
from edgebench.sim.topology import Topology

_START, _CHANGE, _EXTRA = counter.TRAP_START, counter.TRAP_CHANGE, counter.TRAP_EXTRA
_uniform = counter.uniform
_EPOCH_MS: Final = 400.0 * MEASURE_MEMORY_MS
"""An average grown back this far, by e^400, is still a number."""


@part
def forget_traps(topology: Topology, state: State) -> None:
    """Before an episode: no link looked at, nothing measured."""
    state.cursor[LISTED] = 0
    for trap in range(topology.trap.shape[0]):
        monitor = state.monitor[trap]
        monitor.weight_ms, monitor.epoch = 0.0, 0
        monitor.pending_ms, monitor.pending_at_ms = 0.0, np.inf
        monitor.slot, monitor.is_listed = -1, 0


@rare
def look(link: Any, monitor: Any, trap: int, seed: int, slot: int) -> None:
    """Walk a link's Gilbert–Elliott chain on to `slot`: whether it is bad, and its extra delay whatever is sent.

    A coin for every slot is the chain with chances of one half, a link that is bad for good the one that never leaves.

    Args:
        link: The link's record of `edgebench.sim.topology.TRAP_LINK`.
        monitor: Its record of `edgebench.sim.state.MONITOR`.
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


@part
def is_bad_now(topology: Topology, state: State, trap: int, now_ms: float) -> bool:
    """Whether a trap link is bad at `now_ms`, no earlier than the last look at it."""
    rules, seed = state.rules[0], state.cursor[SEED]
    if not rules.traps or (rules.drifts and not is_armed(seed, trap, now_ms)):
        return False
    look(topology.trap[trap], state.monitor[trap], trap, seed, slot_of(now_ms))
    return bool(state.monitor[trap].is_bad)


@part
def extra_now(topology: Topology, state: State, trap: int, megabytes: float, now_ms: float) -> float:
    """Extra delay in ms of `megabytes` over a trap link entered at `now_ms`, no earlier than the last look at it.

    While the link is bad, less bandwidth or lost packets add `megabytes × slow_ms_per_mb` to what the slot adds. Where
    links never turn bad they do not rest either.
    """
    if is_bad_now(topology, state, trap, now_ms):
        return float(state.monitor[trap].extra_ms + megabytes * topology.trap[trap].slow_ms_per_mb)
    return float(topology.trap[trap].rest_ms) if state.rules[0].traps else 0.0


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


@part
def fade(now_ms: float) -> float:
    """How much of what was known at the beginning of the epoch of `now_ms` is left of it: one for all links."""
    return math.exp((_epoch_of(now_ms) * _EPOCH_MS - now_ms) / MEASURE_MEMORY_MS)


@part
def settle(monitor: Any, now_ms: float) -> None:
    """Take a measurement that is known at `now_ms` into a link's moving average.

    The average fades exponentially, so it is kept as what it would have been at the beginning of the epoch: it is
    `weight_ms × fade(now_ms)`, and nothing need be done as time passes.

    Args:
        monitor: The link's record of `edgebench.sim.state.MONITOR`.
        now_ms: Time from the start of the window.
    """
    if monitor.epoch != _epoch_of(now_ms):
        monitor.weight_ms *= math.exp((monitor.epoch - _epoch_of(now_ms)) * _EPOCH_MS / MEASURE_MEMORY_MS)
        monitor.epoch = _epoch_of(now_ms)
    if monitor.pending_at_ms <= now_ms:
        grown = math.exp((monitor.pending_at_ms - monitor.epoch * _EPOCH_MS) / MEASURE_MEMORY_MS)
        monitor.weight_ms = (1.0 - MEASURE_ALPHA) * monitor.weight_ms + MEASURE_ALPHA * monitor.pending_ms * grown
        monitor.pending_at_ms = np.inf


@part
def _epoch_of(now_ms: float) -> int:
    return int(now_ms / _EPOCH_MS)


@part
def measure(monitor: Any, extra_ms: float, now_ms: float, known_at_ms: float) -> None:
    """Start a measurement that is known when the transfer has arrived; one at a time is under way per link."""
    settle(monitor, now_ms)
    if monitor.pending_at_ms == np.inf:
        monitor.pending_ms = extra_ms
        monitor.pending_at_ms = known_at_ms


@part
def list_trap(state: State, trap: int) -> None:
    """Note that something was measured of a link, so that it is looked up at every decision."""
    monitor = state.monitor[trap]
    if not monitor.is_listed:
        state.listed[state.cursor[LISTED]] = trap
        state.cursor[LISTED] += 1
        monitor.is_listed = 1
