from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from geopy.distance import great_circle
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import graph_of, nodes_at, scattered_nodes, spec_of

from builders.geo import distance_matrix_km
from builders.link_methods import LINK_METHODS
from builders.links import build_links, link_count, paths_over
from builders.pairs import Places, gabriel_pairs, shortest_pairs
from edgebench.constants import FIBRE_MS_PER_KM, HOP_MS, LINK_MBPS, ROUTE_FACTOR
from edgebench.errors import EdgeBenchError

POSITION = st.tuples(st.integers(46_000_000, 47_000_000), st.integers(6_000_000, 8_000_000))
POSITIONS = st.lists(POSITION, min_size=2, max_size=14, unique=True)


def nodes_of(positions: list[tuple[int, int]]):
    return nodes_at([lat / 1e6 for lat, _ in positions], [lon / 1e6 for _, lon in positions])


def distances(nodes) -> np.ndarray:
    return distance_matrix_km(nodes["lat"].to_numpy(), nodes["lon"].to_numpy())


METHODS = pytest.mark.parametrize("method", LINK_METHODS)


@METHODS
@settings(deadline=None, max_examples=25)
@given(positions=POSITIONS, degree=st.sampled_from([1.0, 2.5, 3.2, 6.0]))
def test_the_network_is_connected_simple_and_has_the_wanted_links(method, positions, degree) -> None:
    links = build_links(nodes_of(positions), spec_of(len(positions), degree, method), 0)
    pairs = set(links.select("src", "dst").iter_rows())
    assert nx.is_connected(graph_of(links, len(positions)))
    assert len(pairs) == links.height == link_count(len(positions), degree)
    assert all(src < dst for src, dst in pairs)
    assert (links["latency_ms"] > 0).all()
    assert set(links["bandwidth_mbps"]) <= set(map(float, LINK_MBPS))


@METHODS
@settings(deadline=None, max_examples=15)
@given(positions=POSITIONS)
def test_shortest_routes_are_a_metric(method, positions) -> None:
    nodes = nodes_of(positions)
    delay = paths_over(build_links(nodes, spec_of(nodes.height, links_by=method), 0), nodes.height).delay_ms
    assert np.array_equal(delay, delay.T)
    assert (delay + np.eye(nodes.height) > 0).all()
    assert (np.diag(delay) == 0).all()
    assert (delay[:, None, :] <= delay[:, :, None] + delay[None, :, :] + 1e-9).all()


@METHODS
@settings(deadline=None, max_examples=15)
@given(positions=POSITIONS)
def test_latency_grows_with_the_distance_geopy_finds(method, positions) -> None:
    links = build_links(nodes_of(positions), spec_of(len(positions), links_by=method), 0).sort("distance_km")
    assert links["latency_ms"].is_sorted()
    places = [(lat / 1e6, lon / 1e6) for lat, lon in positions]
    for src, dst, distance_km in links.select("src", "dst", "distance_km").iter_rows():
        assert distance_km == pytest.approx(great_circle(places[src], places[dst]).km, abs=2e-3)


@METHODS
def test_the_minimum_spanning_tree_is_part_of_every_network(method) -> None:
    nodes = scattered_nodes(40)
    tree = nx.minimum_spanning_tree(nx.from_numpy_array(distances(nodes)))
    linked = set(build_links(nodes, spec_of(40, links_by=method), 0).select("src", "dst").iter_rows())
    assert {tuple(sorted(edge)) for edge in tree.edges} <= linked


@METHODS
def test_the_seed_decides(method) -> None:
    one, other, again = (build_links(scattered_nodes(40), spec_of(40, links_by=method), seed) for seed in (1, 2, 1))
    assert one.equals(again)
    assert not one["bandwidth_mbps"].equals(other["bandwidth_mbps"])
    assert one.select("src", "dst").equals(other.select("src", "dst")) == (method != "gabriel-decay")


def test_long_gabriel_edges_are_drawn_less_often() -> None:
    nodes = scattered_nodes(60)
    every = build_links(nodes, spec_of(60, 3.6), 0)
    kept = np.zeros(every.height)
    for seed in range(40):
        drawn = set(build_links(nodes, spec_of(60, 2.6, "gabriel-decay"), seed).select("src", "dst").iter_rows())
        kept += [pair in drawn for pair in every.select("src", "dst").iter_rows()]
    loose = kept < 40  # no part of the tree
    assert np.corrcoef(every["distance_km"].to_numpy()[loose], kept[loose])[0, 1] < -0.4


def test_nearest_links_every_node_with_its_nearest_neighbours() -> None:
    nodes = scattered_nodes(50)
    km = distances(nodes) + np.diag(np.full(50, np.inf))
    linked = set(build_links(nodes, spec_of(50, 5.0, "nearest"), 0).select("src", "dst").iter_rows())
    for node, two in enumerate(np.argsort(km, axis=1, kind="stable")[:, :2]):
        assert {(min(node, other), max(node, other)) for other in two.tolist()} <= linked


def test_the_backbone_meshes_the_nodes_of_most_demand_and_all_others_reach_it() -> None:
    nodes = scattered_nodes(49)
    hubs = set(np.argsort(-nodes["sites"].to_numpy().astype(int), kind="stable")[:7].tolist())
    linked = set(build_links(nodes, spec_of(49, 6.0, "backbone"), 0).select("src", "dst").iter_rows())
    km = distances(nodes)
    order = sorted(hubs)
    tree = nx.minimum_spanning_tree(nx.from_numpy_array(km[np.ix_(order, order)]))
    assert {tuple(sorted((order[a], order[b]))) for a, b in tree.edges} <= linked
    for node in set(range(49)) - hubs:
        assert any((min(node, hub), max(node, hub)) in linked for hub in hubs)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=20, unique=True))
