from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import graph_of, nodes_at, scattered_nodes, spec_of

from builders.geo import distance_matrix_km
from builders.links import build_links, link_count, paths_over
from edgebench.constants import FIBRE_MS_PER_KM, HOP_MS, LINK_MBPS, ROUTE_FACTOR
from edgebench.errors import EdgeBenchError

POSITION = st.tuples(st.integers(46_000_000, 47_000_000), st.integers(6_000_000, 8_000_000))
POSITIONS = st.lists(POSITION, min_size=2, max_size=14, unique=True)


def nodes_of(positions: list[tuple[int, int]]):
    return nodes_at([lat / 1e6 for lat, _ in positions], [lon / 1e6 for _, lon in positions])


def distances(nodes) -> np.ndarray:
    return distance_matrix_km(nodes["lat"].to_numpy(), nodes["lon"].to_numpy())


@settings(deadline=None, max_examples=40)
@given(POSITIONS)
def test_the_network_is_connected_simple_and_has_the_wanted_links(positions) -> None:
    links = build_links(nodes_of(positions), spec_of(len(positions)), 0)
    pairs = set(links.select("src", "dst").iter_rows())
    assert nx.is_connected(graph_of(links, len(positions)))
    assert len(pairs) == links.height == link_count(len(positions), 3.2)
    assert all(src < dst for src, dst in pairs)
    assert (links["latency_ms"] > 0).all()
    assert set(links["bandwidth_mbps"]) <= set(map(float, LINK_MBPS))


@settings(deadline=None, max_examples=40)
@given(POSITIONS)
def test_shortest_routes_obey_the_triangle_inequality(positions) -> None:
    nodes = nodes_of(positions)
    delay = paths_over(build_links(nodes, spec_of(nodes.height), 0), nodes.height).delay_ms
    assert np.array_equal(delay, delay.T)
    assert (delay[:, None, :] <= delay[:, :, None] + delay[None, :, :] + 1e-9).all()


@settings(deadline=None, max_examples=40)
@given(POSITIONS)
def test_latency_grows_with_distance(positions) -> None:
    links = build_links(nodes_of(positions), spec_of(len(positions)), 0).sort("distance_km")
    assert links["latency_ms"].is_sorted()


def test_latency_is_the_propagation_of_the_routed_fibre() -> None:
    links = build_links(scattered_nodes(25), spec_of(25), 0)
    expected = links["distance_km"].to_numpy() * ROUTE_FACTOR * FIBRE_MS_PER_KM
    assert np.allclose(links["latency_ms"].to_numpy(), expected, atol=5.1e-5, rtol=0)


def test_the_minimum_spanning_tree_is_part_of_the_network() -> None:
    nodes = scattered_nodes(40)
    tree = nx.minimum_spanning_tree(nx.from_numpy_array(distances(nodes)))
    assert all(tuple(sorted(edge)) in set(links_of(nodes, 40)) for edge in tree.edges)


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
