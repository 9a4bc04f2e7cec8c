from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import scattered_nodes

from builders.catalogue import make_catalogue
from builders.placement import copies, place_models, tiles
from edgebench.constants import POPULAR_COPIES
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS
from edgebench.schema import INSTANCES
from edgebench.spec import PlacementMethod

METHODS = ("random", "single-type", "popularity", "tiled")


def placed_by(
    method: PlacementMethod, nodes: pl.DataFrame, experts: int = 3, seed: int = 5, catalogue: pl.DataFrame | None = None
) -> pl.DataFrame:
    spec = dataclasses.replace(REGIONS["s1"], placement=method)
    return place_models(make_catalogue(experts) if catalogue is None else catalogue, nodes, spec, seed)


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


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(METHODS), st.integers(20, 90), st.integers(3, 9), st.integers(0, 2**62))
def test_whatever_the_method_types_are_on_two_nodes_and_models_fit(
    method: PlacementMethod, count: int, experts: int, seed: int
) -> None:
    nodes = scattered_nodes(count, seed)
    placed = placed_by(method, nodes, experts, seed)
    assert placed.columns == INSTANCES.names
    assert placed["instance_id"].to_list() == list(range(placed.height))
    assert set(placed["model_id"]) == set(make_catalogue(experts)["model_id"])
    storage = nodes["storage_gb"].to_numpy()[placed["node_id"].to_numpy()]
    assert (placed["memory_gb"].to_numpy() <= storage).all()
    assert placed.group_by("model_type").agg(pl.col("node_id").n_unique())["node_id"].min() >= 2
    assert not placed.select("node_id", "model_id").is_duplicated().any()
    assert placed.equals(placed_by(method, nodes, experts, seed))
    assert not placed.equals(placed_by(method, nodes, experts, seed + 1))


@pytest.mark.parametrize("count", [25, 31, 300])
def test_single_type_gives_every_node_one_type_by_the_share_of_models(count: int) -> None:
    placed = placed_by("single-type", scattered_nodes(count))
    types = placed.group_by("node_id").agg(pl.col("model_type").unique())
    assert types.height == count
    assert types["model_type"].list.len().unique().to_list() == [1]
    hosts = dict(types["model_type"].list.first().value_counts().iter_rows())
    for kind, models in (("text", 191), ("image", 30), ("video", 6)):
        assert hosts[kind] == pytest.approx(max(2, models / 227 * count), abs=2)


def test_single_type_passes_small_nodes_over_to_types_they_hold() -> None:
    nodes = scattered_nodes(25).with_columns(storage_gb=pl.when(pl.col("node_id") < 18).then(3).otherwise(20))
    placed = placed_by("single-type", nodes)
    assert placed["node_id"].n_unique() == 25
    assert placed.filter(pl.col("node_id") < 18)["model_type"].unique().to_list() == ["text"]


def test_single_type_needs_two_nodes_a_type() -> None:
    with pytest.raises(EdgeBenchError, match="single-type placement needs 2 nodes"):
        placed_by("single-type", scattered_nodes(5))


def test_single_type_needs_nodes_that_hold_something() -> None:
    nodes = scattered_nodes(25).with_columns(storage_gb=pl.when(pl.col("node_id") == 7).then(1).otherwise(20))
    with pytest.raises(EdgeBenchError, match="node 7 with 1 GB can hold no model"):
        placed_by("single-type", nodes)


def test_popular_models_have_several_instances_and_their_number_is_fixed() -> None:
    catalogue, nodes = make_catalogue(), scattered_nodes(60)
    placed = placed_by("popularity", nodes)
    assert placed.height == POPULAR_COPIES * catalogue.height
    found = dict(placed["model_id"].value_counts().iter_rows())
    text = catalogue.filter(pl.col("model_type") == "text").sort("quality", descending=True)
    ranked = [found[model] for model in text["model_id"]]
    assert ranked == sorted(ranked, reverse=True)
    assert ranked[0] == pytest.approx(2 * ranked[1], abs=1)
    assert ranked[-1] == 1


def test_no_model_has_more_instances_than_nodes_hold_it() -> None:
    nodes = scattered_nodes(12)
    counts = copies(make_catalogue(), nodes["storage_gb"].to_numpy())
    assert counts.max() == 12
    assert counts.sum() == POPULAR_COPIES * len(counts)


def test_where_nodes_are_few_every_model_is_everywhere() -> None:
    assert (copies(make_catalogue().tail(6), np.array([20, 20])) == 2).all()


@pytest.mark.parametrize(("count", "times"), [(25, 1), (49, 1), (50, 2), (500, 20), (10, 1)])
def test_tiles_repeat_the_catalogue_on_consecutive_nodes(count: int, times: int) -> None:
    catalogue = make_catalogue()
    placed = placed_by("tiled", scattered_nodes(count))
    assert tiles(count) == times
    assert placed["model_id"].to_list() == times * catalogue["model_id"].to_list()
    blocks = np.array_split(np.arange(count), times)
    for tile, block in enumerate(blocks):
        mine = placed[tile * catalogue.height : (tile + 1) * catalogue.height]
        assert set(mine["node_id"]) <= set(block.tolist())
        assert mine.filter(pl.col("model_type") == "video")["node_id"].n_unique() > 1


def test_one_tile_is_placed_as_at_random() -> None:
    nodes = scattered_nodes(30)
    assert placed_by("tiled", nodes).equals(placed_by("random", nodes))
