"""Demand-weighted clusters of places: k-means with a sampled start and trees for the assignment."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from builders.streams import Stream
from edgebench.sim.compiled import compiled
from edgebench.sim.counter import uniform, uniforms

START_PLACES: Final = 50_000
"""Places among which the first centres are drawn."""
ROUNDS: Final = 20
"""Most rounds of assignment; later ones move the centres by little."""
TRIALS: Final = 3
"""Candidates for each first centre, of which the one that helps most is taken."""

_uniform = uniform
Points = NDArray[np.float64]


def cluster_centres(points: Points, demand: NDArray[np.float64], count: int, seed: int) -> Points:
    """Centres of `count` clusters that bring the squared distances to the nearest centre, times demand, near a minimum.

    The start is k-means++ with several candidates a centre (Arthur and Vassilvitskii, "k-means++: The Advantages of
    Careful Seeding", SODA 2007), the rest are Lloyd's rounds. A centre no place is nearest to stays where it is.

    Args:
        points: Places, (S, D) with S >= count.
        demand: Positive weight of each place, (S,).
        count: How many clusters.
        seed: Seed of the hashed draws.

    Returns:
        float64[count, D].
    """
    sample = np.sort(np.argsort(uniforms(seed, int(Stream.CENTRE), len(points)), kind="stable")[: _enough(count)])
    start = _first_centres(points[sample], demand[sample], count, seed, int(Stream.CENTRE))
    centres: Points = points[sample][start]
    home: NDArray[np.int64] = np.empty(0, np.int64)
    for _ in range(ROUNDS):
        nearest = np.asarray(cKDTree(centres).query(points, workers=-1)[1], np.int64)
        if np.array_equal(nearest, home):
            break
        home = nearest
        mass = np.bincount(home, demand, count)
        sums = np.stack([np.bincount(home, demand * axis, count) for axis in points.T], axis=1)
        centres = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-300)[:, None], centres)
    return centres


def _enough(count: int) -> int:
    return max(START_PLACES, 4 * count)


@compiled
def _first_centres(
    points: Points, demand: NDArray[np.float64], count: int, seed: int, stream: int
) -> NDArray[np.int64]:
    """Rows of `points`, each drawn by demand times squared distance to the nearest one drawn before."""
    drawn = np.zeros(count, np.int64)
    left = np.full(len(points), np.inf)
    cost = demand.copy()
    trial, best = np.empty(len(points)), np.empty(len(points))
    for number in range(count):
        least = np.inf
        total = cost.sum()
        for attempt in range(TRIALS):
            row = _draw(cost, _uniform(seed, stream, number, 1 + attempt) * total)
            potential = _bring_nearer(points, demand, left, row, trial)
            if potential < least:
                least, drawn[number] = potential, row
                best, trial = trial, best
        left, best = best, left
        for row in range(len(points)):
            cost[row] = demand[row] * left[row]
    return drawn


@compiled
def _draw(cost: NDArray[np.float64], target: float) -> int:
    """The row at which the running sum passes `target`."""
    passed, last = 0.0, 0
    for row in range(cost.size):
        if cost[row] > 0.0:
            passed += cost[row]
            last = row
            if passed > target:
                break
    return last


@compiled
def _bring_nearer(
    points: Points, demand: NDArray[np.float64], left: NDArray[np.float64], centre: int, nearer: NDArray[np.float64]
) -> float:
    """Squared distances to the nearest centre once there is one more, into `nearer`; their sum times demand."""
    total = 0.0
    for row in range(len(points)):
        squared = 0.0
        for axis in range(points.shape[1]):
            squared += (points[row, axis] - points[centre, axis]) ** 2
        nearer[row] = min(left[row], squared)
        total += demand[row] * nearer[row]
    return total
