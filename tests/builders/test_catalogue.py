from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.catalogue import expert_types, kind_code, make_catalogue, models_of
from edgebench.constants import (
    LEAST_MODELS,
    MEMORY_GB,
    MODEL_TYPES,
    MODELS,
    PRICE_USD_PER_1K,
    QUALITY_MEAN,
    WORK,
)
from edgebench.errors import EdgeBenchError

KINDS = range(len(MODEL_TYPES))


def models(kind: int) -> pl.DataFrame:
    return make_catalogue().filter(pl.col("model_type") == MODEL_TYPES[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_the_catalogue_is_within_its_ranges(kind: int) -> None:
    part = models(kind)
    assert part.height == MODELS[kind]
    assert part["memory_gb"].is_between(*MEMORY_GB[kind]).all()
    assert part["work"].is_between(*WORK[kind]).all()
    assert part["price_usd_per_1k_tokens"].is_between(*PRICE_USD_PER_1K[kind]).all()
    assert part["quality"].is_between(0.0, 1.0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_quality_is_met(kind: int) -> None:
    assert models(kind)["quality"].mean() == pytest.approx(QUALITY_MEAN[kind], abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_larger_models_work_more_cost_more_and_are_better_by_and_large(kind: int) -> None:
    part = models(kind)
    for low, high in (("memory_gb", "work"), ("work", "price_usd_per_1k_tokens"), ("work", "quality")):
        assert np.corrcoef(part[low], part[high])[0, 1] > 0.4


def test_quality_is_not_settled_by_size() -> None:
    text = models(0).sort("work")
    assert not text["quality"].is_sorted()
    assert np.corrcoef(text["work"], text["quality"])[0, 1] < 0.98


def test_models_have_names_of_their_own() -> None:
    catalogue = make_catalogue()
    assert catalogue["model_id"].n_unique() == catalogue.height == sum(MODELS)
    assert catalogue["model_id"][0] == "text-001"


@settings(deadline=None, max_examples=20)
@given(st.integers(4, 64))
def test_experts_share_the_models_of_their_kind_and_follow_its_laws(experts: int) -> None:
    counts = models_of(experts)
    assert tuple(counts) == expert_types(experts)
    assert len(counts) == experts
    of_kind = [sum(kind_code(model_type) == code for model_type in counts) for code in KINDS]
    assert of_kind == sorted(of_kind, reverse=True)
    assert of_kind[0] - of_kind[-1] <= 1
    for code, total in enumerate(MODELS):
        mine = [count for model_type, count in counts.items() if kind_code(model_type) == code]
        assert min(mine) >= LEAST_MODELS
        assert sum(mine) == total or LEAST_MODELS in mine
        assert max(mine) - min(mine) <= 1
    catalogue = make_catalogue(experts)
    assert dict(catalogue["model_type"].value_counts().iter_rows()) == counts
    assert catalogue["model_id"].n_unique() == catalogue.height
    for model_type in counts:
        part = catalogue.filter(pl.col("model_type") == model_type)
        assert part["memory_gb"].is_between(*MEMORY_GB[kind_code(model_type)]).all()
        assert part["quality"].mean() == pytest.approx(QUALITY_MEAN[kind_code(model_type)], abs=1e-4)


def test_experts_are_named_by_kind_and_number() -> None:
    assert expert_types() == MODEL_TYPES
    assert expert_types(5) == ("text-00", "text-01", "image-00", "image-01", "video-00")
    assert expert_types(64)[-1] == "video-20"
    assert make_catalogue(5)["model_id"][0] == "text-00-001"


def test_two_experts_of_a_kind_are_different_models() -> None:
    first, second = (make_catalogue(6).filter(pl.col("model_type") == f"text-0{number}") for number in (0, 1))
    assert not (first["work"].head(95).to_numpy() == second["work"].head(95).to_numpy()).any()


@pytest.mark.parametrize("experts", [-1, 2, 65])
def test_too_few_or_too_many_experts_are_refused(experts: int) -> None:
    with pytest.raises(EdgeBenchError, match=f"{experts} experts"):
        make_catalogue(experts)
