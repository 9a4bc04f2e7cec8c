"""Counter-based random numbers: a hash of (seed, stream, entity, slot), the same bits everywhere.

A draw depends on what it is for and never on what was drawn before, so every agent meets the same
traps, users and failures whatever it does (common random numbers). The mixer is the finaliser of
splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_TWO_TO_MINUS_53: Final = 2.0**-53

TRAP_START: Final = 1
TRAP_CHANGE: Final = 2
TRAP_EXTRA: Final = 3
EPISODE_WINDOW: Final = 4
EPISODE_SEED: Final = 5
CROWD_START: Final = 31
OUTAGE_START: Final = 32
OUTAGE_CHANGE: Final = 33
DRIFT_PHASE: Final = 34
DRIFT_PLACE: Final = 35
JITTER_CHANCE: Final = 36
JITTER_EXTRA: Final = 37
CROWD_PLACE: Final = 38


class Stream(NamedTuple):
    """What one number in the second place of a counter stands for."""

    number: int
    name: str  # of the constant of this module
    entity: str  # what the third place counts
    slot: str  # what the fourth place counts
    meaning: str  # what is decided


STREAMS: Final = (
    Stream(TRAP_START, "TRAP_START", "trap link", "0", "whether the link is bad in the first slot"),
    Stream(
        TRAP_CHANGE, "TRAP_CHANGE", "trap link", "slot of 1 s", "whether its state is another than in the slot before"
    ),
    Stream(TRAP_EXTRA, "TRAP_EXTRA", "trap link", "slot of 1 s", "the extra delay of the link where it is bad"),
    Stream(
        EPISODE_WINDOW, "EPISODE_WINDOW", "resets since the seed", "0", "the window of an episode that is not pinned"
    ),
    Stream(
        EPISODE_SEED, "EPISODE_SEED", "resets since the seed", "0", "the scenario seed of an episode that is not pinned"
    ),
    Stream(CROWD_START, "CROWD_START", "flash crowd", "0", "in burst, the task with which the crowd begins"),
    Stream(CROWD_PLACE, "CROWD_PLACE", "flash crowd", "0", "in burst, the node it is at, in tracks that go by slots"),
    Stream(OUTAGE_START, "OUTAGE_START", "node", "0", "in outage, whether the node is down in the first slot"),
    Stream(OUTAGE_CHANGE, "OUTAGE_CHANGE", "node", "slot of 1 s", "in outage, whether it fails or is back in the slot"),
    Stream(DRIFT_PHASE, "DRIFT_PHASE", "trap link", "0", "in drift, when the link is harmless and when a trap"),
    Stream(DRIFT_PLACE, "DRIFT_PLACE", "task of the split", "0", "in drift, what blurs the order from west to east"),
    Stream(
        JITTER_CHANCE, "JITTER_CHANCE", "ordered pair of nodes", "slot of 1 s", "in jitter, whether the way is late"
    ),
    Stream(JITTER_EXTRA, "JITTER_EXTRA", "ordered pair of nodes", "slot of 1 s", "in jitter, how late it is"),
)
"""Every stream of the simulator. Two draws share a number only if they share seed, stream, entity and slot."""


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
