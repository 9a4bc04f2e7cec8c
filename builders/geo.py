"""Distances on a sphere."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth (IUGG: (2a + b) / 3 of WGS84)."""
MICRO: Final = 1_000_000
"""Micro-degrees in a degree. Positions are compared as whole micro-degrees (about 0.1 m), never as floats."""


def haversine_km(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> NDArray[np.float64]:
    """Great-circle distance in km between positions in degrees; the four arguments broadcast.

    The haversine formula (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984).
    """
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    half_lat = (phi2 - phi1) / 2.0
    half_lon = (np.radians(lon2) - np.radians(lon1)) / 2.0
    chord = np.sin(half_lat) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(half_lon) ** 2
    return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0))), np.float64)


def distance_matrix_km(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """All pairwise distances as float64[N, N] in km, rounded to metres so that no choice hangs on the last bits."""
    phi, lam = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
    return np.round(haversine_km(phi[:, None], lam[:, None], phi[None, :], lam[None, :]), 3)


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
