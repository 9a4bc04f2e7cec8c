"""Nodes at work: first come, first served; models in memory; queues as telemetry tells of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.constants import LOAD_GB_PER_S, TELEMETRY_MS
from edgebench.sim.chains import slot_of
from edgebench.sim.compiled import part, rare
from edgebench.sim.topology import Topology
from edgebench.tracks.route.failures import look_at_node, period_slot
from edgebench.tracks.route.state import LOADING, QUEUEING, SERVICE, State

_LOAD_MS_PER_GB = 1000.0 / LOAD_GB_PER_S


@part
def serve(topology: Topology, state: State, progress: Any, begin_ms: float, tokens: float) -> float:
    """Load the model if need be and run a stage from `begin_ms`; returns when it is done."""
    number = progress.sent_to[progress.stage]
    instance = topology.instance[number]
    server = state.server[instance.node]
    loading = _make_resident(topology, state, number)
    service = tokens * instance.work / topology.node[instance.node].speed
    publish(server, progress.ready_ms)
    server.free_ms = begin_ms + loading + service
    state.busy_ms[instance.node] += loading + service
    state.used_ms[number] = server.free_ms
    progress.parts_ms[QUEUEING] += begin_ms - progress.ready_ms
    progress.parts_ms[LOADING] += loading
    progress.parts_ms[SERVICE] += service
    return float(server.free_ms)


@part
def _make_resident(topology: Topology, state: State, number: int) -> float:
    """Load a model, evicting the least recently used ones of its node; returns `memory / load rate` in ms."""
    if is_resident(state, number):
        return 0.0
    instance = topology.instance[number]
    server = state.server[instance.node]
    while server.stored_gb + instance.memory_gb > topology.node[instance.node].storage_gb:
        _evict(topology, state, instance.node)
    _keep(state, number, True)
    server.stored_gb += instance.memory_gb
    return float(instance.memory_gb * _LOAD_MS_PER_GB)


@part
def is_resident(state: State, number: int) -> bool:
    """Whether a model is in its node's memory."""
    return bool(state.resident[number >> 6] >> np.uint64(number & 63) & np.uint64(1))


@part
def _keep(state: State, number: int, resident: bool) -> None:
    bit = np.uint64(1) << np.uint64(number & 63)
    if resident:
        state.resident[number >> 6] |= bit
    else:
        state.resident[number >> 6] &= ~bit


@part
def _evict(topology: Topology, state: State, node: int) -> None:
    """Evict the least recently used model; with the last one the memory is empty, whatever rounding has left."""
    oldest, held = -1, 0
    first = topology.node[node].first
    for position in range(first, first + topology.node[node].instances):
        other = topology.on_node[position]
        if is_resident(state, other):
            held += 1
            if oldest < 0 or state.used_ms[other] < state.used_ms[oldest]:
                oldest = other
    _keep(state, oldest, False)
    state.server[node].stored_gb = (
        state.server[node].stored_gb - topology.instance[oldest].memory_gb if held > 1 else 0.0
    )


@part
def publish(server: Any, now_ms: float) -> None:
    """Keep what telemetry last published of a node's queue before the queue changes."""
    period = period_of(now_ms)
    if server.seen_period != period:
        server.seen_free_ms = server.free_ms
        server.seen_period = period


@part
def period_of(now_ms: float) -> int:
    """The telemetry period of `now_ms`."""
    return int(now_ms / TELEMETRY_MS)


@part
def published_free(server: Any, period: int) -> float:
    """When the node's queue will be empty, as published at the start of a telemetry period."""
    if server.seen_period == period:
        return float(server.seen_free_ms)
    return float(server.free_ms)


@rare
def is_down(topology: Topology, state: State, node: int, now_ms: float) -> bool:
    """Whether a node is down; what it has lost since the last look is gone, from what telemetry tells first."""
    lose_what_failed(topology, state, node, period_slot(now_ms))
    publish(state.server[node], now_ms)
    lose_what_failed(topology, state, node, slot_of(now_ms))
    return bool(state.outage[node].is_down)


@rare
def lose_what_failed(topology: Topology, state: State, node: int, slot: int) -> None:
    """Empty the queue and the memory of a node that was down since the last look."""
    if not look_at_node(state, node, slot):
        return
    server, first = state.server[node], topology.node[node].first
    server.free_ms, server.stored_gb = 0.0, 0.0
    for position in range(first, first + topology.node[node].instances):
        _keep(state, topology.on_node[position], False)