def test_gabriel_edges_are_those_of_the_definition_even_on_a_grid(squares) -> None:
    nodes = nodes_of([(46_000_000 + 10_000 * a, 7_000_000 + 10_000 * b) for a, b in squares])
    km = distances(nodes)
    expected = [
        (a, b)
        for a, b in itertools.combinations(range(nodes.height), 2)
        if all(km[a, c] ** 2 + km[b, c] ** 2 >= km[a, b] ** 2 for c in range(nodes.height))
    ]
    found = gabriel_pairs(Places(nodes["lat"].to_numpy(), nodes["lon"].to_numpy()))
    assert [tuple(pair) for pair in found.tolist()] == sorted(expected, key=lambda pair: (km[pair], pair))


@pytest.mark.parametrize("least", [1, 30, 200, 780])
def test_the_shortest_pairs_are_those_of_the_whole_matrix(least) -> None:
    nodes = scattered_nodes(40)
    km = distances(nodes)
    expected = sorted(itertools.combinations(range(40), 2), key=lambda pair: (km[pair], pair))
    found = shortest_pairs(Places(nodes["lat"].to_numpy(), nodes["lon"].to_numpy()), least)
    assert len(found) >= least
    assert [tuple(pair) for pair in found.tolist()] == expected[: len(found)]


def test_latency_is_the_propagation_of_the_routed_fibre() -> None:
    links = build_links(scattered_nodes(25), spec_of(25), 0)
    expected = links["distance_km"].to_numpy() * ROUTE_FACTOR * FIBRE_MS_PER_KM
    assert np.allclose(links["latency_ms"].to_numpy(), expected, atol=5.1e-5, rtol=0)


def links_of(nodes, count: int, degree: float = 3.2) -> list[tuple[int, int]]:
    return list(build_links(nodes, spec_of(count, degree), 0).select("src", "dst").iter_rows())


def test_links_beside_the_tree_are_the_shortest_gabriel_edges() -> None:
    nodes = scattered_nodes(40)
    km = distances(nodes)
    tree = {tuple(sorted(edge)) for edge in nx.minimum_spanning_tree(nx.from_numpy_array(km)).edges}
    gabriel = [
        (a, b)
        for a, b in itertools.combinations(range(40), 2)
        if all(km[a, c] ** 2 + km[b, c] ** 2 >= km[a, b] ** 2 for c in range(40))
    ]
    beside = sorted(set(gabriel) - tree, key=lambda pair: km[pair])
    assert set(links_of(nodes, 40)) == tree | set(beside[: link_count(40, 3.2) - len(tree)])


def test_other_pairs_follow_where_gabriel_edges_do_not_suffice() -> None:
    nodes = scattered_nodes(8)
    assert len(links_of(nodes, 8, degree=7.0)) == 28


def test_the_tree_stays_even_above_the_mean_degree() -> None:
    assert len(links_of(scattered_nodes(30), 30, degree=1.0)) == 29


@pytest.mark.parametrize("nodes", [25, 31, 51, 101])
def test_the_mean_degree_of_the_regions_is_met_within_one_percent(nodes: int) -> None:
    assert 2 * link_count(nodes, 3.2) / nodes == pytest.approx(3.2, rel=0.01)


def test_equal_distances_are_taken_in_the_order_of_the_nodes() -> None:
    square = nodes_at([0.0, 0.0, 0.01, 0.01], [0.0, 0.01, 0.0, 0.01])
    assert links_of(square, 4, degree=1.0) == [(0, 1), (0, 2), (1, 3)]


def test_nodes_a_metre_apart_still_have_a_delay() -> None:
    links = build_links(nodes_at([46.0, 46.000001], [7.0, 7.0]), spec_of(2), 0)
    assert links["latency_ms"].to_list() == [0.0001]


def test_the_seed_moves_bandwidths_and_nothing_else() -> None:
    one, other = (build_links(scattered_nodes(40), spec_of(40), seed) for seed in (1, 2))
    assert one.drop("bandwidth_mbps").equals(other.drop("bandwidth_mbps"))
    assert not one["bandwidth_mbps"].equals(other["bandwidth_mbps"])
    assert one.equals(build_links(scattered_nodes(40), spec_of(40), 1))


def test_every_bandwidth_occurs() -> None:
    links = build_links(scattered_nodes(80), spec_of(80), 3)
    assert set(links["bandwidth_mbps"]) == set(map(float, LINK_MBPS))


def test_routes_are_those_networkx_finds() -> None:
    nodes = scattered_nodes(30)
    links = build_links(nodes, spec_of(30), 0)
    graph = graph_of(links, 30, extra_ms=HOP_MS)
    paths = paths_over(links, 30)
    for source, found in nx.all_pairs_dijkstra(graph, weight="delay"):
        for target, path in found[1].items():
            assert paths.delay_ms[source, target] == pytest.approx(found[0][target], abs=1e-9)
            steps = [graph.edges[edge] for edge in itertools.pairwise(path)]
            narrowest = min((step["bandwidth_mbps"] for step in steps), default=np.inf)
            assert paths.ms_per_mb[source, target] == 8000.0 / narrowest


def test_an_unconnected_network_is_refused() -> None:
    links = build_links(scattered_nodes(6), spec_of(6, 1.0), 0).head(4)
    with pytest.raises(EdgeBenchError, match="not connected"):
        paths_over(links, 6)


def test_a_single_node_is_refused() -> None:
    with pytest.raises(EdgeBenchError, match="at least two nodes"):
        build_links(scattered_nodes(1), spec_of(1), 0)
