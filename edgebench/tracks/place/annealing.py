"""Simulated annealing of a placement against batches that are known: for the bound on the test tokens, for agents on
what they have seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part
from edgebench.sim.counter import bits, uniform
from edgebench.tracks.place import streams
from edgebench.tracks.place.physics import serve
from edgebench.tracks.place.state import OUTCOMES, Devices, Placement, Ways

_SEARCH: Final = streams.SEARCH
_SHIFT, _KIND, _EXPERT, _DEVICE, _OTHER, _ACCEPT = range(6)
_REPLICATES, _DELETES = 0.25, 0.4
"""A draw below the first tries a copy more, below the second one fewer, else a copy goes elsewhere."""


class Batches(NamedTuple):
    """Batches to place for: B of them."""

    ways: Ways  # (B, G+Q, G+Q) each of its arrays
    routes: NDArray[np.int16]  # (B, R, L)
    down: NDArray[np.bool_]  # (B, G)


@compiled
def mean_latency(devices: Devices, batches: Batches, experts: int, placement: Placement) -> float:
    """Mean latency of the batches in ms, loading left out; the router is told which devices are down."""
    count = devices.node.size
    outcome, busy_ms = np.zeros(OUTCOMES), np.zeros(count)
    total = 0.0
    for batch in range(batches.routes.shape[0]):
        ways = _of_batch(batches.ways, batch)
        used = np.zeros(ways.bad.shape, np.bool_)
        down = batches.down[batch]
        total += serve(devices, ways, batches.routes[batch], experts, placement, down, down, outcome, busy_ms, used)
    return float(total / batches.routes.shape[0])


@part
def _of_batch(ways: Ways, batch: int) -> Ways:
    return Ways(ways.known_ms[batch], ways.path_ms[batch], ways.extra_ms[batch], ways.row_ms[batch], ways.bad[batch])


def stack_ways(ways: Sequence[Ways]) -> Ways:
    """The ways of several batches as `Batches` holds them."""
    return Ways(*(np.stack(arrays) for arrays in zip(*ways, strict=True)))


@compiled
def anneal(
    devices: Devices,
    batches: Batches,
    experts: int,
    placement: Placement,
    seed: int,
    steps: int,
    first_heat: float,
    last_heat: float,
) -> float:
    """Improve `placement` in place; returns the mean latency of the best one found, which it is then.

    Args:
        devices: Of the region.
        batches: What to place for.
        experts: Of a layer.
        placement: Where to begin; it fits.
        seed: Of the draws.
        steps: Placements tried.
        first_heat: Temperature at the beginning, as a share of the latency,
        last_heat: and at the end; falls geometrically.
    """
    now = mean_latency(devices, batches, experts, placement)
    best, best_placement = now, placement.copy()
    held = placement.sum(axis=0).astype(np.int64)
    for step in range(steps):
        heat = first_heat * (last_heat / first_heat) ** (step / steps)
        first, second, before, beside = _try(devices, placement, held, seed, step)
        if first < 0:
            continue
        then = mean_latency(devices, batches, experts, placement)
        if uniform(seed, _SEARCH, step, _ACCEPT) < np.exp(min(0.0, (now - then) / (heat * now))):
            now = then
            if now < best:
                best, best_placement[:] = now, placement
        else:
            _restore(placement, held, first, before)
            if second >= 0:
                _restore(placement, held, second, beside)
    placement[:] = best_placement
    return best


@part
def _try(
    devices: Devices, placement: Placement, held: NDArray[np.int64], seed: int, step: int
) -> tuple[int, int, Placement, Placement]:
    """Change the copies of an expert, or of two that swap; which they are (-1: none) and how their rows were."""
    kind = uniform(seed, _SEARCH, step, _KIND)
    expert = int(uniform(seed, _SEARCH, step, _EXPERT) * placement.shape[0])
    device = int(uniform(seed, _SEARCH, step, _DEVICE) * placement.shape[1])
    before = placement[expert].copy()
    copies = before.sum()
    if kind < _REPLICATES:
        if before[device] or held[device] >= devices.room[device]:
            return -1, -1, before, before
        _set(placement, held, expert, device, 1)
        return expert, -1, before, before
    if kind < _DELETES:
        if not before[device] or copies < 2:
            return -1, -1, before, before
        _set(placement, held, expert, device, 0)
        return expert, -1, before, before
    if before[device]:
        return -1, -1, before, before
    return _go(devices, placement, held, seed, step, expert, device)


@part
def _go(
    devices: Devices, placement: Placement, held: NDArray[np.int64], seed: int, step: int, expert: int, device: int
) -> tuple[int, int, Placement, Placement]:
    """Move a copy to a device; where there is no room, a copy of another expert goes the other way."""
    before, other = placement[expert].copy(), -1
    beside = before
    source = _nth(before, int(uniform(seed, _SEARCH, step, _OTHER) * before.sum()))
    if held[device] >= devices.room[device] or bits(seed, _SEARCH, step, _SHIFT) % np.uint64(2) == 0:
        here = placement[:, device]
        other = _nth(here, int(bits(seed, _SEARCH, step, _OTHER) % np.uint64(max(here.sum(), 1))))
        if other < 0 or placement[other, source]:
            return -1, -1, before, before
        beside = placement[other].copy()
        _set(placement, held, other, device, 0)
        _set(placement, held, other, source, 1)
    _set(placement, held, expert, source, 0)
    _set(placement, held, expert, device, 1)
    return expert, other, before, beside


@part
def _nth(flags: Placement, wanted: int) -> int:
    """Index of the `wanted`-th entry that is set, -1 where there is none."""
    for index in range(flags.size):
        if flags[index]:
            if wanted == 0:
                return index
            wanted -= 1
    return -1


@part
def _set(placement: Placement, held: NDArray[np.int64], expert: int, device: int, value: int) -> None:
    held[device] += value - placement[expert, device]
    placement[expert, device] = value


@part
def _restore(placement: Placement, held: NDArray[np.int64], expert: int, row: Placement) -> None:
    for device in range(row.size):
        _set(placement, held, expert, device, row[device])
