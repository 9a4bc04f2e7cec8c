"""What an operator of the devices sees before an edit; written side by side into arrays that are there already."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import TELEMETRY_MS, TRAP_SLOT_MS
from edgebench.sim.compiled import compiled, part
from edgebench.tracks.place.constants import PLAN_EDITS, SLOTS
from edgebench.tracks.place.edits import mark_valid
from edgebench.tracks.place.features import (
    DEVICE_FEATURES,
    EXPERT_FEATURES,
    LABEL_FEATURES,
    LINK_FEATURES,
    PROGRESS_FEATURES,
)
from edgebench.tracks.place.state import Devices, Floats, State, World

Singles = NDArray[np.float32]
PERIOD_SLOTS: Final = round(TELEMETRY_MS / TRAP_SLOT_MS)
"""Slots of a telemetry period; its first slot is that of which telemetry tells."""


class Sight(NamedTuple):
    """What never changes of what is seen: ways between G devices, and from and to the users; C trap links."""

    link_ms: Floats  # (G, G) [from, to]
    link_row_ms: Floats  # (G, G)
    link_traps: Floats  # (G, G, C) 1 where the way crosses the trap link
    entry_ms: Floats  # (G,) mean by demand, from the users
    entry_row_ms: Floats  # (G,)
    entry_traps: Floats  # (G, C) share of the demand whose way crosses the trap link
    exit_ms: Floats  # (G,) to the users
    exit_traps: Floats  # (G, C)


class Seen(NamedTuple):
    """An observation."""

    experts: Singles  # (P, EXPERT_FEATURES)
    devices: Singles  # (G, DEVICE_FEATURES)
    placement: NDArray[np.int8]  # (P, G)
    affinity: Singles  # (L - 1, E, E) share of the rows that go from an expert to one of the next layer
    links: Singles  # (G, G, LINK_FEATURES)
    progress: Singles  # (PROGRESS_FEATURES,)
    action_mask: NDArray[np.int8]  # (P x 3 x G,)
    labels: Singles  # (G, G, LABEL_FEATURES)


def make_sight(devices: Devices, shares: Floats, traps: int) -> Sight:
    """The static part of observations, for users that live by `shares`, (N,), and `traps` trap links."""
    node, every = devices.node, np.arange(len(shares))
    between = devices.path[np.ix_(node, node)].T
    entry, leave = devices.path[np.ix_(node, every)], devices.path[np.ix_(every, node)]
    crossed = partial(_traps_on, devices.path, traps)
    return Sight(
        np.ascontiguousarray(between["latency_ms"]),
        between["ms_per_mb"] * devices.row_mb,
        np.array([[crossed(start, end) for end in node] for start in node]),
        entry["latency_ms"] @ shares,
        entry["ms_per_mb"] @ shares * devices.row_mb,
        np.array([shares @ np.array([crossed(user, device) for user in every]) for device in node]),
        shares @ leave["latency_ms"],
        np.array([shares @ np.array([crossed(device, user) for user in every]) for device in node]),
    )


def _traps_on(path: NDArray[Any], traps: int, source: np.integer, target: np.integer) -> Floats:
    """Which trap links the path between two nodes crosses, (C,)."""
    crossed = np.zeros(traps)
    while path[target, source]["next_trap"] >= 0:
        crossed[path[target, source]["next_trap"]] = 1.0
        source = path[target, source]["past_trap"]
    return crossed


def blank_seen(experts: int, layers: int, devices: int) -> Seen:
    """An observation for `observe` to write."""
    copies = experts * layers
    return Seen(
        np.zeros((copies, len(EXPERT_FEATURES)), np.float32),
        np.zeros((devices, len(DEVICE_FEATURES)), np.float32),
        np.zeros((copies, devices), np.int8),
        np.zeros((layers - 1, experts, experts), np.float32),
        np.zeros((devices, devices, len(LINK_FEATURES)), np.float32),
        np.zeros(len(PROGRESS_FEATURES), np.float32),
        np.zeros(copies * 3 * devices, np.int8),
        np.zeros((devices, devices, len(LABEL_FEATURES)), np.float32),
    )


_EXPERT_HIGH = np.array([feature.high for feature in EXPERT_FEATURES])
_DEVICE_HIGH = np.array([feature.high for feature in DEVICE_FEATURES])
_LINK_HIGH = np.array([feature.high for feature in LINK_FEATURES])
_LABEL_HIGH = np.array([feature.high for feature in LABEL_FEATURES])


@compiled
def published_slot(slot: int) -> int:
    """The slot of which telemetry last told in `slot`."""
    return slot // PERIOD_SLOTS * PERIOD_SLOTS


@compiled
def observe(devices: Devices, sight: Sight, world: World, state: State, seen: Seen) -> None:
    """Write what is seen before the next edit."""
    turn = state.clock[0]
    slot = min(max(turn - PLAN_EDITS, 0), SLOTS - 1)
    seen.placement[:] = state.placement
    seen.affinity[:] = state.affinity
    mark_valid(state.placement, devices.room, seen.action_mask)
    seen.progress[0] = max(PLAN_EDITS - turn, 0) / PLAN_EDITS
    seen.progress[1] = min(PLAN_EDITS + SLOTS - turn, SLOTS) / SLOTS
    _see_experts(devices, state, seen)
    _see_devices(devices, sight, world, state, slot, seen)
    _see_links(sight, world, state, slot, seen)


@part
def _see_experts(devices: Devices, state: State, seen: Seen) -> None:
    layers, experts = state.affinity.shape[0] + 1, state.affinity.shape[1]
    for expert in range(layers * experts):
        copies = 0
        for device in range(devices.node.size):
            copies += state.placement[expert, device]
        values = (
            expert // experts / max(layers - 1, 1),
            state.load[expert] * experts,
            state.mean_load[expert] * experts,
            float(copies),
            devices.expert_gb,
        )
        for column in range(len(values)):
            seen.experts[expert, column] = min(values[column], _EXPERT_HIGH[column])


@part
def _see_devices(devices: Devices, sight: Sight, world: World, state: State, slot: int, seen: Seen) -> None:
    for device in range(devices.node.size):
        held = 0
        for expert in range(state.placement.shape[0]):
            held += state.placement[expert, device]
        values = (
            devices.row_ms[device],
            devices.memory_gb[device],
            (devices.room[device] - held) * devices.expert_gb,
            float(held),
            state.busy_ms[device] / 1000.0,
            (sight.entry_ms[device] + _dot(sight.entry_traps[device], state.measured_ms)) / 1000.0,
            sight.entry_row_ms[device],
            (sight.exit_ms[device] + _dot(sight.exit_traps[device], state.measured_ms)) / 1000.0,
            1.0 if world.down[device, published_slot(slot)] else 0.0,
        )
        for column in range(len(values)):
            seen.devices[device, column] = min(values[column], _DEVICE_HIGH[column])


@part
def _see_links(sight: Sight, world: World, state: State, slot: int, seen: Seen) -> None:
    extra_ms = world.extra_ms[:, slot]
    for start in range(sight.link_ms.shape[0]):
        for end in range(sight.link_ms.shape[0]):
            traps = sight.link_traps[start, end]
            measured_s = _dot(traps, state.measured_ms) / 1000.0
            seen.links[start, end, 0] = min(sight.link_ms[start, end] / 1000.0, _LINK_HIGH[0])
            seen.links[start, end, 1] = min(sight.link_row_ms[start, end], _LINK_HIGH[1])
            seen.links[start, end, 2] = min(measured_s, _LINK_HIGH[2])
            seen.labels[start, end, 0] = min(_dot(traps, extra_ms) / 1000.0, _LABEL_HIGH[0])
            seen.labels[start, end, 1] = world.down[end, slot]


@part
def _dot(left: Floats, right: Floats) -> float:
    total = 0.0
    for index in range(left.size):
        total += left[index] * right[index]
    return total
