"""Counter-based random numbers: a hash of (seed, stream, entity, slot), the same bits everywhere.

A draw depends on what it is for and never on what was drawn before, so every agent meets the same
traps, users and failures whatever it does (common random numbers). The mixer is the finaliser of
splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_TWO_TO_MINUS_53: Final = 2.0**-53

TRAP_START: Final = 1
"""Stream of a trap link's first state."""
TRAP_CHANGE: Final = 2
"""Stream of a trap link's changes of state, one slot a draw."""
TRAP_EXTRA: Final = 3
"""Stream of a bad trap link's extra delay, one slot a draw."""
EPISODE_WINDOW: Final = 4
"""Stream of the window an unpinned episode takes."""
EPISODE_SEED: Final = 5
"""Stream of the scenario seed an unpinned episode takes."""
CROWD_START: Final = 31
"""Stream of the task with which a flash crowd begins."""
OUTAGE_START: Final = 32
"""Stream of a node's first state."""
OUTAGE_CHANGE: Final = 33
"""Stream of a node's failures and returns, one slot a draw."""
DRIFT_PHASE: Final = 34
"""Stream of when a trap link is harmless in `drift`."""
DRIFT_PLACE: Final = 35
"""Stream of what blurs the order of tasks in `drift`, one row of the split a draw."""
JITTER_CHANCE: Final = 36
"""Stream of whether the way between two nodes is late, one slot a draw."""
JITTER_EXTRA: Final = 37
"""Stream of how late it is, one slot a draw."""


@part
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def bits(seed: int, stream: int, entity: int, slot: int) -> np.uint64:
    """64 hashed bits for the counter (seed, stream, entity, slot), each a non-negative integer."""
    state = _mix(np.uint64(seed) + _GOLDEN)
    state = _mix((state ^ np.uint64(stream)) + _GOLDEN)
    state = _mix((state ^ np.uint64(entity)) + _GOLDEN)
    return _mix((state ^ np.uint64(slot)) + _GOLDEN)


@compiled
def uniform(seed: int, stream: int, entity: int, slot: int) -> float:
    """A uniform draw in [0, 1) with 53 bits for the counter (seed, stream, entity, slot)."""
    return float(bits(seed, stream, entity, slot) >> np.uint64(11)) * _TWO_TO_MINUS_53


@compiled
def uniforms(seed: int, stream: int, count: int) -> NDArray[np.float64]:
    """`count` uniform draws in [0, 1): entity 0 … count-1 of one stream, slot 0."""
    draws = np.empty(count, np.float64)
    for entity in range(count):
        draws[entity] = uniform(seed, stream, entity, 0)
    return draws
