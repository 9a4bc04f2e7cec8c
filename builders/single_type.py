"""Single-type placement: every node hosts models of one type, and each type has nodes by its share of the models."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.streams import Stream, grid
from edgebench.errors import EdgeBenchError
from edgebench.sim.counter import uniform

Rows = NDArray[np.int64]
LEAST_HOSTS = 2
"""Nodes every type has at least, both able to hold its largest model."""


def deal_types(catalogue: pl.DataFrame, storage: NDArray[np.int32], seed: int) -> tuple[Rows, Rows]:
    """Give every node a type, then deal the models of each type to its nodes.

    Every node gets a model of its type; where a type has fewer models than nodes, some are placed again. The rest of
    the models go to any of the nodes that hold them.

    Returns:
        Rows of the catalogue, ascending, and the node of each.

    Raises:
        EdgeBenchError: Fewer than two nodes a type are left for its largest model, or a node holds no model at all.
    """
    type_of_model = catalogue["model_type"].rle_id().to_numpy().astype(np.int64)
    memory = catalogue["memory_gb"].to_numpy()
    type_of_node = host_types(type_of_model, memory, storage, catalogue["model_type"].unique(maintain_order=True), seed)
    rows, homes = [], []
    for code in range(int(type_of_model[-1]) + 1):
        hosts = np.flatnonzero(type_of_node == code)
        dealt = _deal(np.flatnonzero(type_of_model == code), hosts, memory, storage, seed)
        rows.append(dealt[0])
        homes.append(dealt[1])
    row, home = np.concatenate(rows), np.concatenate(homes)
    order = np.argsort(row, kind="stable")
    return row[order], home[order]


def host_types(
    type_of_model: Rows, memory: NDArray[np.float64], storage: NDArray[np.int32], names: pl.Series, seed: int
) -> Rows:
    """The type of each node (int64[nodes]): `LEAST_HOSTS` a type first, then whichever lacks most for its share."""
    models = np.bincount(type_of_model)
    largest, smallest = np.zeros(len(models)), np.full(len(models), np.inf)
    np.maximum.at(largest, type_of_model, memory)
    np.minimum.at(smallest, type_of_model, memory)
    shuffled = np.argsort(grid(seed, Stream.HOSTS, len(storage), 1)[:, 0], kind="stable")
    chosen = np.full(len(storage), -1, np.int64)
    for code in np.argsort(-largest, kind="stable"):
        able = [node for node in shuffled if chosen[node] < 0 and storage[node] >= largest[code]]
        if len(able) < LEAST_HOSTS:
            raise _no_hosts(names[int(code)], float(largest[code]), len(able))
        chosen[able[:LEAST_HOSTS]] = code
    wanted = models / models.sum() * len(storage)
    for node in shuffled[chosen[shuffled] < 0]:
        missing = np.where(smallest <= storage[node], wanted - np.bincount(chosen[chosen >= 0]), -np.inf)
        if np.isneginf(missing).all():
            raise _holds_nothing(int(node), int(storage[node]))
        chosen[node] = np.argmax(missing)
    return chosen


def _deal(
    models: Rows, hosts: Rows, memory: NDArray[np.float64], storage: NDArray[np.int32], seed: int
) -> tuple[Rows, Rows]:
    """Models and their nodes: one for each host, the smallest hosts first, then what is left."""
    left = models.tolist()
    rows, homes = [], []
    for host in hosts[np.argsort(storage[hosts], kind="stable")]:
        fitting = [row for row in left if memory[row] <= storage[host]]
        again = fitting or [row for row in models.tolist() if memory[row] <= storage[host]]
        row = again[int(uniform(seed, int(Stream.PLACE), int(host), 0) * len(again))]
        if fitting:
            left.remove(row)
        rows.append(row)
        homes.append(host)
    for row in left:
        able = hosts[storage[hosts] >= memory[row]]
        rows.append(row)
        homes.append(able[int(uniform(seed, int(Stream.EXTRA_PLACE), row, 0) * len(able))])
    return np.array(rows, np.int64), np.array(homes, np.int64)


def _no_hosts(model_type: str, memory_gb: float, able: int) -> EdgeBenchError:
    return EdgeBenchError(
        f"single-type placement needs {LEAST_HOSTS} nodes of its own that hold the largest {model_type} model of "
        f"{memory_gb} GB; {able} are left",
        mend="give the region more nodes, more storage_gb or fewer experts",
    )


def _holds_nothing(node: int, storage_gb: int) -> EdgeBenchError:
    return EdgeBenchError(
        f"node {node} with {storage_gb} GB can hold no model",
        mend="give the region's storage_gb a higher minimum, or place the models at random",
    )
