"""The formulas of two earlier systems, VAMAPPO and TopoFreeRL, on their own data in their own units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import numpy as np

from edgebench.compat import topofreerl, vamappo
from edgebench.compat.data import LegacyData


def mean_scores(data: LegacyData, split: str, seeds: Iterable[int]) -> dict[str, dict[str, float]]:
    """The scores of every policy of the data's system, by policy and figure, averaged over `seeds`."""
    module = vamappo if data.system == "vamappo" else topofreerl
    return {
        policy: _mean([asdict(module.score(data, policy, np.random.default_rng(seed), split)) for seed in seeds])
        for policy in module.POLICIES
    }


def _mean(scores: list[dict[str, float]]) -> dict[str, float]:
    figures = [name for name in scores[0] if name not in ("policy", "tasks")]
    return {name: float(np.mean([score[name] for score in scores])) for name in figures}
