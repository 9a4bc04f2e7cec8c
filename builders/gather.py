"""Points that stand together: groups of bounded width, whatever the order of the points and the lie of any grid."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from builders.geo import MICRO, sphere_km

MM_PER_KM: Final = 1_000_000
APART_MM: Final = 10**11
"""Further apart than any two places on Earth: how far `apart` moves points from each other."""


def gather(
    lat: NDArray[np.int64], lon: NDArray[np.int64], reach_m: int, apart: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """For each point the row of the one it is gathered around, itself perhaps.

    Points stand in the order of their rank. The first is a centre; so is each that has no centre within `reach_m`
    before it. Every other point goes to its nearest centre, of equally near ones to the first. So centres are more
    than `reach_m` apart, no group is wider than twice that, and no chain of neighbours grows into one group.
    Distances are straight lines in whole millimetres, so that no choice hangs on the last bit of a float.

    Args:
        lat: Latitudes in micro-degrees, [N].
        lon: Longitudes in micro-degrees, [N]. No two points may be equal.
        reach_m: Metres.
        apart: Small numbers, [N]; points of different numbers are never gathered. None: all may be.
    """
    places = np.rint(sphere_km(lat / MICRO, lon / MICRO) * MM_PER_KM)
    if apart is not None:
        places = np.column_stack([places, apart * float(APART_MM)])
    pairs = cKDTree(places).query_pairs(reach_m * 1000.0, output_type="ndarray").astype(np.int64)
    pairs.sort(axis=1)
    is_centre = _centres(pairs, len(places))
    return _nearest_centre(places, pairs, is_centre)


def _centres(pairs: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """What taking the points one by one would choose, many at a time: `pairs` has the lower row first."""
    is_centre, settled = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    while not settled.all():
        waits = np.zeros(count, np.bool_)
        waits[pairs[:, 1]] = True
        chosen = ~settled & ~waits
        is_centre |= chosen
        settled |= chosen
        settled[pairs[chosen[pairs[:, 0]], 1]] = True
        pairs = pairs[~settled[pairs].any(axis=1)]
    return is_centre


def _nearest_centre(
    places: NDArray[np.float64], pairs: NDArray[np.int64], is_centre: NDArray[np.bool_]
) -> NDArray[np.int64]:
    reaches = np.concatenate([pairs, pairs[:, ::-1]])
    reaches = reaches[is_centre[reaches[:, 0]]]
    square = np.square(places[reaches[:, 0]] - places[reaches[:, 1]]).sum(axis=1)
    nearest_last = np.lexsort((-reaches[:, 0], -square))
    group = np.arange(len(places), dtype=np.int64)
    group[reaches[nearest_last, 1]] = reaches[nearest_last, 0]
    return group
