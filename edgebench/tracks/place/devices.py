"""Which nodes of a region are devices, and the contiguous placement that every episode starts from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import TOKENS_PER_S_PER_COMPUTE
from edgebench.errors import EdgeBenchError
from edgebench.tracks.place.constants import (
    DEVICES,
    EXPERTS,
    LAYERS,
    MEMORY_SHARE,
    MODEL_GB,
    MODEL_WORK,
    ROW_TOKENS,
    STORE_GB_PER_S,
    STREAM_GB_PER_S,
    TOKEN_MB,
)
from edgebench.tracks.place.state import Devices, Placement


def device_nodes(compute: NDArray[np.floating]) -> NDArray[np.int64]:
    """The nodes with a device, (G,), slowest first: evenly spaced in the order of compute, both ends among them.

    So the devices of every region are as unlike as its nodes are.

    Args:
        compute: Of every node, (N,).

    Raises:
        EdgeBenchError: There are fewer nodes than devices.
    """
    if len(compute) < DEVICES:
        raise EdgeBenchError(f"{len(compute)} nodes for {DEVICES} devices", mend="take a region with more nodes")
    order = np.argsort(compute, kind="stable")
    return order[np.rint(np.linspace(0, len(order) - 1, DEVICES)).astype(np.int64)]


def make_devices(
    columns: Mapping[str, NDArray[Any]], path: NDArray[Any], experts: int = EXPERTS, layers: int = LAYERS
) -> Devices:
    """The devices of a region under a model of `experts` a layer.

    Args:
        columns: Of the region, `nodes.compute` and `nodes.storage_gb` among them (`Region.public` has them).
        path: Quickest paths, (N, N) of `edgebench.sim.topology.PATH`.
        experts: Of a layer.
        layers: Of the model.

    Raises:
        EdgeBenchError: There are too few nodes, or the experts do not fit.
    """
    node = device_nodes(columns["nodes.compute"])
    speed = columns["nodes.compute"][node].astype(np.float64) * TOKENS_PER_S_PER_COMPUTE / 1000.0
    memory_gb = columns["nodes.storage_gb"][node].astype(np.float64) * MEMORY_SHARE
    expert_gb = MODEL_GB / (experts * layers)
    room = np.floor(memory_gb / expert_gb + 1e-9).astype(np.int64)
    if room.sum() < experts * layers:
        raise EdgeBenchError(
            f"{experts * layers} experts of {expert_gb:g} GB do not fit into {memory_gb.sum():g} GB",
            mend="take a region with more storage",
        )
    return Devices(
        node=node,
        row_ms=ROW_TOKENS * MODEL_WORK / layers / speed,
        stream_ms=1000.0 * expert_gb / STREAM_GB_PER_S,
        room=room,
        memory_gb=memory_gb,
        expert_gb=expert_gb,
        load_ms=1000.0 * expert_gb / STORE_GB_PER_S,
        row_mb=ROW_TOKENS * TOKEN_MB,
        path=path,
    )


def contiguous(devices: Devices, experts: int = EXPERTS, layers: int = LAYERS) -> Placement:
    """The placement in order, (P, G): each device takes neighbouring experts of every layer, as many as its share.

    Shares are of memory, by largest remainder; experts are taken by number and, of one number, by layer.
    """
    wanted = devices.room / devices.room.sum() * experts * layers
    taken = np.floor(wanted).astype(np.int64)
    most = np.argsort(taken - wanted, kind="stable")[: experts * layers - taken.sum()]
    taken[most] += 1
    by_number = np.arange(experts * layers).reshape(layers, experts).T.ravel()
    placement = np.zeros((experts * layers, devices.node.size), np.int8)
    placement[by_number, np.repeat(np.arange(devices.node.size), taken)] = 1
    return placement
