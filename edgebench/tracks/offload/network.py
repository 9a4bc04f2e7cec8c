"""A region as the Offload track sees it: nodes with CPU shares and memory, each with its neighbours."""

from __future__ import annotations

import numpy as np

from edgebench.region import Region
from edgebench.sim.conditions import Neighbours
from edgebench.tracks.offload.constants import MEMORY_MB_PER_GB, SHARES_PER_COMPUTE
from edgebench.tracks.offload.state import D, Network


def build_network(region: Region) -> Network:
    """The static arrays of a region.

    A link is offered where both ends count it among their `MAX_NEIGHBOURS` quickest, so that whoever may be sent
    requests may send some back.
    """
    near = region.neighbours()
    compute, storage = (region.column("nodes", name).astype(np.float64) for name in ("compute", "storage_gb"))
    lon = region.column("nodes", "lon").astype(np.float64)
    kept = _mutual(near)
    neighbour, trap = (_packed(values, kept, -1).astype(np.int64) for values in (near.node, near.trap))
    source = np.ones_like(neighbour)
    for node, column in zip(*np.nonzero(neighbour >= 0), strict=True):
        source[node, column] = 1 + np.flatnonzero(neighbour[neighbour[node, column]] == node)[0]
    return Network(
        degree=kept.sum(axis=1).astype(np.int64),
        neighbour=neighbour,
        source=source,
        latency_ms=_packed(near.latency_ms, kept, 0.0),
        bandwidth_mbps=_packed(near.bandwidth_mbps, kept, 0.0),
        trap=trap,
        capacity=(compute * SHARES_PER_COMPUTE).astype(np.int64),
        memory_mb=(storage * MEMORY_MB_PER_GB).astype(np.int64),
        east=(lon - lon.min()) / max(float(np.ptp(lon)), 1e-9),
    )


def _mutual(near: Neighbours) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which neighbours count the node among their own, (N, D)."""
    node = np.arange(len(near.node))[:, None, None]
    return np.asarray((near.node[near.node] == node).any(axis=2) & (near.node >= 0))


def _packed(values: np.ndarray, kept: np.ndarray, fill: float) -> np.ndarray:  # type: ignore[type-arg]
    """The kept values of every row moved to its front, (N, D)."""
    packed = np.full((len(values), D), fill, values.dtype)
    for row, (all_of_row, keeps) in enumerate(zip(values, kept, strict=True)):
        packed[row, : keeps.sum()] = all_of_row[keeps]
    return packed
