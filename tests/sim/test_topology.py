"""Paths against networkx, candidates against their description, what is public against what is true."""

import networkx
import numpy as np
import pytest
from toy_network import columns, one_of_each, toy_topology

from edgebench.constants import CANDIDATES, HOP_MS, MODEL_TYPES
from edgebench.region import Region
from edgebench.registry import REGIONS
from edgebench.sim.topology import build_topology, public_topology

SAME_MS = 1e-9
EVERY_REGION = pytest.mark.parametrize("name", REGIONS)


@pytest.fixture(scope="module")
def topologies(regions):
    return {name: region.topology() for name, region in regions.items()}


def hops(region):
    graph = region.graph()
    for _, _, link in graph.edges(data=True):
        link["hop_ms"] = link["latency_ms"] + HOP_MS
    return graph


@EVERY_REGION
def test_latency_is_a_metric(topologies, name):
    latency = topologies[name].path["latency_ms"]
    assert np.abs(latency - latency.T).max() < SAME_MS
    assert (np.diagonal(latency) == 0.0).all()
    assert (latency + np.eye(len(latency)) >= HOP_MS).all()
    for middle in range(len(latency)):
        assert (latency <= latency[:, [middle]] + latency[[middle], :] + SAME_MS).all()


@EVERY_REGION
def test_latency_is_that_of_networkx(regions, topologies, name):
    lengths = dict(networkx.all_pairs_dijkstra_path_length(hops(regions[name]), weight="hop_ms"))
    expected = [[lengths[source][target] for source in sorted(lengths)] for target in sorted(lengths)]
    np.testing.assert_allclose(topologies[name].path["latency_ms"], expected, rtol=0, atol=SAME_MS)


