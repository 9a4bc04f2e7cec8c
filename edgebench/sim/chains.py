"""Two-state Markov chains in slots of time (Gilbert–Elliott), drawn by counter, walked as far as they are asked for.

Gilbert, "Capacity of a burst-noise channel", Bell System Technical Journal 39, 1960.
"""

from __future__ import annotations

from edgebench.constants import TRAP_SLOT_MS, TRAP_SLOTS
from edgebench.sim import counter
from edgebench.sim.compiled import compiled, part

_uniform = counter.uniform


@part
def first_state(seed: int, stream: int, entity: int, enter: float, leave: float) -> bool:
    """Whether a chain is bad in slot 0: drawn from its stationary distribution."""
    return _uniform(seed, stream, entity, 0) * (enter + leave) < enter


@part
def next_state(seed: int, stream: int, entity: int, slot: int, was_bad: bool, enter: float, leave: float) -> bool:
    """Whether a chain is bad in `slot`, given the slot before."""
    changes = _uniform(seed, stream, entity, slot) < (leave if was_bad else enter)
    return was_bad != changes


@compiled
def slot_of(now_ms: float) -> int:
    """The slot of `now_ms`; the last one holds."""
    return min(int(now_ms / TRAP_SLOT_MS), TRAP_SLOTS - 1)
