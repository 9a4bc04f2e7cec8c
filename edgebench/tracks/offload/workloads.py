"""How the load of every node moves within an episode, by name: factors of mean 1, the same whatever is decided."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from edgebench.errors import unknown_name
from edgebench.tracks.offload import streams
from edgebench.tracks.offload.azure import AzureWorkload, read_azure
from edgebench.tracks.offload.constants import (
    BURST_GAP_SLOTS,
    BURST_LEVEL,
    BURST_SLOTS,
    NORMAL_SPREAD,
    STEP_LEVELS,
    SWING,
)
from edgebench.tracks.offload.draws import Floats, normals, uniforms

Shape = Callable[[Floats, int, int], Floats]
"""From each node's place between west (0) and east (1), (N,), the slots and the episode's seed to (slots, N)."""


def sinusoidal(east: Floats, slots: int, seed: int) -> Floats:
    """One period an episode, its phase taken from longitude as the sun's is: the east peaks first.

    A region is narrow beside the earth, so its width stands for a whole turn: west and east peak together, the middle
    half a period apart from both.
    """
    begun = uniforms(seed, streams.PHASE, 1, 1)[0, 0]
    turns = np.arange(slots)[:, None] / slots + east[None, :] + begun
    return np.asarray(1.0 + SWING * np.sin(2.0 * np.pi * turns))


def normal(east: Floats, slots: int, seed: int) -> Floats:
    """Every slot on its own: normal about 1, none below 0."""
    return np.maximum(0.0, 1.0 + NORMAL_SPREAD * normals(seed, streams.NORMAL, east.size, slots))


def step(east: Floats, slots: int, seed: int) -> Floats:
    """Half way through the episode a node's load rises from the lower level to the upper, or falls."""
    rises = uniforms(seed, streams.STEP, east.size, 1)[0] < 0.5
    is_upper = (np.arange(slots)[:, None] >= slots // 2) == rises[None, :]
    return np.where(is_upper, STEP_LEVELS[1], STEP_LEVELS[0])


def burst(east: Floats, slots: int, seed: int) -> Floats:
    """Bursts at each node on its own, `BURST_LEVEL` times the usual load; the mean of all is 1."""
    begins = uniforms(seed, streams.BURST, east.size, slots) < 1.0 / BURST_GAP_SLOTS
    factors = np.ones((slots, east.size))
    for slot, node in zip(*np.nonzero(begins), strict=True):
        factors[slot : slot + BURST_SLOTS, node] = BURST_LEVEL
    return np.asarray(factors / factors.mean())


def growth(east: Floats, slots: int, seed: int) -> Floats:
    """A straight line from one level to another, both uniform between 0 and 2."""
    first, last = 2.0 * uniforms(seed, streams.GROWTH, east.size, 2)
    done = np.arange(slots)[:, None] / (slots - 1)
    return np.asarray(first + (last - first) * done)


WORKLOADS: Final[dict[str, Shape]] = {shape.__name__: shape for shape in (sinusoidal, normal, step, burst, growth)}
DEFAULT_WORKLOAD: Final = "sinusoidal"
Workload = str | Path | AzureWorkload
"""A name, the folder of an Azure Functions trace, or one that was read."""


def find_workload(workload: Workload, split: str) -> Shape:
    """The shape that is meant.

    Raises:
        EdgeBenchError: No workload bears the name and no folder is there; or as `edgebench.tracks.offload.azure`.
    """
    if isinstance(workload, str) and workload in WORKLOADS:
        return WORKLOADS[workload]
    if isinstance(workload, AzureWorkload):
        return partial(workload.shape, split)
    if not Path(workload).is_dir():
        raise unknown_name("workload, and no folder,", str(workload), WORKLOADS)
    return partial(read_azure(workload).shape, split)
