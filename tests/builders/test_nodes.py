import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.spatial import cKDTree
from sklearn.cluster import KMeans

from builders.cells import read_cells
from builders.clusters import cluster_centres
from builders.filters import filter_cells
from builders.geo import haversine_km, sphere_km
from builders.ledger import Ledger
from builders.node_methods import HOST_SHARE, NODE_METHODS, spread_out
from builders.nodes import choose_nodes, nearest_node, spread_integers
from builders.sample import SAMPLE_REGIONS, sample_path
from builders.sites import find_sites
from edgebench.errors import EdgeBenchError
from edgebench.registry import region_spec
from edgebench.schema import NODES
from edgebench.spec import Range

S1 = region_spec("s1")
REAL = {
    "s1": "228_mls_202403.csv.gz",
    "s2": "234_ocid_20260131_headerless.csv.gz",
    "s3": "262_mls_202403.csv.gz",
    "s4": "222_mls_202301.csv.gz",
}
sources = [pytest.param(name, sample_path(name), id=f"{name}-sample") for name in SAMPLE_REGIONS] + [
    pytest.param(
        name,
        Path(os.environ.get("EDGEBENCH_TEST_DATA", "")) / "cells" / file,
        id=f"{name}-real",
        marks=pytest.mark.skipif("EDGEBENCH_TEST_DATA" not in os.environ, reason="EDGEBENCH_TEST_DATA is not set"),
    )
    for name, file in REAL.items()
]


def sites_at(places: list[tuple[float, float]]) -> pl.DataFrame:
    lat, lon = zip(*places, strict=True)
    counts = {name: pl.Series([k % 3 + 1 for k in range(len(places))], dtype=pl.Int32) for name in ("cells", "lte")}
    zero = {name: pl.Series([0] * len(places), dtype=pl.Int32) for name in ("gsm", "umts", "nr")}
    columns = {"site_id": pl.int_range(len(places), dtype=pl.Int32, eager=True), "lat": lat, "lon": lon}
    return pl.DataFrame({**columns, **counts, **zero})


@pytest.mark.parametrize(("name", "path"), sources)
def test_a_region_s_nodes_are_as_specified(name, path):
    spec = region_spec(name)
    sites = find_sites(filter_cells(read_cells(path, Ledger()), spec, Ledger(), str(path)))
    nodes, home = choose_nodes(sites, spec, 0)
    assert nodes.to_arrow().cast(NODES).schema.equals(NODES)
    assert nodes.null_count().sum_horizontal().item() == 0
    assert nodes["node_id"].to_list() == list(range(spec.nodes))
    for column, target in (("compute", spec.compute), ("storage_gb", spec.storage_gb)):
        assert (nodes[column].min(), nodes[column].max()) == (target.min, target.max)
        assert nodes[column].mean() == pytest.approx(target.mean, rel=0.01)
    assert nodes["price"].is_between(0.8, 1.2).all()
    assert nodes["sites"].sum() == sites.height
    assert nodes["cells"].sum() == sites["cells"].sum()
    assert np.allclose(nodes.select(pl.sum_horizontal("gsm", "umts", "lte", "nr")), 1.0, atol=3e-6)
    assert np.bincount(home).tolist() == nodes["sites"].to_list()
    assert np.corrcoef(nodes["sites"].rank(), nodes["compute"].rank())[0, 1] > 0.3
    assert choose_nodes(sites, spec, 0)[0].equals(nodes)
    assert not choose_nodes(sites, spec, 1)[0]["compute"].equals(nodes["compute"])


def test_every_site_is_served_by_its_nearest_node():
    sites = find_sites(filter_cells(read_cells(sample_path("s4"), Ledger()), region_spec("s4"), Ledger(), ""))
    nodes, home = choose_nodes(sites, region_spec("s4"), 0)
    place = [table[axis].to_numpy() for table in (sites, nodes) for axis in ("lat", "lon")]
    distance = haversine_km(place[0][:, None], place[1][:, None], place[2], place[3])
    assert np.allclose(distance[np.arange(sites.height), home], distance.min(axis=1), atol=1e-6)


def test_of_two_equally_near_nodes_the_lower_serves():
    nodes = sites_at([(47.0, 8.0), (47.2, 8.0)])
    assert nearest_node(sites_at([(47.1, 8.0), (47.1001, 8.0)]), nodes).tolist() == [0, 1]


places = st.lists(
    st.tuples(st.integers(46_000, 47_500), st.integers(6_000, 10_000)), min_size=5, max_size=40, unique=True
).map(lambda pairs: [(lat / 1000, lon / 1000) for lat, lon in pairs])


@settings(deadline=None)
@given(places)
def test_one_metre_more_would_leave_too_few_nodes(pairs):
    lat, lon = np.array(pairs).T
    distance = haversine_km(lat[:, None], lon[:, None], lat, lon)
    rows = spread_out(sites_at(pairs), 5)
    spacing = min(distance[a, b] for a in rows for b in rows if a != b)
    wider = np.floor(spacing * 1000 + 1e-6) / 1000 + 0.001
    accepted: list[int] = []
    for row in range(len(pairs)):
        if all(distance[row, other] >= wider for other in accepted):
            accepted.append(row)
    assert len(accepted) < 5


@settings(deadline=None)
@given(places, st.randoms(use_true_random=False))
def test_the_order_of_sites_does_not_matter(pairs, random):
    spec = replace(S1, nodes=5)
    first = choose_nodes(sites_at(pairs), spec, 3)
    order = random.sample(range(len(pairs)), len(pairs))
    again = choose_nodes(sites_at(pairs)[order], spec, 3)
    assert_frame_equal(first[0], again[0])
    assert first[1][order].tolist() == again[1].tolist()


