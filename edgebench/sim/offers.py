"""The instances offered at every node: the candidates of a decision."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench import constants
from edgebench.sim.compiled import compiled

TYPES: Final = len(constants.MODEL_TYPES)
_TYPICAL_MB: Final = constants.PAYLOAD_MB[1]


def offer(
    path: NDArray[Any], instance: NDArray[Any], speed: NDArray[np.float64], instance_type: NDArray[np.int8]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Choose the candidates of every node and type.

    In turn the nearest, the quickest and the best in quality not yet taken: nearest by the network time of a typical
    payload, quickest by that and the service time of the type's median tokens; of equals the lower instance id.

    Args:
        path: (N, N) of `edgebench.sim.topology.PATH`.
        instance: (M,) of `edgebench.sim.topology.INSTANCE`.
        speed: (N,) tokens of unit work per ms.
        instance_type: (M,) type of each instance.

    Returns:
        Candidates (N, types, K), -1 beyond the last, and the time in ms of the quickest of each type (N, types).
    """
    reach = (path["latency_ms"] + _TYPICAL_MB * path["ms_per_mb"])[instance["node"], :].T
    tokens = np.array([law[0] for law in constants.TOKENS])[instance_type]
    quick = reach + tokens * instance["work"] / speed[instance["node"]]
    onward = np.stack([quick[:, instance_type == kind].min(axis=1) for kind in range(TYPES)], axis=1)
    return _candidates(reach, quick, instance["quality"], instance_type), onward


def _candidates(
    reach: NDArray[np.float64],
    quick: NDArray[np.float64],
    quality: NDArray[np.float64],
    instance_type: NDArray[np.int8],
) -> NDArray[np.int32]:
    """Up to K instances per node and type: in turn the nearest, the quickest and the best not yet taken."""
    node_count = reach.shape[0]
    offered = np.full((node_count, TYPES, constants.CANDIDATES), -1, np.int32)
    for kind in range(TYPES):
        members = np.flatnonzero(instance_type == kind).astype(np.int32)
        nearest = np.argsort(reach[:, members], axis=1, kind="stable")
        quickest = np.argsort(quick[:, members], axis=1, kind="stable")
        best = np.tile(np.argsort(-quality[members], kind="stable"), (node_count, 1))
        _take_in_turn(members, np.stack((nearest, quickest, best)), offered[:, kind])
    return offered


@compiled
def _take_in_turn(members: NDArray[np.int32], orders: NDArray[np.int64], offered: NDArray[np.int32]) -> None:
    wanted = min(offered.shape[1], members.size)
    for node in range(offered.shape[0]):
        taken = np.zeros(members.size, np.bool_)
        position = np.zeros(orders.shape[0], np.int64)
        for slot in range(wanted):
            turn = slot % orders.shape[0]
            while taken[orders[turn, node, position[turn]]]:
                position[turn] += 1
            choice = orders[turn, node, position[turn]]
            taken[choice] = True
            offered[node, slot] = members[choice]
