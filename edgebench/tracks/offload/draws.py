"""Draws by counter in whole arrays: uniform, normal, Poisson, and a first-order autoregressive process."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim import counter
from edgebench.sim.compiled import compiled, part

Floats = NDArray[np.float64]
_PIECE: Final = 256.0
"""Largest mean drawn in one piece: exp(-256) is still a number."""


@compiled
def uniforms(seed: int, stream: int, entities: int, slots: int) -> Floats:
    """Uniform draws in [0, 1), (slots, entities)."""
    drawn = np.empty((slots, entities))
    for slot in range(slots):
        for entity in range(entities):
            drawn[slot, entity] = counter.uniform(seed, stream, entity, slot)
    return drawn


@part
def normal(seed: int, stream: int, entity: int, slot: int) -> float:
    """A standard normal draw, by the slots 2 `slot` and 2 `slot` + 1 (Box and Muller, Ann. Math. Stat. 29, 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - counter.uniform(seed, stream, entity, 2 * slot)))
    return radius * math.cos(2.0 * math.pi * counter.uniform(seed, stream, entity, 2 * slot + 1))


@compiled
def normals(seed: int, stream: int, entities: int, slots: int) -> Floats:
    """Standard normal draws, (slots, entities)."""
    drawn = np.empty((slots, entities))
    for slot in range(slots):
        for entity in range(entities):
            drawn[slot, entity] = normal(seed, stream, entity, slot)
    return drawn


@compiled
def poisson(seed: int, stream: int, mean: Floats) -> NDArray[np.int32]:
    """Poisson draws of these means, (slots, entities): by inversion, in pieces of `_PIECE` at most.

    Args:
        seed: Of the draws,
        stream: and which; piece p of an entity is drawn as entity + p x entities.
        mean: (slots, entities), not negative.
    """
    slots, entities = mean.shape
    drawn = np.zeros((slots, entities), np.int32)
    for slot in range(slots):
        for entity in range(entities):
            pieces = math.ceil(mean[slot, entity] / _PIECE)
            for piece in range(pieces):
                share = counter.uniform(seed, stream, entity + piece * entities, slot)
                drawn[slot, entity] += _inverse(mean[slot, entity] / pieces, share)
    return drawn


@part
def _inverse(mean: float, share: float) -> int:
    """The least count whose cumulative probability passes `share`."""
    count, chance = 0, math.exp(-mean)
    while share >= chance and chance > 0.0:
        share -= chance
        count += 1
        chance *= mean / count
    return count


@compiled
def autoregressive(seed: int, stream: int, rho: float, sigma: float, there: NDArray[np.bool_], slots: int) -> Floats:
    """exp of a stationary AR(1) process of deviation `sigma`, of mean 1, (slots, *there.shape); 0 where not `there`.

    Args:
        seed: Of the draws,
        stream: and which.
        rho: Correlation from slot to slot.
        sigma: Standard deviation of the logarithm.
        there: (rows, columns); entity r x columns + c.
        slots: How many.
    """
    values = np.zeros((slots, *there.shape))
    fresh = math.sqrt(1.0 - rho * rho)
    for row in range(there.shape[0]):
        for column in range(there.shape[1]):
            level = 0.0
            for slot in range(slots if there[row, column] else 0):
                drawn = normal(seed, stream, row * there.shape[1] + column, slot)
                level = rho * level + (fresh if slot > 0 else 1.0) * drawn
                values[slot, row, column] = math.exp(sigma * level - 0.5 * sigma * sigma)
    return values
