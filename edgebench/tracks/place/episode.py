"""An episode of Place: edits before the first batch, then one before each; the compiled step."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import MEASURE_ALPHA, MEASURE_MEMORY_MS, TRAP_SLOT_MS
from edgebench.sim.compiled import compiled, part
from edgebench.tracks.place.constants import LOAD_ALPHA, PLAN_EDITS, ROUTER_LOST_MS, SLOTS
from edgebench.tracks.place.edits import edit, is_valid
from edgebench.tracks.place.observe import published_slot
from edgebench.tracks.place.physics import blank_ways, find_ways, serve
from edgebench.tracks.place.state import (
    COPIES,
    LATENCY_MS,
    LOADED_GB,
    LOADING_MS,
    LOST_MS,
    OUTCOMES,
    REFERENCE_MS,
    ROWS_LOST,
    Devices,
    Floats,
    History,
    Placement,
    State,
    Ways,
    World,
)

_FADE: Final = math.exp(-TRAP_SLOT_MS / MEASURE_MEMORY_MS)


def first_state(devices: Devices, world: World, history: History, experts: int, start: Placement) -> State:
    """The state an episode begins in: the placement `start`, loads and affinity of what was served before."""
    copies, layers = start.shape[0], world.routes.shape[2]
    count = devices.node.size
    state = State(
        start.copy(),
        np.zeros(1, np.int64),
        np.zeros(len(world.extra_ms)),
        np.zeros(copies),
        np.zeros(copies),
        np.zeros((layers - 1, experts, experts)),
        np.zeros(count),
        np.zeros(count),
        reference_latencies(devices, world, experts, start),
        np.zeros((SLOTS, OUTCOMES)),
    )
    remember_routes(state, history.routes, 1.0)
    return state


@compiled
def reference_latencies(devices: Devices, world: World, experts: int, placement: Placement) -> Floats:
    """Latency of every batch in ms under a placement that nobody edits and whose router is told nothing, (S,)."""
    requests = world.origin.shape[1]
    ways = blank_ways(devices.node.size, requests)
    outcome, busy_ms, used = np.zeros(OUTCOMES), np.zeros(devices.node.size), np.zeros(ways.bad.shape, np.bool_)
    nothing, nobody = np.zeros(world.extra_ms.shape[0]), np.zeros(devices.node.size, np.bool_)
    latencies = np.empty(SLOTS)
    for slot in range(SLOTS):
        find_ways(devices, world, slot, nothing, ways)
        down = world.down[:, slot]
        latencies[slot] = serve(
            devices, ways, world.routes[slot], experts, placement, down, nobody, outcome, busy_ms, used
        )
    return latencies


@compiled
def take_turn(
    devices: Devices,
    world: World,
    state: State,
    ways: Ways,
    used: NDArray[np.bool_],
    expert: int,
    verb: int,
    device: int,
) -> float:
    """Make an edit and, once the edits before the first batch are made, serve a batch; returns the reward.

    The reward is `(T_contiguous - T) / mean T_contiguous of the episode`, so that those of an episode sum to
    `batches x (1 - 1 / relative_speed)`. An invalid edit changes nothing, and its batch waits `ROUTER_LOST_MS`.
    """
    slot = state.clock[0] - PLAN_EDITS
    state.clock[0] += 1
    valid = is_valid(state.placement, devices.room, expert, verb, device)
    loads = edit(state.placement, expert, verb, device) if valid else False
    if slot < 0:
        return 0.0
    outcome = state.outcome[slot]
    _serve_slot(devices, world, state, ways, used, slot)
    if not valid:
        outcome[LOST_MS] += ROUTER_LOST_MS
        outcome[ROWS_LOST] += world.routes.shape[1] * world.routes.shape[2]
        outcome[LATENCY_MS] += ROUTER_LOST_MS
    if loads:
        outcome[LOADING_MS] = max(0.0, devices.load_ms - state.busy_ms[device])
        outcome[LOADED_GB] = devices.expert_gb
        outcome[LATENCY_MS] += outcome[LOADING_MS]
    return float((state.reference_ms[slot] - outcome[LATENCY_MS]) / state.reference_ms.mean())


@part
def _serve_slot(devices: Devices, world: World, state: State, ways: Ways, used: NDArray[np.bool_], slot: int) -> None:
    """Serve a slot's batch and remember what is seen of it."""
    outcome, experts = state.outcome[slot], state.affinity.shape[1]
    find_ways(devices, world, slot, state.measured_ms, ways)
    down, told = world.down[:, slot], world.down[:, published_slot(slot)]
    latency_ms = serve(
        devices, ways, world.routes[slot], experts, state.placement, down, told, outcome, state.busy_ms, used
    )
    outcome[LATENCY_MS], outcome[REFERENCE_MS] = latency_ms, state.reference_ms[slot]
    outcome[COPIES] = state.placement.sum()
    for device in range(devices.node.size):
        state.total_busy_ms[device] += state.busy_ms[device]
    _measure(devices, world, slot, state.measured_ms, used)
    remember_routes(state, world.routes[slot], LOAD_ALPHA)


@part
def _measure(devices: Devices, world: World, slot: int, measured_ms: Floats, used: NDArray[np.bool_]) -> None:
    """Take the extras of the trap links that rows crossed into their moving averages; all of them fade."""
    crossed = np.zeros(measured_ms.size, np.bool_)
    count = devices.node.size
    for start in range(used.shape[0]):
        for end in range(used.shape[1]):
            if used[start, end]:
                node = devices.node[start] if start < count else world.origin[slot, start - count]
                target = devices.node[end] if end < count else world.origin[slot, end - count]
                while devices.path[target, node].next_trap >= 0:
                    crossed[devices.path[target, node].next_trap] = True
                    node = devices.path[target, node].past_trap
    for trap in range(measured_ms.size):
        measured_ms[trap] *= _FADE
        if crossed[trap]:
            measured_ms[trap] += MEASURE_ALPHA * (world.extra_ms[trap, slot] - measured_ms[trap])


@compiled
def remember_routes(state: State, routes: NDArray[np.int16], alpha: float) -> None:
    """Take the loads and transitions of rows, (R, L), into the moving averages with weight `alpha`."""
    rows, layers = routes.shape
    experts = state.affinity.shape[1]
    state.load[:] = 0.0
    state.affinity[:] *= 1.0 - alpha
    for row in range(rows):
        for layer in range(layers):
            state.load[layer * experts + routes[row, layer]] += 1.0 / rows
            if layer > 0:
                state.affinity[layer - 1, routes[row, layer - 1], routes[row, layer]] += alpha / rows
    for expert in range(state.load.size):
        state.mean_load[expert] += alpha * (state.load[expert] - state.mean_load[expert])
