"""How a batch of tokens goes through the experts: ways between devices, the router, the latency.

The latency of a batch is `sum over rounds (delay + transmission) + sum over layers compute + loading`, the cost model
of the earlier system's formula sheets (X(e, g', g) tokens of expert e from g' to g; EdgeBench's rounds go on from the
device of the last expert, context-coherent as ExFlow, arXiv 2401.08383, so that affinity matters). A round takes the
mean over rows of path, trap extras and lateness (tokens of a batch are of different users, and none waits for
another's way) and, bytes being drained side by side, the transmission into the busiest receiver.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part
from edgebench.sim.jitter import late_ms
from edgebench.tracks.place.constants import ROUTER_LOST_MS
from edgebench.tracks.place.state import (
    COMPUTE_MS,
    IMBALANCE,
    LOST_MS,
    OUTCOMES,
    PATH_MS,
    ROWS_CROSSED,
    ROWS_LOST,
    TRANSMISSION_MS,
    TRAP_HITS,
    TRAP_MS,
    Devices,
    Floats,
    Placement,
    Ways,
    World,
)


@compiled
def blank_ways(devices: int, requests: int) -> Ways:
    """Ways with nothing on them, to be written by `find_ways`."""
    size = devices + requests
    return Ways(
        np.zeros((size, size)),
        np.zeros((size, size)),
        np.zeros((size, size)),
        np.zeros((size, size)),
        np.zeros((size, size), np.int64),
    )


@compiled
def find_ways(devices: Devices, world: World, slot: int, measured_ms: Floats, ways: Ways) -> None:
    """Write the ways of a slot, as they are and as the router knows them.

    Args:
        devices: Of the region.
        world: The episode.
        slot: Its slot.
        measured_ms: Extra remembered of each trap link, (C,).
        ways: Written.
    """
    size, nodes = ways.path_ms.shape[0], devices.path.shape[0]
    for start in range(size):
        source = _node_of(devices, world, slot, start)
        for end in range(size):
            if start >= devices.node.size and end >= devices.node.size:
                continue
            target = _node_of(devices, world, slot, end)
            path = devices.path[target, source]
            ways.path_ms[start, end] = path.latency_ms
            ways.row_ms[start, end] = path.ms_per_mb * devices.row_mb
            late = late_ms(
                world.seed, nodes, source, target, slot, world.late_chance, world.late_min_ms, world.late_max_ms
            )
            extra, measured, bad = _cross(devices.path, world, source, target, slot, measured_ms)
            ways.extra_ms[start, end], ways.bad[start, end] = extra + late, bad
            ways.known_ms[start, end] = path.latency_ms + measured


@part
def _node_of(devices: Devices, world: World, slot: int, place: int) -> int:
    """The node of a device, or of a request behind the devices."""
    count = devices.node.size
    return int(devices.node[place] if place < count else world.origin[slot, place - count])


@part
def _cross(
    path: NDArray[Any], world: World, source: int, target: int, slot: int, measured_ms: Floats
) -> tuple[float, float, int]:
    """Extra, measured extra and bad links of the trap links on a path."""
    extra, measured, bad, node = 0.0, 0.0, 0, source
    while path[target, node].next_trap >= 0:
        trap = path[target, node].next_trap
        extra += world.extra_ms[trap, slot]
        measured += measured_ms[trap]
        bad += world.bad[trap, slot]
        node = path[target, node].past_trap
    return extra, measured, bad


@compiled
def serve(
    devices: Devices,
    ways: Ways,
    routes: NDArray[np.int16],
    experts: int,
    placement: Placement,
    down: NDArray[np.bool_],
    told_down: NDArray[np.bool_],
    outcome: Floats,
    busy_ms: Floats,
    used: NDArray[np.bool_],
) -> float:
    """Send a batch through the experts; returns its latency in ms, loading left out.

    The router sends each row, in their order, to the copy that has it done first as far as it knows: path and measured
    extra, transmission behind the rows it sent there before, their compute and its own. A device told to be down counts
    as `ROUTER_LOST_MS` late. Of equal copies the one on the lowest device.

    Args:
        devices: Of the region.
        ways: Of the slot.
        routes: Expert of each row in each layer, (R, L).
        experts: Of a layer.
        placement: Where the experts are, each on one device at least.
        down: Which devices are down, (G,).
        told_down: Which are by the last telemetry, (G,).
        outcome: Written, (OUTCOMES,), from `PATH_MS` to `IMBALANCE`, loading left out.
        busy_ms: Written, (G,): compute of each device.
        used: Written, (G+Q, G+Q): ways that rows took.
    """
    rows, layers = routes.shape
    count, size = devices.node.size, ways.path_ms.shape[0]
    holders, copies = _holders(placement)
    at, home = np.empty(rows, np.int64), np.empty(rows, np.int64)
    for row in range(rows):
        at[row] = home[row] = count + row // (rows // (size - count))
    inflow_ms, work_ms, visited = np.empty(size), np.empty(count), np.empty((experts, count), np.bool_)
    outcome[:], busy_ms[:], used[:] = 0.0, 0.0, False
    for layer in range(layers):
        inflow_ms[:], work_ms[:], visited[:] = 0.0, 0.0, False
        for row in range(rows):
            expert = routes[row, layer]
            number = layer * experts + expert
            best = _pick_copy(devices, ways, at[row], holders[number], copies[number], inflow_ms, work_ms, told_down)
            if down[best]:
                outcome[LOST_MS] += ROUTER_LOST_MS / rows
                outcome[ROWS_LOST] += 1.0
                continue
            _send(ways, at[row], best, inflow_ms, used, outcome)
            work_ms[best] += devices.row_ms[best] + (0.0 if visited[expert, best] else devices.stream_ms)
            visited[expert, best], at[row] = True, best
        outcome[TRANSMISSION_MS] += inflow_ms.max()
        outcome[COMPUTE_MS] += work_ms.max()
        busy_ms += work_ms
    inflow_ms[:] = 0.0
    for row in range(rows):
        _send(ways, at[row], home[row], inflow_ms, used, outcome)
    outcome[TRANSMISSION_MS] += inflow_ms.max()
    for mean in (PATH_MS, TRAP_MS, TRAP_HITS):
        outcome[mean] /= rows
    outcome[IMBALANCE] = busy_ms.max() * count / max(busy_ms.sum(), 1e-9)
    return _latency(outcome)


@part
def _pick_copy(
    devices: Devices,
    ways: Ways,
    start: int,
    holders: NDArray[np.int64],
    copies: int,
    inflow_ms: Floats,
    work_ms: Floats,
    told_down: NDArray[np.bool_],
) -> int:
    """The device that has the next row from `start` done first, as far as the router knows."""
    best, least = 0, np.inf
    for copy in range(copies):
        end = holders[copy]
        queue = inflow_ms[end] + ways.row_ms[start, end] + work_ms[end] + devices.row_ms[end]
        done = ways.known_ms[start, end] + queue + ROUTER_LOST_MS * told_down[end]
        if done < least:
            best, least = end, done
    return int(best)


@part
def _send(ways: Ways, start: int, end: int, inflow_ms: Floats, used: NDArray[np.bool_], outcome: Floats) -> None:
    """Note a row's way; a device to itself is none."""
    outcome[PATH_MS] += ways.path_ms[start, end]
    outcome[TRAP_MS] += ways.extra_ms[start, end]
    outcome[TRAP_HITS] += ways.bad[start, end]
    outcome[ROWS_CROSSED] += ways.row_ms[start, end] > 0.0
    inflow_ms[end] += ways.row_ms[start, end]
    used[start, end] = True


@part
def _holders(placement: Placement) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The devices of every expert in their order, (P, G), and how many there are, (P,)."""
    holders, copies = np.zeros(placement.shape, np.int64), np.zeros(placement.shape[0], np.int64)
    for expert in range(placement.shape[0]):
        for device in range(placement.shape[1]):
            if placement[expert, device]:
                holders[expert, copies[expert]] = device
                copies[expert] += 1
    return holders, copies


@part
def _latency(outcome: Floats) -> float:
    total = 0.0
    for part_ms in (PATH_MS, TRAP_MS, TRANSMISSION_MS, COMPUTE_MS, LOST_MS):
        total += outcome[part_ms]
    return total


def blank_outcome(devices: int, requests: int) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Outcome, busy times and used ways for `serve` to write."""
    size = devices + requests
    return np.zeros(OUTCOMES), np.zeros(devices), np.zeros((size, size), np.bool_)
