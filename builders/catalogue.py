"""The catalogue: the models that exist, the same for every region."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.streams import Stream, grid
from edgebench.constants import MEMORY_GB, MODEL_TYPES, MODELS, PRICE_USD_PER_1K, QUALITY_MEAN, WORK
from edgebench.spec import LEAST_EXPERTS

CATALOGUE_SEED: Final = 0
"""One catalogue for all regions and builds."""
WORK_NOISE: Final = 0.25
"""How much of a model's work its memory does not explain."""
QUALITY_NOISE: Final = 0.35
"""How much of a model's quality its size does not explain: some small models are good, some large ones are not."""
QUALITY_SPREAD: Final = 0.9
"""Quality between the poorest and the best conceivable model of a type; arena scores of text models span 0 to 1."""

Shares = NDArray[np.float64]


def make_catalogue(experts: int = LEAST_EXPERTS, seed: int = CATALOGUE_SEED) -> pl.DataFrame:
    """Draw `MODELS` models of each type: larger ones do more work a token, cost more and are better, by and large.

    Memory is log-uniform, one model in each of as many equal parts of the range; work, quality and price follow it
    with noise.

    Returns:
        model_id (text-001 …), model_type, memory_gb, work, quality (0 … 1, mean `QUALITY_MEAN`) and
        price_usd_per_1k_tokens at a node of price 1; sorted by type, then model.
    """
    draws = {stream: grid(seed, stream, len(MODELS), max(MODELS)) for stream in _STREAMS}
    return pl.concat(_models(code, *(draws[stream][code, : MODELS[code]] for stream in _STREAMS)) for code in _CODES)


_STREAMS = (Stream.MEMORY, Stream.WORK, Stream.QUALITY)
_CODES = range(len(MODEL_TYPES))


def _models(code: int, memory_draw: Shares, work_draw: Shares, quality_draw: Shares) -> pl.DataFrame:
    count = MODELS[code]
    size = (np.arange(count) + memory_draw) / count
    effort = (1.0 - WORK_NOISE) * size + WORK_NOISE * work_draw
    worth = (1.0 - QUALITY_NOISE) * (size + effort) / 2.0 + QUALITY_NOISE * quality_draw
    kind = MODEL_TYPES[code]
    return pl.DataFrame(
        {
            "model_id": [f"{kind}-{number:03d}" for number in range(1, count + 1)],
            "model_type": [kind] * count,
            "memory_gb": np.round(_between(MEMORY_GB[code], size), 3),
            "work": np.round(_between(WORK[code], effort), 4),
            "quality": np.round(_with_mean(QUALITY_SPREAD * worth, QUALITY_MEAN[code]), 4),
            "price_usd_per_1k_tokens": np.round(_between(PRICE_USD_PER_1K[code], effort), 6),
        }
    )


def _between(ends: tuple[float, float], share: Shares) -> Shares:
    """The value at `share` (0 … 1) of a range, on a logarithmic scale."""
    return ends[0] * (ends[1] / ends[0]) ** share


def _with_mean(values: Shares, mean: float) -> Shares:
    """`values` shifted to `mean` and clipped to 0 … 1, shifting again for what was clipped."""
    shifted = values
    for _ in range(100):
        shifted = np.clip(shifted + (mean - shifted.mean()), 0.0, 1.0)
    return shifted
