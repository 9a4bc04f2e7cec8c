"""Which episode an environment plays next: window and scenario seed, hashed from its seed and its resets."""

from __future__ import annotations

from typing import Final

import numpy as np

from edgebench.constants import WINDOW_TASKS
from edgebench.sim.compiled import compiled
from edgebench.sim.counter import EPISODE_SEED, EPISODE_WINDOW, bits

FIRST_TRAINING_SEED: Final = 1000
"""Scenario seeds below are kept for evaluation."""


@compiled
def windows_of(tasks: int) -> int:
    """Episodes' worth of `tasks` tasks."""
    return (tasks + WINDOW_TASKS - 1) // WINDOW_TASKS


@compiled
def drawn_window(seed: int, resets: int, tasks: int) -> int:
    """The window of the episode after `resets` others, for a split of `tasks` tasks."""
    return int(np.int64(bits(seed, EPISODE_WINDOW, resets, 0) % np.uint64(windows_of(tasks))))


@compiled
def drawn_seed(seed: int, resets: int) -> int:
    """The scenario seed of the episode after `resets` others."""
    return FIRST_TRAINING_SEED + int(bits(seed, EPISODE_SEED, resets, 0) >> np.uint64(33))
