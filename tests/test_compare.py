"""What changed between two regions: every kind of change is found, and nothing else is."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebench.compare import MOVED_KM, compare_regions


@pytest.fixture(scope="module")
def s1(regions):
    return regions["s1"]


def with_rows(region, **tables):
    """`region` with the rows of some tables replaced; its digest is another."""
    changed = {name: pa.Table.from_pylist(rows, region.tables[name].schema) for name, rows in tables.items()}
    return replace(region, tables=region.tables | changed, manifest=region.manifest | {"digest": "other"})


def rows(region, table):
    return region.tables[table].to_pylist()


def changes(found):
    """What is not empty of the lists of changes."""
    parts = ("nodes", "links", "traps", "instances")
    listed = {(part, kind): value for part in parts for kind, value in found[part].items() if value}
    return listed | {
        (split, kind): value for split, tasks in found["tasks"].items() for kind, value in tasks.items() if value
    }


def test_a_region_does_not_differ_from_itself(regions):
    for region in regions.values():
        found = compare_regions(region, region)
        assert found["same"] and not changes(found) and not found["spec"] and not found["source"]
        assert all(a == b for pairs in (found["statistics"], found["rows"]) for a, b in pairs.values())


def test_a_node_that_moved_a_little_keeps_its_links(s1):
    nodes = rows(s1, "nodes")
    nodes[4]["lat"] += 0.01
    found = compare_regions(s1, with_rows(s1, nodes=nodes))
    assert changes(found) == {("nodes", "moved"): [{"first": 4, "second": 4, "km": pytest.approx(1.112, abs=1e-3)}]}
    assert not found["same"]


def test_a_node_that_moved_far_is_another_node(s1):
    nodes = rows(s1, "nodes")
    nodes[4]["lat"] += 1.01 * MOVED_KM / 111.195
    found = compare_regions(s1, with_rows(s1, nodes=nodes))
    assert (found["nodes"]["removed"], found["nodes"]["added"], found["nodes"]["moved"]) == ([4], [4], [])
    own = [[row["src"], row["dst"]] for row in rows(s1, "links") if 4 in (row["src"], row["dst"])]
    assert found["links"]["removed"] == found["links"]["added"] == own
    assert found["tasks"]["train"]["columns"] == {
        "node_id": sum(row["node_id"] == 4 for row in rows(s1, "tasks") if row["split"] == "train")
    }


def test_a_node_moved_across_the_date_line_is_found(s1):
    nodes = rows(s1, "nodes")
    for index, lon in ((0, 179.999), (1, 179.5)):
        nodes[index] |= {"lat": 0.0, "lon": lon}
    first = with_rows(s1, nodes=nodes)
    nodes[0]["lon"] = -179.999
    (move,) = compare_regions(first, with_rows(s1, nodes=nodes))["nodes"]["moved"]
    assert (move["first"], move["second"]) == (0, 0) and move["km"] == pytest.approx(0.222, abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_numbering_of_nodes_does_not_matter(regions, seed):
    s1 = regions["s1"]
    new = np.random.default_rng(seed).permutation(s1.tables["nodes"].num_rows).tolist()
    tables = {name: rows(s1, name) for name in ("nodes", "links", "instances", "tasks")}
    for name in ("nodes", "instances", "tasks"):
        for row in tables[name]:
            row["node_id"] = new[row["node_id"]]
    for row in tables["links"]:
        row["src"], row["dst"] = sorted((new[row["src"]], new[row["dst"]]))
    assert not changes(compare_regions(s1, with_rows(s1, **tables)))


def test_a_node_s_facts(s1):
    nodes = rows(s1, "nodes")
    before = nodes[7]["compute"]
    nodes[7]["compute"] += 1
    found = compare_regions(s1, with_rows(s1, nodes=nodes))
    assert changes(found) == {("nodes", "changed"): [{"first": 7, "second": 7, "compute": [before, before + 1]}]}


def test_links_removed_added_and_changed(s1):
    links = rows(s1, "links")
    trap = next(index for index, row in enumerate(links) if row["is_trap"])
    gone = links.pop(trap)
    links[0]["latency_ms"] += 1.0
    found = compare_regions(s1, with_rows(s1, links=links))
    assert found["links"]["removed"] == found["traps"]["removed"] == [[gone["src"], gone["dst"]]]
    (change,) = found["links"]["changed"]
    assert (change["src"], change["dst"]) == (links[0]["src"], links[0]["dst"]) and set(change) >= {"latency_ms"}
    back = compare_regions(with_rows(s1, links=links), s1)
    assert back["links"]["added"] == back["traps"]["added"] == [[gone["src"], gone["dst"]]]
    assert found["rows"]["links"] == [40, 39] and back["rows"]["links"] == [39, 40]


def test_a_link_that_became_a_trap(s1):
    links = rows(s1, "links")
    plain = next(row for row in links if not row["is_trap"])
    plain |= {"is_trap": True, "trap_enter": 0.1}
    found = changes(compare_regions(s1, with_rows(s1, links=links)))
    ends = {"src": plain["src"], "dst": plain["dst"]}
    assert found == {("traps", "changed"): [{**ends, "is_trap": [False, True], "trap_enter": [None, 0.1]}]}


def test_instances_moved_added_and_removed(s1):
    instances = rows(s1, "instances")
    model = instances[0]["model_id"]
    held = {row["node_id"] for row in instances if row["model_id"] == model}
    instances[0]["node_id"] = next(node for node in range(25) if node not in held)
    assert changes(compare_regions(s1, with_rows(s1, instances=instances))) == {("instances", "moved"): {model: 1}}
    fewer = with_rows(s1, instances=rows(s1, "instances")[1:])
    assert changes(compare_regions(s1, fewer)) == {("instances", "removed"): {model: 1}}
    assert changes(compare_regions(fewer, s1)) == {("instances", "added"): {model: 1}}


def test_tasks_changed_and_removed(s1):
    tasks = rows(s1, "tasks")
    first = tasks[0]["split"]
    tasks[0]["deadline_ms"] += 1.0
    last = tasks.pop()["split"]
    found = changes(compare_regions(s1, with_rows(s1, tasks=tasks)))
    assert found == {
        (first, "changed"): 1,
        (first, "columns"): {"deadline_ms": 1},
        (last, "removed"): 1,
    }


def test_specification_source_and_statistics(s1):
    manifest = s1.manifest | {
        "seed": 3,
        "spec": s1.manifest["spec"] | {"nodes": 26, "compute": {"min": 1, "max": 54, "mean": 34.6}},
        "source": s1.manifest["source"] | {"rows": 1},
    }
    del manifest["statistics"]
    found = compare_regions(s1, replace(s1, manifest=manifest))
    assert found["about"]["seed"] == [0, 3]
    assert found["spec"] == {"nodes": [25, 26], "compute.min": [16, 1]}
    assert found["source"] == {"rows": [7000, 1]}
    assert found["statistics"]["links"] == [40, None]


def test_two_different_regions_share_no_node(regions):
    found = compare_regions(regions["s1"], regions["s2"])
    assert len(found["nodes"]["removed"]) == found["rows"]["nodes"][0]
    assert len(found["nodes"]["added"]) == found["rows"]["nodes"][1]
    assert len(found["links"]["removed"]) == found["rows"]["links"][0]
