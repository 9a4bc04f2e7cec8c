"""Ways between two nodes that are late at times, each slot on its own."""

from __future__ import annotations

from edgebench.sim import counter
from edgebench.sim.compiled import part


@part
def is_late(seed: int, nodes: int, source: int, target: int, slot: int, chance: float) -> bool:
    """Whether the way from `source` to another of `nodes` nodes is late in a slot."""
    return source != target and counter.uniform(seed, counter.JITTER_CHANCE, source * nodes + target, slot) < chance


@part
def late_ms(
    seed: int, nodes: int, source: int, target: int, slot: int, chance: float, least_ms: float, most_ms: float
) -> float:
    """What the way from `source` to `target` takes longer in a slot, in ms: nothing, or uniform between bounds."""
    if chance == 0.0 or not is_late(seed, nodes, source, target, slot, chance):
        return 0.0
    drawn = counter.uniform(seed, counter.JITTER_EXTRA, source * nodes + target, slot)
    return float(least_ms + (most_ms - least_ms) * drawn)
