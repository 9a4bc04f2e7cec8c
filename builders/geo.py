"""Distances on a sphere."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgebench.sim.compiled import compiled

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth (IUGG: (2a + b) / 3 of WGS84)."""
MICRO: Final = 1_000_000
"""Micro-degrees in a degree. Positions are compared as whole micro-degrees (about 0.1 m), never as floats."""

TILE: Final = 64
"""Side of the tiles in which a matrix is filled."""


def haversine_km(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> NDArray[np.float64]:
    """Great-circle distance in km between positions in degrees; the four arguments broadcast.

    The haversine formula (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984).
    """
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    half_lat = (phi2 - phi1) / 2.0
    half_lon = (np.radians(lon2) - np.radians(lon1)) / 2.0
    chord = np.sin(half_lat) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(half_lon) ** 2
    return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0))), np.float64)


def metres_km(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> NDArray[np.float64]:
    """`haversine_km` rounded to metres, so that no choice hangs on the last bits."""
    return np.round(haversine_km(lat1, lon1, lat2, lon2), 3)


def distance_matrix_km(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """All pairwise distances as float64[N, N] in km, rounded to metres as in `metres_km`."""
    return _matrix_km(sphere_km(lat, lon))


@compiled
def _matrix_km(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """In tiles, so that both halves are written along the cache's lines."""
    count = len(points)
    matrix = np.empty((count, count))
    for top in range(0, count, TILE):
        for left in range(0, top + 1, TILE):
            for a in range(top, min(top + TILE, count)):
                for b in range(left, min(left + TILE, a + 1)):
                    matrix[a, b] = matrix[b, a] = _arc_km(_squared(points, a, b))
    return matrix


@compiled
def _squared(points: NDArray[np.float64], a: int, b: int) -> float:
    """Square of the straight line between two points."""
    x, y, z = points[a, 0] - points[b, 0], points[a, 1] - points[b, 1], points[a, 2] - points[b, 2]
    return float(x * x + y * y + z * z)


@compiled
def _arc_km(squared: float) -> float:
    """The arc over a straight line, in whole metres."""
    half = min(math.sqrt(squared) / (2.0 * EARTH_RADIUS_KM), 1.0)
    return float(np.rint(2000.0 * EARTH_RADIUS_KM * math.asin(half)) / 1000.0)


def empty_circles(lat: ArrayLike, lon: ArrayLike, near: NDArray[np.int64]) -> NDArray[np.int64]:
    """All pairs of positions in whose circle, the one they are the diameter of, no third position lies.

    These are the Gabriel edges (Gabriel and Sokal, "A New Statistical Approach to Geographic Variation Analysis",
    Systematic Zoology 18, 1969). Distances count in whole metres. Memory grows with the pairs found.

    Args:
        lat: Degrees, (N,).
        lon: Degrees, (N,).
        near: Some neighbours of each position, (N, k). They settle most pairs at once; the result does not depend
            on them.

    Returns:
        Rows a < b as int64[P, 2], in their order.
    """
    return np.array(_empty_circles(sphere_km(lat, lon), near), np.int64).reshape(-1, 2)


@compiled
def _empty_circles(points: NDArray[np.float64], near: NDArray[np.int64]) -> list[tuple[int, int]]:
    found = []
    for a in range(len(points)):
        for b in range(a + 1, len(points)):
            settled = _surely_taken(points, a, b, near[a]) or _surely_taken(points, a, b, near[b])
            if not settled and not _taken(points, a, b):
                found.append((a, b))
    return found


@compiled
def _surely_taken(points: NDArray[np.float64], a: int, b: int, others: NDArray[np.int64]) -> bool:
    """Whether one of `others` lies so deep in the circle of a and b that no rounding to metres brings it out.

    Straight lines suffice: what lies in the circle by them lies in it by arcs.
    """
    squared = _squared(points, a, b)
    limit = squared - 0.005 * math.sqrt(squared)
    for c in others:  # noqa: SIM110 - numba compiles no any() over a generator
        if _squared(points, a, c) + _squared(points, b, c) < limit:
            return True
    return False


@compiled
def _taken(points: NDArray[np.float64], a: int, b: int) -> bool:
    squared = _squared(points, a, b)
    arc, reach = _arc_km(squared), (math.sqrt(squared) + 0.002) ** 2
    for c in range(len(points)):
        from_a, from_b = _squared(points, a, c), _squared(points, b, c)
        if from_a <= reach and from_b <= reach:
            one, other = _arc_km(from_a), _arc_km(from_b)
            if one * one + other * other < arc * arc:
                return True
    return False


def sphere_km(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Positions as float64[N, 3] points on the sphere, in km from its centre; for nearest-neighbour trees."""
    phi, lam = np.radians(np.asarray(lat, np.float64)), np.radians(np.asarray(lon, np.float64))
    unit = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)
    return np.asarray(EARTH_RADIUS_KM * unit, np.float64)


def chord_km(arc_km: float) -> float:
    """Length in km of the straight line under a great-circle arc of `arc_km`."""
    return float(2.0 * EARTH_RADIUS_KM * np.sin(arc_km / (2.0 * EARTH_RADIUS_KM)))


def micro_degrees(degrees: ArrayLike) -> NDArray[np.int64]:
    """Degrees as whole micro-degrees."""
    return np.asarray(np.rint(np.asarray(degrees, np.float64) * MICRO), np.int64)
