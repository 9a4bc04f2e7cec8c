"""Pairs of nodes that a link may join: Gabriel edges, the spanning tree, near neighbours, the shortest ones."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree

from builders.geo import EARTH_RADIUS_KM, chord_km, empty_circles, metres_km, sphere_km

NEAR: Final = 12
"""Neighbours that are asked first whether a pair is a Gabriel edge."""

Pairs = NDArray[np.int64]
"""Pairs src < dst, [P, 2]."""


class Places(NamedTuple):
    """Where N nodes stand."""

    lat: NDArray[np.float64]  # (N,) degrees
    lon: NDArray[np.float64]  # (N,) degrees

    def between(self, pairs: Pairs) -> NDArray[np.float64]:
        """Distance of each pair in km, in whole metres."""
        a, b = pairs[:, 0], pairs[:, 1]
        return metres_km(self.lat[a], self.lon[a], self.lat[b], self.lon[b])

    def only(self, rows: NDArray[np.integer]) -> Places:
        """Some of the places."""
        return Places(self.lat[rows], self.lon[rows])


def shortest_first(pairs: Pairs, places: Places) -> Pairs:
    """The pairs by distance, equal ones in the order of (src, dst)."""
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0], places.between(pairs)))]


def gabriel_pairs(places: Places) -> Pairs:
    """All Gabriel edges (`builders.geo.empty_circles`), shortest first."""
    count = len(places.lat)
    near = _neighbours(places, min(NEAR, count - 1))
    return shortest_first(empty_circles(*places, near), places)


def spanning_tree(gabriel: Pairs, nodes: int) -> Pairs:
    """The minimum spanning tree, out of the Gabriel edges, shortest first, of which it is always a part.

    For were a pair of the tree no Gabriel edge, the node in its circle would be nearer to both of its ends.
    Weighing by rank instead of distance leaves exactly one such tree.
    """
    ranks = np.arange(1.0, len(gabriel) + 1.0)
    ends = gabriel.T.astype(np.int32)  # SciPy before 1.17 knows no graphs with longer indices
    tree = minimum_spanning_tree(csr_array((ranks, (ends[0], ends[1])), shape=(nodes, nodes)))
    return gabriel[np.sort(tree.data.astype(np.int64)) - 1]


def neighbour_pairs(places: Places, reach: int) -> tuple[Pairs, NDArray[np.int64]]:
    """Every node with its `reach` nearest others, each pair once, and the rank of the nearer neighbourship (0 …)."""
    others = _neighbours(places, reach)
    own = np.repeat(np.arange(len(others)), reach)
    pairs = np.sort(np.stack((own, others.reshape(-1)), axis=1), axis=1)
    rank = np.tile(np.arange(reach), len(others))
    order = np.lexsort((rank, pairs[:, 1], pairs[:, 0]))
    first = np.r_[True, np.any(np.diff(pairs[order], axis=0) != 0, axis=1)]
    return pairs[order][first], rank[order][first]


def _neighbours(places: Places, reach: int) -> NDArray[np.int64]:
    """The `reach` nearest others of every node, nearest first, of equally near ones the lower number."""
    points = sphere_km(*places)
    own = np.arange(len(points))
    _, found = cKDTree(points).query(points, k=min(reach + 2, len(points)))
    rows = np.repeat(own, found.shape[1])
    distance = metres_km(*places.only(rows), *places.only(found.reshape(-1))).reshape(found.shape)
    distance[found == own[:, None]] = -1.0
    order = np.lexsort((found, distance), axis=1)
    return np.asarray(np.take_along_axis(found, order, axis=1)[:, 1 : reach + 1], np.int64)


def shortest_pairs(places: Places, least: int) -> Pairs:
    """The shortest pairs, shortest first: `least` of them or somewhat more, all where there are no more."""
    tree = cKDTree(sphere_km(*places))
    nodes, halfway_km = len(places.lat), np.pi * EARTH_RADIUS_KM
    radius_km = 1.0
    while radius_km < halfway_km:
        pairs = tree.query_pairs(chord_km(radius_km), output_type="ndarray")
        known = pairs[places.between(pairs) < radius_km - 0.001]
        if len(known) >= least:
            return shortest_first(np.sort(known, axis=1).astype(np.int64), places)
        radius_km *= 1.5
    return shortest_first(np.stack(np.triu_indices(nodes, 1), axis=1).astype(np.int64), places)
