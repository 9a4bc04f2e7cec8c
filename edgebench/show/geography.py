"""Where a region's nodes lie on a picture, and the ways between them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.sim.paths import make_network, paths_to


def places(region: Region, box: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Points of the nodes, (N, 2): a kilometre as long north as east, the region in the middle of the box.

    Args:
        region: Whose nodes.
        box: Left, top, right, bottom.
    """
    lat, lon = region.column("nodes", "lat"), region.column("nodes", "lon")
    shrink = math.cos(math.radians(float(lat.min() + lat.max()) / 2))
    east = np.column_stack([lon * shrink, -lat])
    left, top, right, bottom = box
    span = np.maximum(np.ptp(east, axis=0), 1e-6)
    scale = min((right - left) / span[0], (bottom - top) / span[1])
    middle = (east.min(axis=0) + east.max(axis=0)) / 2
    return np.asarray((east - middle) * scale + [(left + right) / 2, (top + bottom) / 2])


def ends_of_links(region: Region) -> list[tuple[int, int]]:
    """The two nodes of every link."""
    ends = (region.column("links", name).tolist() for name in ("src", "dst"))
    return list(zip(*ends, strict=True))


class Ways:
    """The quickest paths between the nodes of a region, found when they are asked for."""

    def __init__(self, region: Region) -> None:
        columns = (region.column("links", name) for name in ("src", "dst", "latency_ms", "bandwidth_mbps"))
        self._network = make_network(region.tables["nodes"].num_rows, *columns)
        self._next_node: dict[int, NDArray[np.int32]] = {}

    def way(self, source: int, target: int) -> list[int]:
        """The nodes of the quickest path, both ends among them."""
        if target not in self._next_node:
            self._next_node[target] = paths_to(self._network, np.array([target])).next_node[0]
        found = [source]
        while found[-1] != target:
            found.append(int(self._next_node[target][found[-1]]))
        return found
