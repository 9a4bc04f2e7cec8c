"""Which points lie inside a ring."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError

LEAST_CORNERS: Final = 3


def inside_ring(
    ring: Sequence[tuple[float, float]], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """For each point whether it lies inside a ring of (lon, lat) corners, all in degrees.

    A point is inside where the ray from it to the east crosses the ring an odd number of times (M. Shimrat,
    "Algorithm 112: Position of point relative to polygon", Communications of the ACM 5, 1962). So a ring that
    crosses itself leaves out what it encloses twice. Points on the line belong to either side.

    Raises:
        EdgeBenchError: The ring has fewer than three different corners.
    """
    if len(set(ring)) < LEAST_CORNERS:
        raise EdgeBenchError(
            f"a polygon of {len(set(ring))} corners encloses nothing",
            where="polygon",
            mend=f"give at least {LEAST_CORNERS} different corners as lon, lat",
        )
    odd = np.zeros(len(lon), np.bool_)
    for (lon1, lat1), (lon2, lat2) in pairwise([*ring, ring[0]]):
        if lat1 != lat2:
            spans = (lat1 > lat) != (lat2 > lat)
            odd ^= spans & (lon < lon1 + (lat - lat1) * ((lon2 - lon1) / (lat2 - lat1)))
    return odd
