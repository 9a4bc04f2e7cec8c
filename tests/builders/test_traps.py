from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import polars as pl
import pytest
from networks import graph_of, scattered_nodes, spec_of

from builders.links import build_links
from builders.traps import link_traffic, mark_traps
from edgebench.constants import HOP_MS, TRAP_CROSSINGS, TRAP_ENTER, TRAP_EXTRA_MS, TRAP_LEAVE
from edgebench.errors import EdgeBenchError
from edgebench.spec import TrapBehaviour, TrapChoice, TrapSpec


def network(count: int, degree: float = 3.2) -> tuple[pl.DataFrame, pl.DataFrame]:
    nodes = scattered_nodes(count)
    return build_links(nodes, spec_of(count, degree), 0), nodes


def test_traffic_is_what_walking_every_path_adds_up_to() -> None:
    links, nodes = network(30)
    graph = graph_of(links, 30, extra_ms=HOP_MS)
    walked = np.zeros(links.height, np.int64)
    for source, paths in nx.all_pairs_dijkstra_path(graph, weight="delay"):
        for target, path in paths.items():
            for edge in itertools.pairwise(path):
                walked[graph.edges[edge]["link_id"]] += nodes["sites"][source] * nodes["compute"][target]
    assert link_traffic(links, nodes).tolist() == walked.tolist()


def test_the_busiest_links_are_traps() -> None:
    links, nodes = network(51)
    marked, traffic = mark_traps(links, nodes, TrapSpec(), 0), link_traffic(links, nodes)
    is_trap = marked["is_trap"].to_numpy()
    sites, compute = nodes["sites"].to_numpy(), nodes["compute"].to_numpy()
    paths = int(sites.sum()) * int(compute.sum()) - int((sites.astype(np.int64) * compute).sum())
    crossings = traffic[is_trap].sum() / paths
    assert crossings - traffic[is_trap].min() / paths < TRAP_CROSSINGS <= crossings
    assert traffic[is_trap].min() >= traffic[~is_trap].max()


def test_traps_alone_carry_parameters() -> None:
    marked = mark_traps(*network(25), TrapSpec(), 0)
    traps = marked.filter("is_trap")
    expected = {
        "trap_enter": TRAP_ENTER,
        "trap_leave": TRAP_LEAVE,
        "trap_extra_min_ms": TRAP_EXTRA_MS[0],
        "trap_extra_max_ms": TRAP_EXTRA_MS[1],
    }
    for name, value in expected.items():
        assert traps[name].to_list() == [value] * traps.height
        assert marked.filter(~pl.col("is_trap"))[name].is_null().all()
        assert marked[name].dtype == pl.Float64


def test_other_columns_and_the_order_of_links_stay() -> None:
    links, nodes = network(25)
    assert mark_traps(links, nodes, TrapSpec(), 0).select(links.columns).equals(links)


def test_a_network_of_one_link_has_one_trap() -> None:
    assert mark_traps(*network(2), TrapSpec(), 0)["is_trap"].to_list() == [True]


@pytest.mark.parametrize("column", ["sites", "compute"])
def test_demand_and_compute_attract_traffic(column: str) -> None:
    links, nodes = network(25)
    lone = nodes.with_columns((pl.col("node_id") == 7).cast(pl.Int32).alias(column))
    traffic = link_traffic(links, lone)
    at_seven = (links["src"] == 7) | (links["dst"] == 7)
    total = (nodes.with_columns(sites=1) if column == "compute" else nodes)["compute"].sum()
    expected = sum(nodes["sites"]) - nodes["sites"][7] if column == "compute" else total - nodes["compute"][7]
    assert traffic[at_seven.to_numpy()].sum() == expected


def test_equally_busy_links_fall_to_the_lower_link_id() -> None:
    nodes = scattered_nodes(4).with_columns(sites=pl.lit(1), compute=pl.lit(1))
    ring = pl.DataFrame(
        {
            "link_id": [0, 1, 2, 3],
            "src": [0, 1, 2, 0],
            "dst": [1, 2, 3, 3],
            "latency_ms": [0.1] * 4,
            "bandwidth_mbps": [50.0] * 4,
        }
    )
    traffic = link_traffic(ring, nodes)
    busiest = np.flatnonzero(traffic == traffic.max())
    assert mark_traps(ring, nodes, TrapSpec(), 0)["is_trap"].arg_true().to_list() == [busiest[0]]


SHARE = pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 1.0])


@SHARE
@pytest.mark.parametrize("which", ["busiest", "random"])
def test_a_share_of_the_links_are_traps(which: TrapChoice, share: float) -> None:
    links, nodes = network(40)
    marked = mark_traps(links, nodes, TrapSpec(which=which, share=share), 0)
    assert marked["is_trap"].sum() == max(1, round(share * links.height))


def test_busiest_by_share_are_the_busiest() -> None:
    links, nodes = network(51)
    is_trap = mark_traps(links, nodes, TrapSpec(share=0.4), 0)["is_trap"].to_numpy()
    traffic = link_traffic(links, nodes)
    assert traffic[is_trap].min() >= traffic[~is_trap].max()


def test_random_traps_follow_the_seed() -> None:
    links, nodes = network(51)
    one, other, again = (mark_traps(links, nodes, TrapSpec("random", 0.3), seed) for seed in (1, 2, 1))
    assert one.equals(again)
    assert not one["is_trap"].equals(other["is_trap"])


def test_all_links_of_the_strongest_nodes_are_traps() -> None:
    links, nodes = network(60)
    marked = mark_traps(links, nodes, TrapSpec("top-compute", 0.1), 0)
    strongest = np.argsort(-nodes["compute"].to_numpy().astype(int), kind="stable")[:6].tolist()
    expected = [src in strongest or dst in strongest for src, dst in links.select("src", "dst").iter_rows()]
    assert marked["is_trap"].to_list() == expected


@pytest.mark.parametrize("which", ["random", "top-compute"])
def test_a_choice_without_a_share_is_refused(which: TrapChoice) -> None:
    with pytest.raises(EdgeBenchError, match=f"{which} traps need a share"):
        mark_traps(*network(10), TrapSpec(which), 0)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("gilbert-elliott", (TRAP_ENTER, TRAP_LEAVE, *TRAP_EXTRA_MS, 0.0, None)),
        ("coin", (0.5, 0.5, 200.0, 200.0, 100.0, None)),
        ("flat", (1.0, 0.0, 2000.0, 2000.0, 0.0, 1.0)),
    ],
)
def test_traps_behave_as_their_name_says(behaviour: TrapBehaviour, expected: tuple[float | None, ...]) -> None:
    marked = mark_traps(*network(25), TrapSpec(behaviour=behaviour, loss=0.05), 0)
    columns = ["enter", "leave", "extra_min_ms", "extra_max_ms", "rest_ms", "mbps", "loss"]
    for name, value in zip(columns, (*expected, 0.05), strict=True):
        assert marked.filter("is_trap")[f"trap_{name}"].unique().to_list() == [value]
        assert marked.filter(~pl.col("is_trap"))[f"trap_{name}"].is_null().all()


def test_traffic_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    links, nodes = network(50)
    whole = link_traffic(links, nodes)
    monkeypatch.setattr("builders.traps.BLOCK", 7)
    assert np.array_equal(link_traffic(links, nodes), whole)
