"""The instances offered at every node: the candidates of a decision."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench import constants
from edgebench.sim.compiled import compiled, part

_TYPICAL_MB: Final = constants.PAYLOAD_MB[1]


def offer(
    path: NDArray[Any],
    instance: NDArray[Any],
    speed: NDArray[np.float64],
    instance_type: NDArray[np.int8],
    kind_of_type: NDArray[np.int8],
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Choose the candidates of every node and type.

    In turn the nearest, the quickest and the best in quality not yet taken: nearest by the network time of a typical
    payload, quickest by that and the service time of the kind's median tokens; of equals the lower instance id.

    Args:
        path: (N, N) of `edgebench.sim.topology.PATH`.
        instance: (M,) of `edgebench.sim.topology.INSTANCE`.
        speed: (N,) tokens of unit work per ms.
        instance_type: (M,) type of each instance; of every type there is one at least.
        kind_of_type: (E,) index into `edgebench.constants.MODEL_TYPES` of each type.

    Returns:
        Candidates (N, E, K), -1 beyond the last, and the time in ms of the quickest of each type (N, E).
    """
    tokens = np.array([law[0] for law in constants.TOKENS])[kind_of_type[instance_type]]
    service_ms = tokens * instance["work"] / speed[instance["node"]]
    shape = (len(path), kind_of_type.size)
    offered, onward = np.full((*shape, constants.CANDIDATES), -1, np.int32), np.empty(shape)
    for code in range(kind_of_type.size):
        members = np.flatnonzero(instance_type == code).astype(np.int32)
        best = np.argsort(-instance["quality"][members], kind="stable")[: constants.CANDIDATES]
        hosts = np.ascontiguousarray(instance["node"][members])
        _offer_type(path, members, hosts, service_ms[members], best, offered[:, code], onward[:, code])
    return offered, onward


@compiled
def _offer_type(
    path: NDArray[Any],
    members: NDArray[np.int32],
    hosts: NDArray[np.int64],
    service_ms: NDArray[np.float64],
    best: NDArray[np.int64],
    offered: NDArray[np.int32],
    onward: NDArray[np.float64],
) -> None:
    """The candidates of one type at every node; no more than the first K of an order are ever needed."""
    wanted = best.size
    orders = np.empty((3, wanted), np.int64)
    for place in range(wanted):
        orders[2, place] = best[place]
    reach, quick = np.empty(members.size), np.empty(members.size)
    for node in range(offered.shape[0]):
        for row in range(members.size):
            way = path[hosts[row], node]
            reach[row] = way.latency_ms + _TYPICAL_MB * way.ms_per_mb
            quick[row] = reach[row] + service_ms[row]
        _least(reach, orders[0])
        _least(quick, orders[1])
        onward[node] = quick[orders[1, 0]]
        _take_in_turn(members, orders, offered[node])


@part
def _least(values: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
    """The rows of the least `values`, ascending, of equal ones the first, by insertion."""
    held = 0
    for row in range(values.size):
        if held == rows.size and values[row] >= values[rows[held - 1]]:
            continue
        at = min(held, rows.size - 1)
        while at > 0 and values[rows[at - 1]] > values[row]:
            rows[at] = rows[at - 1]
            at -= 1
        rows[at] = row
        held = min(held + 1, rows.size)


@part
def _take_in_turn(members: NDArray[np.int32], orders: NDArray[np.int64], offered: NDArray[np.int32]) -> None:
    position = np.zeros(orders.shape[0], np.int64)
    for slot in range(orders.shape[1]):
        turn = slot % orders.shape[0]
        while _is_in(members[orders[turn, position[turn]]], offered[:slot]):
            position[turn] += 1
        offered[slot] = members[orders[turn, position[turn]]]


@part
def _is_in(value: int, values: NDArray[np.int32]) -> bool:
    for known in values:  # noqa: SIM110 - numba compiles no any() over a generator
        if known == value:
            return True
    return False
