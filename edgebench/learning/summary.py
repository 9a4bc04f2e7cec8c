"""What all who act at once know together, in as many numbers whatever their number: for central critics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def summary_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of what `summaries` gives of features of these names."""
    return (*(f"mean_{name}" for name in names), *(f"most_{name}" for name in names))


def summaries(features: Floats, counts: NDArray[np.int64]) -> Floats:
    """Mean and maximum over all who act in the same episode, told to each of them, (D, 2 F).

    Args:
        features: Of each, (D, F), those of an episode one behind the other.
        counts: How many act in each episode, none of them 0, (episodes,), summing to D.
    """
    begins = np.cumsum(counts) - counts
    means = np.add.reduceat(features, begins, axis=0) / counts[:, None]
    most = np.maximum.reduceat(features, begins, axis=0)
    return np.repeat(np.concatenate([means, most], 1).astype(np.float32), counts, axis=0)
