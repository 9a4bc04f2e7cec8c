"""Trap links as an episode meets them: whether they are bad, what is measured of them, what is remembered."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from edgebench.constants import MEASURE_ALPHA, MEASURE_MEMORY_MS
from edgebench.sim.chains import slot_of
from edgebench.sim.compiled import part
from edgebench.sim.topology import Topology
from edgebench.sim.traps import is_armed, look
from edgebench.tracks.route.state import LISTED, SEED, State

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
        monitor: The link's record of `edgebench.sim.traps.MONITOR`.
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
