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
from edgebench.spec import TrapSpec


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
