"""A region as the Offload track sees it: nodes with CPU shares and memory, each with its neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.sim.conditions import Neighbours
from edgebench.tracks.offload.constants import MEMORY_MB_PER_GB, SHARES_PER_COMPUTE
from edgebench.tracks.offload.state import LINK, NODE, D, Network


def build_network(region: Region) -> Network:
    """The static arrays of a region.

    A link is offered where both ends count it among their `MAX_NEIGHBOURS` quickest, so that whoever may be sent
    requests may send some back.
    """
    link = links_of(region.neighbours())
    node = np.zeros(len(link), NODE)
    lon = region.column("nodes", "lon").astype(np.float64)
    node["degree"] = (link["neighbour"] >= 0).sum(axis=1)
    node["capacity"] = region.column("nodes", "compute").astype(np.float64) * SHARES_PER_COMPUTE
    node["memory_mb"] = region.column("nodes", "storage_gb").astype(np.float64) * MEMORY_MB_PER_GB
    node["east"] = (lon - lon.min()) / max(float(np.ptp(lon)), 1e-9)
    return Network(node, link)


def links_of(near: Neighbours) -> NDArray[np.void]:
    """Links of every node, (N, D) of LINK."""
    link = np.zeros((len(near.node), D), LINK)
    link["neighbour"], link["trap"] = -1, -1
    for node, kept in enumerate(_mutual(near)):
        mine = link[node, : kept.sum()]
        mine["neighbour"], mine["trap"] = near.node[node, kept], near.trap[node, kept]
        mine["latency_ms"], mine["bandwidth_mbps"] = near.latency_ms[node, kept], near.bandwidth_mbps[node, kept]
    for node, column in zip(*np.nonzero(link["neighbour"] >= 0), strict=True):
        there = link["neighbour"][link["neighbour"][node, column]]
        link["source"][node, column] = 1 + int(np.flatnonzero(there == node)[0])
    return link


def _mutual(near: Neighbours) -> NDArray[np.bool_]:
    """Which neighbours count the node among their own, (N, D)."""
    node = np.arange(len(near.node))[:, None, None]
    return np.asarray((near.node[near.node] == node).any(axis=2) & (near.node >= 0))
