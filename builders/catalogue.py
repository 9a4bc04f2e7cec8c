"""The catalogue: the models that exist, the same for every region."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.streams import Stream, grid
from edgebench.constants import LEAST_MODELS, MEMORY_GB, MODEL_TYPES, MODELS, PRICE_USD_PER_1K, QUALITY_MEAN, WORK
from edgebench.errors import EdgeBenchError
from edgebench.region import kind_of
from edgebench.spec import LEAST_EXPERTS, MOST_EXPERTS

CATALOGUE_SEED: Final = 0
"""One catalogue for all regions and builds."""
WORK_NOISE: Final = 0.25
"""How much of a model's work its memory does not explain."""
QUALITY_NOISE: Final = 0.35
"""How much of a model's quality its size does not explain: some small models are good, some large ones are not."""
QUALITY_SPREAD: Final = 0.9
"""Quality between the poorest and the best conceivable model of a type; arena scores of text models span 0 to 1."""

Shares = NDArray[np.float64]


def expert_types(experts: int = LEAST_EXPERTS) -> tuple[str, ...]:
    """The model types, kind by kind: text, image and video, or `text-00` … `video-07` where a kind has several.

    The kinds have equally many experts; one or two left over go to text, then image.

    Raises:
        EdgeBenchError: Fewer experts than kinds, or more than `edgebench.spec.MOST_EXPERTS`.
    """
    if not LEAST_EXPERTS <= experts <= MOST_EXPERTS:
        raise EdgeBenchError(f"{experts} experts", mend=f"give {LEAST_EXPERTS} to {MOST_EXPERTS}")
    if experts == LEAST_EXPERTS:
        return MODEL_TYPES
    return tuple(
        f"{kind}-{number:02d}"
        for kind, count in zip(MODEL_TYPES, _equal_parts(experts, len(MODEL_TYPES)), strict=True)
        for number in range(count)
    )


def kind_code(model_type: str) -> int:
    """Index into `edgebench.constants.MODEL_TYPES` of the kind of a model type."""
    return MODEL_TYPES.index(kind_of(model_type))


def models_of(experts: int = LEAST_EXPERTS) -> dict[str, int]:
    """Models of each type: those of its kind (`MODELS`) in equal parts, but `LEAST_MODELS` at least."""
    types = expert_types(experts)
    counts = []
    for code, models in enumerate(MODELS):
        of_kind = sum(kind_code(model_type) == code for model_type in types)
        counts += [max(part, LEAST_MODELS) for part in _equal_parts(models, of_kind)]
    return dict(zip(types, counts, strict=True))


def make_catalogue(experts: int = LEAST_EXPERTS, seed: int = CATALOGUE_SEED) -> pl.DataFrame:
    """Draw the models of each type: larger ones do more work a token, cost more and are better, by and large.

    Memory is log-uniform, one model in each of as many equal parts of the range; work, quality and price follow it
    with noise. Experts of one kind follow the same laws.

    Returns:
        model_id (text-001 …, text-00-001 … of several experts), model_type, memory_gb, work, quality (0 … 1, mean
        `QUALITY_MEAN`) and price_usd_per_1k_tokens at a node of price 1; sorted by type, then model.

    Raises:
        EdgeBenchError: There cannot be so many experts.
    """
    counts = models_of(experts)
    draws = [grid(seed, stream, len(counts), max(counts.values())) for stream in _STREAMS]
    return pl.concat(
        _models(model_type, *(drawn[row, :count] for drawn in draws))
        for row, (model_type, count) in enumerate(counts.items())
    )


_STREAMS = (Stream.MEMORY, Stream.WORK, Stream.QUALITY)


def _equal_parts(total: int, parts: int) -> list[int]:
    """`total` in whole parts that differ by one at most, the larger ones first."""
    return [total // parts + (part < total % parts) for part in range(parts)]


def _models(model_type: str, memory_draw: Shares, work_draw: Shares, quality_draw: Shares) -> pl.DataFrame:
    code, count = kind_code(model_type), len(memory_draw)
    size = (np.arange(count) + memory_draw) / count
    effort = (1.0 - WORK_NOISE) * size + WORK_NOISE * work_draw
    worth = (1.0 - QUALITY_NOISE) * (size + effort) / 2.0 + QUALITY_NOISE * quality_draw
    return pl.DataFrame(
        {
            "model_id": [f"{model_type}-{number:03d}" for number in range(1, count + 1)],
            "model_type": [model_type] * count,
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
