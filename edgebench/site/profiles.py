"""Performance profiles: which share of its episodes an agent brings above each score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from edgebench.harness.statistics import Scores, performance_profile
from edgebench.site.plots import Chart, chart

MOST: Final = 8
"""Agents in one plot: more could not be told apart."""
_POINTS: Final = 101


def profile_chart(agents: Sequence[tuple[str, Scores]]) -> Chart:
    """The profiles of named agents as a chart, from the least score of all of them to the greatest, or 1."""
    everything = np.concatenate([values.ravel() for _, scores in agents for values in scores.values.values()])
    low, high = float(np.quantile(everything, 0.01)), max(1.0, float(everything.max()))
    thresholds = np.linspace(min(low, 0.0), high, _POINTS)
    series = [(name, thresholds, performance_profile(scores, thresholds)) for name, scores in agents]
    return chart(series, "score", "share of episodes above it", (0.0, 1.0))
