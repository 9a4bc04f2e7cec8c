"""The counter-based hash of `edgebench.sim.counter` in plain Python integers, from its description alone."""

GOLDEN = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """The finaliser of splitmix64."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def bits(*counter: int) -> int:
    """64 bits of (seed, stream, entity, slot)."""
    state = 0
    for part in counter:
        state = mix(((state ^ part) + GOLDEN) & MASK)
    return state


def uniform(*counter: int) -> float:
    """A draw in [0, 1) of (seed, stream, entity, slot)."""
    return (bits(*counter) >> 11) / 2**53