@pytest.mark.parametrize("method", NODE_METHODS)
@settings(deadline=None, max_examples=25)
@given(pairs=places, random=st.randoms(use_true_random=False))
def test_every_method_gives_the_nodes_asked_for_whatever_the_order_of_sites(method, pairs, random):
    spec = replace(S1, nodes=5, nodes_by=method)
    nodes, home = choose_nodes(sites_at(pairs), spec, 3)
    assert nodes.height == 5 == nodes.select("lat", "lon").n_unique()
    assert set(nodes.select("lat", "lon").rows()) <= set(pairs)
    assert set(home.tolist()) == set(range(5))
    order = random.sample(range(len(pairs)), len(pairs))
    assert_frame_equal(nodes, choose_nodes(sites_at(pairs)[order], spec, 3)[0])


@pytest.mark.parametrize("method", NODE_METHODS)
def test_every_method_may_take_all_sites(method):
    pairs = [(46.0 + 0.1 * k, 7.0) for k in range(6)]
    nodes, home = choose_nodes(sites_at(pairs), replace(S1, nodes=6, nodes_by=method), 0)
    assert sorted(nodes.select("lat", "lon").rows()) == pairs
    assert sorted(home.tolist()) == list(range(6))


def hamlets():
    """Five places far from each other; the k-th has four sites close together, most of its cells on the second."""
    pairs = [(46.0 + 0.3 * k, 7.0 + 0.001 * j) for k in range(5) for j in range(4)]
    cells = pl.Series([9 if j == 1 else 2 for _ in range(5) for j in range(4)], dtype=pl.Int32)
    return sites_at(pairs).with_columns(cells=cells, lte=cells)


@pytest.mark.parametrize("method", ["clusters", "grid"])
def test_a_node_stands_where_the_demand_of_each_place_is(method):
    nodes, _ = choose_nodes(hamlets(), replace(S1, nodes=5, nodes_by=method), 0)
    assert sorted(nodes["lat"].round(1).to_list()) == [46.0, 46.3, 46.6, 46.9, 47.2]
    assert nodes["lon"].round(6).to_list() == [7.001] * 5


def test_clusters_are_near_those_of_scikit_learn():
    sites = find_sites(filter_cells(read_cells(sample_path("s1"), Ledger()), S1, Ledger(), ""))
    points = sphere_km(sites["lat"].to_numpy(), sites["lon"].to_numpy())
    demand = sites["cells"].to_numpy().astype(float)
    peer = KMeans(25, n_init=10, random_state=0).fit(points, sample_weight=demand)
    ours = [inertia(points, demand, cluster_centres(points, demand, 25, seed)) for seed in range(3)]
    assert min(ours) < 1.1 * inertia(points, demand, peer.cluster_centers_)
    assert ours[0] != ours[1]
    assert ours[0] == inertia(points, demand, cluster_centres(points, demand, 25, 0))


def inertia(points, demand, centres):
    return float((demand * cKDTree(centres).query(points)[0] ** 2).sum())


def test_the_grid_gives_towns_as_many_nodes_as_their_cells_earn():
    town = [(47.0 + 0.01 * j, 8.0) for j in range(30)]
    country = [(46.0 + 0.05 * j, 9.0) for j in range(10)]
    nodes, _ = choose_nodes(sites_at(town + country), replace(S1, nodes=12, nodes_by="grid"), 0)
    assert nodes.filter(pl.col("lon") == 8.0).height == 9


def test_the_densest_place_comes_first_and_stray_sites_host_nothing():
    town = [(47.0 + 0.002 * k, 8.0) for k in range(20)]
    villages = [(46.0 + 0.2 * k, 7.0 + 0.01 * j) for k in range(4) for j in range(5)]
    stray = [(47.8, 10.4)]
    nodes, home = choose_nodes(sites_at(stray + villages + town), replace(S1, nodes=4), 0)
    assert nodes["lon"][0] == 8.0
    assert (47.8, 10.4) not in nodes.select("lat", "lon").rows()
    assert home.tolist().count(0) >= len(town)
    assert int(HOST_SHARE * 41) < 41


def test_too_few_sites_are_refused():
    with pytest.raises(EdgeBenchError, match="3 sites are too few for 25 nodes"):
        choose_nodes(sites_at([(47.0, 8.0), (47.1, 8.0), (47.2, 8.0)]), S1, 0)


@settings(deadline=None)
@given(st.integers(8, 300), st.integers(0, 40), st.integers(4, 60), st.floats(0.2, 0.8), st.randoms())
def test_integers_reach_both_ends_and_the_mean_in_the_order_wished(count, least, span, rise, random):
    target = Range(least, least + span, round((least + span * rise) * count) / count)
    wish = np.array([random.random() for _ in range(count)])
    values = spread_integers(wish, target)
    assert (values.min(), values.max()) == (target.min, target.max)
    assert values.sum() == round(target.mean * count)
    assert (np.diff(values[np.argsort(np.round(wish, 9), kind="stable")]) >= 0).all()


@pytest.mark.parametrize(
    ("count", "target"), [(2, Range(1, 9, 5)), (9, Range(1, 9, 9)), (9, Range(1, 9, 0)), (3, Range(1, 99, 5))]
)
def test_ranges_no_integers_meet_are_refused(count, target):
    with pytest.raises(EdgeBenchError, match="integers reach"):
        spread_integers(np.linspace(0, 1, count), target)
