"""Where the nodes stand: the methods a specification names in `nodes_by`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from builders.clusters import cluster_centres
from builders.geo import chord_km, sphere_km
from edgebench.spec import NodeMethod

SPREAD_MAX_M: Final = 20_037_000
"""Half the Earth's circumference in metres: no two places are further apart."""
HOST_SHARE: Final = 0.8
"""Share of sites that may host a spread node: the ones with least demand include stray cells beyond the border."""
SAME_KM: Final = 1e-6
"""Distances that differ by less (a millimetre) are equal, and the first one wins."""
GRID_CELLS: Final = 4
"""Cells of the density grid for every node, so that few of them get more than one."""

NodeChooser = Callable[[pl.DataFrame, int, int], NDArray[np.int64]]
"""Sites, most demand first; how many nodes, no more than sites; seed -> rows of the sites, ascending."""


def by_spread(ranked: pl.DataFrame, count: int, seed: int) -> NDArray[np.int64]:
    """The sites of most demand that keep the widest spacing; the `HOST_SHARE` of most demand alone may host."""
    return spread_out(ranked.head(max(count, int(HOST_SHARE * ranked.height))), count)


def spread_out(ranked: pl.DataFrame, count: int) -> NDArray[np.int64]:
    """Rows of the first `count` sites that keep the widest spacing (whole metres) still giving `count` of them.

    Greedy thinning at one spacing accepts a site, best first, unless an accepted one is nearer; the spacing
    is found by bisection.
    """
    points = sphere_km(ranked["lat"].to_numpy(), ranked["lon"].to_numpy())
    tree = cKDTree(points)
    low, high = 0, SPREAD_MAX_M
    accepted = np.arange(count, dtype=np.int64)
    while high - low > 1:
        middle = (low + high) // 2
        trial = _thin(tree, points, middle / 1000.0, count)
        if len(trial) < count:
            high = middle
        else:
            low, accepted = middle, trial
    return accepted


def _thin(tree: cKDTree, points: NDArray[np.float64], spacing_km: float, count: int) -> NDArray[np.int64]:
    free = np.ones(len(points), np.bool_)
    accepted: list[int] = []
    radius = chord_km(spacing_km) - SAME_KM
    for row in range(len(points)):
        if not free[row]:
            continue
        accepted.append(row)
        if len(accepted) == count:
            break
        free[tree.query_ball_point(points[row], radius)] = False
    return np.array(accepted, np.int64)


def by_clusters(ranked: pl.DataFrame, count: int, seed: int) -> NDArray[np.int64]:
    """The sites nearest the centres of demand-weighted clusters (`builders.clusters`); a site's demand is its cells."""
    points = sphere_km(ranked["lat"].to_numpy(), ranked["lon"].to_numpy())
    centres = cluster_centres(points, ranked["cells"].to_numpy().astype(np.float64), count, seed)
    return np.sort(_nearest_free(points, centres))


def _nearest_free(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each centre in turn the nearest point that none before it took."""
    tree = cKDTree(points)
    rows = np.atleast_1d(tree.query(centres)[1]).astype(np.int64)
    taken: set[int] = set()
    for number, row in enumerate(rows.tolist()):
        choices, reach = iter((row,)), 1
        while (choice := next((one for one in choices if one not in taken), None)) is None:
            reach = min(2 * reach + 1, len(points))
            choices = iter(np.atleast_1d(tree.query(centres[number], k=reach)[1]).tolist())
        taken.add(choice)
        rows[number] = choice
    return rows


def by_grid(ranked: pl.DataFrame, count: int, seed: int) -> NDArray[np.int64]:
    """The sites with most cells in each square of a grid, as many as its share of all cells earns.

    The grid has about `GRID_CELLS` squares a node over the box of the sites. Shares are rounded down; what is left
    over goes to the largest remainders (Hamilton's rule), and beyond a square's sites to the next square in line.
    """
    square = _squares(ranked["lat"].to_numpy(), ranked["lon"].to_numpy(), GRID_CELLS * count)
    cells = ranked["cells"].to_numpy().astype(np.int64)
    best_first = np.lexsort((np.arange(ranked.height), -cells, square))
    starts = np.flatnonzero(np.r_[True, np.diff(square[best_first]) != 0])
    sites = np.diff(np.r_[starts, ranked.height])
    quota = _share_out(np.add.reduceat(cells[best_first], starts), sites, count)
    place = np.arange(ranked.height) - np.repeat(starts, sites)
    return np.sort(best_first[place < np.repeat(quota, sites)])


def _squares(lat: NDArray[np.float64], lon: NDArray[np.float64], wanted: int) -> NDArray[np.int64]:
    """The number of the square each position lies in; about `wanted` squares cover them all."""
    east = (lon - lon.min()) * np.cos(np.radians((lat.min() + lat.max()) / 2.0))
    north = lat - lat.min()
    side = max(np.sqrt(north.max() * east.max() / wanted), (north.max() + east.max()) / wanted, 1e-6)
    across, up = np.floor(np.round(east / side, 6)), np.floor(np.round(north / side, 6))
    return np.asarray(up * (across.max() + 1) + across, np.int64)


def _share_out(weight: NDArray[np.int64], most: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Integers that sum to `count`, in proportion to `weight`, none above `most`."""
    quota: NDArray[np.int64] = np.minimum(weight * count // weight.sum(), most)
    line = np.argsort(-(weight * count % weight.sum()), kind="stable")
    while (left := count - int(quota.sum())) > 0:
        open_ones = line[quota[line] < most[line]][:left]
        quota[open_ones] += 1
    return quota


NODE_METHODS: Final[Mapping[NodeMethod, NodeChooser]] = {
    "spread": by_spread,
    "clusters": by_clusters,
    "grid": by_grid,
}
"""Every method by the name it has in a specification."""
