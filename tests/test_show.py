"""Figures and pictures of regions, checked against other ways to compute them."""

import json
import re
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebench.region import read_region
from edgebench.show import figures
from edgebench.show.terminal import bar, figure_tables
from edgebench.sim.paths import make_network, paths_to

VALUES = arrays(float, st.integers(1, 50), elements=st.just(0.0) | st.floats(1e-6, 1e6))


@pytest.fixture(scope="module")
def s1(regions):
    return regions["s1"]


@pytest.fixture(scope="module")
def histograms(s1):
    return figures.region_histograms(s1)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.sampled_from([figures.even_histogram, figures.doubling_histogram]))
def test_a_histogram_counts_every_value_once(values, make):
    histogram = make("x", "ms", values)
    assert sum(histogram.counts) == values.size
    assert len(histogram.edges) == len(histogram.counts) + 1 <= 60
    assert np.all(np.diff(histogram.edges) > 0)
    assert histogram.edges[0] <= values.min() and values.max() <= histogram.edges[-1]


def test_a_bin_holds_its_lower_bound():
    assert figures.doubling_histogram("x", "MB", np.array([1.0, 1.9, 2.0, 7.0])).counts == (2, 1, 1)
    assert figures.even_histogram("x", "ms", np.array([0.0, 0.5, 1.0])).counts[0] == 1


def test_degrees_are_networkx_s(s1, histograms):
    graph = s1.graph()
    assert figures.degrees(s1).tolist() == [graph.degree[node] for node in range(graph.number_of_nodes())]
    assert sum(histograms["degree"].counts) == graph.number_of_nodes()
    assert figures.bin_labels(histograms["degree"]) == ["2", "3", "4", "5"]


def test_path_latencies_are_the_simulator_s(s1):
    links = [s1.column("links", name) for name in ("src", "dst", "latency_ms", "bandwidth_mbps")]
    expected = paths_to(make_network(25, *links), np.arange(25)).delay_ms
    found = figures.path_latencies_ms(s1)
    assert found.size == 25 * 24
    np.testing.assert_allclose(np.sort(found), np.sort(expected[~np.eye(25, dtype=bool)]), rtol=1e-9)


def test_paths_of_a_large_region_are_measured_from_some_nodes(s1, monkeypatch):
    everything = set(np.round(figures.path_latencies_ms(s1), 6))
    monkeypatch.setattr(figures, "MAX_SOURCES", 5)
    some = figures.path_latencies_ms(s1)
    assert some.size == 5 * 24 and set(np.round(some, 6)) <= everything


def test_arrivals_tokens_and_payloads_are_all_counted(s1, histograms):
    tasks = s1.tables["tasks"]
    stages = sum(len(row) for row in tasks["stage_tokens"].to_pylist())
    assert sum(histograms["tokens"].counts) == stages
    assert sum(histograms["payload"].counts) == stages + tasks.num_rows
    assert [sum(histograms[f"arrivals_{split}"].counts) for split in ("train", "val", "test")] == [1000, 200, 200]


def test_placement_counts_every_model(s1):
    placement = figures.describe_placement(s1)
    instances = s1.instances
    assert sum(placement["models_by_type"].values()) == len(instances)
    assert placement["hosts_by_type"] == instances.groupby("model_type")["node_id"].nunique().to_dict()
    assert placement["models_per_node"]["mean"] == len(instances) / 25
    assert sum(count for held in figures.models_by_kind(s1) for count in held.values()) == len(instances)


def test_the_workload_is_that_of_the_tasks(s1):
    found = figures.describe_workload(s1, "val")
    tasks = s1.tasks("val").explode(["stage_types", "stage_tokens"])
    expected = tasks.groupby("stage_types")["stage_tokens"].median()
    assert {kind: entry["median"] for kind, entry in found["tokens"].items()} == expected.to_dict()
    assert found["tasks"] == 200 and found["stages"]["min"] == found["stages"]["max"] == 5
    assert found["deadline_ms"]["max"] == tasks["deadline_ms"].max()


def test_the_description_is_plain_json_and_holds_the_manifest(s1):
    described = json.loads(json.dumps(figures.describe_region(s1), allow_nan=False))
    assert described.items() >= s1.manifest.items()
    assert set(described["workload"]) == {"train", "val", "test"}
    assert {"degree", "link_latency", "path_latency", "tokens", "payload"} < set(described["histograms"])


@pytest.mark.parametrize(("plain", "drawn"), [(True, ["#" * 32, "#", ""]), (False, ["█" * 32, "▏", ""])])
def test_something_is_seen_of_every_share_above_0(plain, drawn):
    assert [bar(share, plain=plain) for share in (1, 0.001, 0)] == drawn


def test_plain_tables_draw_with_plain_characters(s1):
    from rich.console import Console

    texts = {}
    for plain in (True, False):
        console = Console(width=100)
        with console.capture() as capture:
            for part in figure_tables(s1, plain=plain):
                console.print(part)
        texts[plain] = capture.get()
    assert "####" in texts[True] and "█" not in texts[True]
    assert "████" in texts[False] and "#" not in texts[False]


def test_the_page_asks_no_one_for_anything(s1, tmp_path):
    from edgebench.show.page import write_page

    write_page(s1, tmp_path / "s1.html")
    page = (tmp_path / "s1.html").read_text(encoding="utf-8")
    tags = re.sub(r"<script\b([^>]*)>.*?</script>", r"<script\1>", page, flags=re.DOTALL)
    assert "<script" in tags and "plotly.js v" in page
    assert not re.search(r"\b(src|href|action|srcset)\s*=|url\(|@import|<(link|iframe|img)\b", tags)


def test_the_page_holds_every_node_link_and_user(s1):
    traces = {trace.name: trace for trace in _traces(s1)}
    assert len(traces["nodes"].x) == 25
    nodes = s1.nodes.set_index("node_id")
    assert {row[0]: row[1] for row in traces["nodes"].customdata} == nodes["compute"].to_dict()
    facts = [trace for trace in _traces(s1) if trace.hovertemplate and "bandwidth" in trace.hovertemplate]
    assert sum(len(trace.x) for trace in facts) == 40
    assert [len(trace.x) for trace in facts if ">trap<" in trace.hovertemplate] == [
        s1.manifest["statistics"]["trap_links"]
    ]
    users = s1.tasks("test")["user_id"]
    assert len(traces["users of test"].x) == users.nunique() and traces["users of test"].visible == "legendonly"
    assert sum(row[1] for row in traces["users of test"].customdata) == len(users)


def _traces(region):
    from edgebench.show import page

    return [*page._link_layers(region), *page._user_layers(region), page._node_layer(region)]


def test_the_same_region_gives_the_same_page_and_histograms(s1, tmp_path):
    from edgebench.show.histograms import draw_histograms
    from edgebench.show.page import write_page

    for name in ("a", "b"):
        write_page(s1, tmp_path / f"{name}.html")
        draw_histograms(s1, tmp_path / f"{name}.png")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_title_cannot_bring_markup_into_the_page(s1, tmp_path):
    from edgebench.show.page import write_page

    folder = tmp_path / "s1"
    shutil.copytree(s1.path, folder)
    manifest = s1.manifest | {"title": "<script>alert(1)</script> {x} $y$"}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    write_page(read_region(folder), tmp_path / "s1.html")
    page = (tmp_path / "s1.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)&lt;/script&gt; {x} $y$" in page
