from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from networks import scattered_nodes

from builders.catalogue import make_catalogue
from builders.placement import place_models
from edgebench.constants import MEMORY_GB, MODEL_TYPES, MODELS, PRICE_USD_PER_1K, QUALITY_MEAN, WORK
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS
from edgebench.schema import INSTANCES

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


def test_each_model_is_placed_once_where_it_fits() -> None:
    nodes = scattered_nodes(25)
    placed = place_models(make_catalogue(), nodes, REGIONS["s1"], 5)
    assert placed.columns == INSTANCES.names
    assert placed["model_id"].to_list() == make_catalogue()["model_id"].to_list()
    assert placed["instance_id"].to_list() == list(range(placed.height))
    storage = nodes["storage_gb"].to_numpy()[placed["node_id"].to_numpy()]
    assert (placed["memory_gb"].to_numpy() <= storage).all()


def test_small_nodes_are_passed_over() -> None:
    nodes = scattered_nodes(25).with_columns(storage_gb=pl.when(pl.col("node_id") < 20).then(5).otherwise(20))
    placed = place_models(make_catalogue(), nodes, REGIONS["s1"], 5)
    assert placed.filter(pl.col("memory_gb") > 5)["node_id"].min() >= 20
    assert placed.filter(pl.col("memory_gb") <= 5)["node_id"].n_unique() > 20


@pytest.mark.parametrize("seed", range(20))
def test_every_type_is_on_two_nodes_even_where_there_are_but_two(seed: int) -> None:
    two_each = make_catalogue().group_by("model_type", maintain_order=True).head(2)
    placed = place_models(two_each, scattered_nodes(3), REGIONS["s1"], seed)
    assert placed.group_by("model_type").agg(pl.col("node_id").n_unique())["node_id"].to_list() == [2, 2, 2]


def test_the_price_is_the_models_times_the_nodes() -> None:
    nodes, catalogue = scattered_nodes(25), make_catalogue()
    placed = place_models(catalogue, nodes, REGIONS["s1"], 5)
    expected = catalogue["price_usd_per_1k_tokens"].to_numpy() * nodes["price"].to_numpy()[placed["node_id"].to_numpy()]
    assert np.allclose(placed["price_usd_per_1k_tokens"].to_numpy(), expected, atol=5.1e-7, rtol=0)


def test_the_seed_decides() -> None:
    nodes = scattered_nodes(25)
    one, same, other = (
        place_models(make_catalogue(), nodes, REGIONS["s1"], seed)["node_id"].to_list() for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_a_model_that_fits_one_node_only_is_refused() -> None:
    nodes = scattered_nodes(25).with_columns(storage_gb=pl.when(pl.col("node_id") < 24).then(5).otherwise(20))
    with pytest.raises(EdgeBenchError, match="fewer than two nodes can hold"):
        place_models(make_catalogue(), nodes, REGIONS["s1"], 0)
