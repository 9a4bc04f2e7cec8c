"""Paths against networkx, candidates against their description, what is public against what is true."""

import networkx
import numpy as np
import pytest
from toy_network import KINDS, columns, one_of_each, toy_topology
from varied_regions import replace, varied

from edgebench.constants import CANDIDATES, HOP_MS, MODEL_TYPES, PAYLOAD_MB, TOKENS
from edgebench.errors import EdgeBenchError
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


def offered_by_the_formula(topology, instance_type):
    """Candidates and least times, from whole matrices and sorted lists."""
    path, instance = topology.path, topology.instance
    reach = (path["latency_ms"] + PAYLOAD_MB[1] * path["ms_per_mb"])[instance["node"]].T
    tokens = np.array([law[0] for law in TOKENS])[topology.kind[instance_type]]
    quick = reach + tokens * instance["work"] / topology.node["speed"][instance["node"]]
    candidates, onward = np.full_like(topology.candidates, -1), np.empty_like(topology.onward_ms)
    for node, code in np.ndindex(*onward.shape):
        members = np.flatnonzero(instance_type == code)
        keys = reach[node, members], quick[node, members], -instance["quality"][members]
        orders = [members[np.argsort(key, kind="stable")].tolist() for key in keys]
        taken = []
        for slot in range(min(CANDIDATES, members.size)):
            taken.append(next(one for one in orders[slot % 3] if one not in taken))
        candidates[node, code, : len(taken)] = taken
        onward[node, code] = quick[node, members].min()
    return candidates, onward


@EVERY_REGION
def test_candidates_are_those_of_the_formula(regions, topologies, name):
    kinds = regions[name].column("instances", "model_type")
    candidates, onward = offered_by_the_formula(topologies[name], np.array([MODEL_TYPES.index(kind) for kind in kinds]))
    np.testing.assert_array_equal(topologies[name].candidates, candidates)
    np.testing.assert_array_equal(topologies[name].onward_ms, onward)


def test_equally_good_candidates_are_offered_by_number():
    same = [(node, kind, 0.5, 1.0, 4.0, 0.01) for node in range(4) for kind in MODEL_TYPES for _ in range(12)]
    topology = toy_topology([(0, 1, 1.0, 50), (0, 2, 1.0, 50), (0, 3, 1.0, 50)], [20] * 4, same)
    kinds = np.tile(np.repeat(np.arange(3), 12), 4)
    np.testing.assert_array_equal(topology.candidates, offered_by_the_formula(topology, kinds)[0])


def test_paths_do_not_depend_on_the_blocks_they_are_searched_in(regions, topologies, monkeypatch):
    monkeypatch.setattr("edgebench.sim.topology._TARGETS", 7)
    np.testing.assert_array_equal(regions["s1"].topology().path, topologies["s1"].path)


@EVERY_REGION
def test_what_is_public_gives_the_same_but_for_traps(regions, topologies, name):
    truth, known = topologies[name], public_topology(regions[name].public())
    for table, fields in (("node", truth.node.dtype.names), ("instance", truth.instance.dtype.names)):
        for field in fields:
            np.testing.assert_array_equal(getattr(truth, table)[field], getattr(known, table)[field])
    for field in ("latency_ms", "ms_per_mb"):
        np.testing.assert_array_equal(truth.path[field], known.path[field])
    for field in ("candidates", "on_node", "onward_ms", "kind"):
        np.testing.assert_array_equal(getattr(truth, field), getattr(known, field))
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
    moved = replace(region, "links", **rolled).topology()
    np.testing.assert_array_equal(moved.candidates, topologies[name].candidates)
    np.testing.assert_array_equal(moved.path["latency_ms"], topologies[name].path["latency_ms"])


def test_a_model_that_does_not_fit_is_refused():
    toy = columns([(0, 1, 1.0, 50)], [20, 20], one_of_each(2))
    toy["instances.memory_gb"] = toy["instances.memory_gb"] * 10
    with pytest.raises(ValueError, match="more memory than its node has"):
        build_topology(toy, np.array([0, 1, 2, 0, 1, 2], np.int8), KINDS)


def test_of_every_expert_the_candidates_are_of_that_type_alone(regions):
    region = varied(regions["s1"], "experts")
    topology, names = region.topology(), region.column("instances", "model_type")
    assert region.model_types == tuple(f"{kind}-{number:02d}" for kind in MODEL_TYPES for number in range(4))
    assert topology.kind.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert topology.candidates.shape == (25, 12, CANDIDATES)
    for code, name in enumerate(region.model_types):
        count = min(CANDIDATES, int((names == name).sum()))
        assert (names[topology.candidates[:, code, :count]] == name).all()
        assert (topology.candidates[:, code, count:] == -1).all()


def test_experts_of_one_kind_are_typical_alike(regions):
    """The quickest of a kind is the quickest of its quickest experts: one law of tokens for all of them."""
    plain, divided = regions["s1"].topology(), varied(regions["s1"], "experts").topology()
    for kind in range(len(MODEL_TYPES)):
        quickest = divided.onward_ms[:, divided.kind == kind].min(axis=1)
        np.testing.assert_array_equal(quickest, plain.onward_ms[:, kind])


def test_a_stage_of_a_type_that_is_not_placed_is_refused(regions):
    tasks = regions["s1"].tables["tasks"]
    unknown = [["text-05", *row[1:]] for row in tasks["stage_types"].to_pylist()]
    with pytest.raises(EdgeBenchError, match="needs a 'text-05' model and none is placed"):
        replace(regions["s1"], "tasks", stage_types=unknown).task_arrays("test")