@EVERY_REGION
def test_bottleneck_and_traps_are_those_of_a_quickest_path(regions, topologies, name):
    graph, path = hops(regions[name]), topologies[name].path
    is_trap = regions[name].column("links", "is_trap")
    trap_of_link = dict(zip(np.flatnonzero(is_trap).tolist(), range(int(is_trap.sum())), strict=True))
    rounded = {edge: round(1e4 * hop_ms) for edge, hop_ms in networkx.get_edge_attributes(graph, "hop_ms").items()}
    networkx.set_edge_attributes(graph, rounded, "hop")  # whole numbers, so that equal paths are equal
    for source, target in [(0, 1), (3, len(graph) - 1), (len(graph) // 2, 2), (len(graph) - 2, 5)]:
        known = {
            (
                8000.0 / min(graph.edges[edge]["bandwidth_mbps"] for edge in edges),
                tuple(trap_of_link[link] for edge in edges if (link := graph.edges[edge]["link_id"]) in trap_of_link),
            )
            for nodes in networkx.all_shortest_paths(graph, source, target, weight="hop")
            for edges in [list(networkx.utils.pairwise(nodes))]
        }
        assert (path[target, source]["ms_per_mb"], walk(path, source, target)) in known


def walk(path, source, target):
    """Trap links from source to target, in order."""
    traps = []
    while path[target, source]["next_trap"] >= 0:
        traps.append(int(path[target, source]["next_trap"]))
        source = path[target, source]["past_trap"]
    return tuple(traps)


@EVERY_REGION
def test_a_node_is_at_no_distance_from_itself(topologies, name):
    own = np.diagonal(topologies[name].path)
    assert (own["ms_per_mb"] == 0.0).all()
    assert (own["next_trap"] == -1).all()


def test_of_two_equal_paths_the_lower_neighbour_forwards():
    links = [(0, 1, 1.0, 100), (0, 2, 1.0, 10), (1, 3, 1.0, 100), (2, 3, 1.0, 10)]
    topology = toy_topology(links, [20] * 4, one_of_each(4))
    assert topology.path[3, 0]["ms_per_mb"] == topology.path[0, 3]["ms_per_mb"] == 80.0
    renamed = [(0, 2, 1.0, 100), (0, 1, 1.0, 10), (2, 3, 1.0, 100), (1, 3, 1.0, 10)]
    assert toy_topology(renamed, [20] * 4, one_of_each(4)).path[3, 0]["ms_per_mb"] == 800.0


def test_traps_stand_in_the_order_of_the_path():
    links = [(0, 1, 1.0, 50), (1, 2, 1.0, 50), (2, 3, 1.0, 50), (3, 4, 1.0, 50)]
    path = toy_topology(links, [20] * 5, one_of_each(5), traps=(0, 2, 3)).path
    assert walk(path, 0, 4) == (0, 1, 2)
    assert walk(path, 4, 0) == (2, 1, 0)
    assert walk(path, 1, 2) == ()
    assert walk(path, 1, 3) == (1,)


@EVERY_REGION
def test_candidates_are_unique_of_their_type_and_as_many_as_there_can_be(regions, topologies, name):
    kinds = regions[name].column("instances", "model_type")
    candidates = topologies[name].candidates
    assert candidates.shape == (REGIONS[name].nodes, len(MODEL_TYPES), CANDIDATES)
    for code, kind in enumerate(MODEL_TYPES):
        count = min(CANDIDATES, int((kinds == kind).sum()))
        assert count > 0
        assert (candidates[:, code, count:] == -1).all()
        for offered in candidates[:, code, :count]:
            assert (kinds[offered] == kind).all()
            assert len(set(offered.tolist())) == count


@EVERY_REGION
def test_candidates_begin_with_the_nearest_the_quickest_and_the_best(regions, topologies, name):
    topology, quality = topologies[name], regions[name].column("instances", "quality")
    kinds = regions[name].column("instances", "model_type")
    assert (topology.instance["quality"] == quality).all()
    for code, kind in enumerate(MODEL_TYPES):
        members = np.flatnonzero(kinds == kind)
        best = quality[members].max()
        for node, offered in enumerate(topology.candidates[:, code]):
            latency = topology.path["latency_ms"][topology.instance["node"], node]
            if members[latency[members] == 0.0].size:
                assert latency[offered[0]] == 0.0
            assert quality[offered[:3]].max() == best


@EVERY_REGION
def test_what_is_public_gives_the_same_but_for_traps(regions, topologies, name):
    truth, known = topologies[name], public_topology(regions[name].public())
    for table, fields in (("node", truth.node.dtype.names), ("instance", truth.instance.dtype.names)):
        for field in fields:
            np.testing.assert_array_equal(getattr(truth, table)[field], getattr(known, table)[field])
    for field in ("latency_ms", "ms_per_mb"):
        np.testing.assert_array_equal(truth.path[field], known.path[field])
    np.testing.assert_array_equal(truth.candidates, known.candidates)
    np.testing.assert_array_equal(truth.on_node, known.on_node)
    assert truth.trap.size > 0
    assert known.trap.size == 0
    assert (known.path["next_trap"] == -1).all()


@EVERY_REGION
def test_candidates_and_paths_do_not_depend_on_which_links_are_traps(regions, topologies, name):
    """Agent-neutral and no leak: what is offered tells nothing of the traps."""
    region = regions[name]
    links = region.tables["links"]
    traps = {column: links[column] for column in links.column_names if "trap" in column}
    rolled = {column: values.to_pylist()[1:] + values.to_pylist()[:1] for column, values in traps.items()}
    for column, values in rolled.items():
        position = links.column_names.index(column)
        links = links.set_column(position, links.schema.field(column), [values])
    moved = Region(region.path, region.manifest, {**region.tables, "links": links}).topology()
    np.testing.assert_array_equal(moved.candidates, topologies[name].candidates)
    np.testing.assert_array_equal(moved.path["latency_ms"], topologies[name].path["latency_ms"])


def test_a_model_that_does_not_fit_is_refused():
    toy = columns([(0, 1, 1.0, 50)], [20, 20], one_of_each(2))
    toy["instances.memory_gb"] = toy["instances.memory_gb"] * 10
    with pytest.raises(ValueError, match="more memory than its node has"):
        build_topology(toy, np.array([0, 1, 2, 0, 1, 2], np.int8))
