"""The network steps of the builder and the simulator beside public peers: clusters of 250 k sites beside KMeans of
scikit-learn, all-pairs paths beside Dijkstra of SciPy, distances beside scikit-learn; and the seconds of each step.

Run: python benchmarks/network.py [--clusters]
Clusters are left out unless asked for: the peer alone takes minutes.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import polars as pl
from common import machine
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree
from sklearn.cluster import KMeans
from sklearn.metrics.pairwise import haversine_distances

from builders.clusters import ROUNDS as LLOYD_ROUNDS
from builders.clusters import cluster_centres
from builders.geo import distance_matrix_km, sphere_km
from builders.link_methods import LINK_METHODS
from builders.links import build_links
from builders.node_methods import NODE_METHODS
from builders.nodes import choose_nodes
from builders.traps import mark_traps
from edgebench.constants import HOP_MS
from edgebench.registry import region_spec
from edgebench.sim.counter import uniforms
from edgebench.sim.paths import TICKS_PER_MS, make_network, paths_to
from edgebench.sim.topology import build_topology
from edgebench.spec import RegionSpec, TrapSpec

ROUNDS: Final = 5
MANY: Final = 2000
SITES: Final = 250_000
STEP_SITES: Final = 40_000
SIZES: Final = (25, 500, MANY)
TOWNS: Final = 400
INSTANCES_A_NODE: Final = 9.08
"""As in a tiled deployment: 227 models on every 25 nodes."""


def main() -> None:
    """Print the ratios, then the seconds of the steps."""
    print(machine())
    print(f"\nmedian of {ROUNDS} rounds, both sides in turn")
    print(f"{'what':<44} {'ours s':>8} {'peer s':>8} {'ours/peer':>10} {'goal':>7}")
    print_paths()
    print_distances()
    if "--clusters" in sys.argv[1:]:
        print_clusters()
    print(f"\nseconds of each step, {STEP_SITES} sites, second of two runs")
    for nodes in SIZES:
        print_steps(nodes)


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def print_ratio(what: str, ours: Callable[[], object], peer: Callable[[], object], goal: str) -> None:
    """Measure both sides in turn, the first time unrecorded, and print medians."""
    ours()
    rounds = [(seconds(ours), seconds(peer)) for _ in range(ROUNDS)]
    own, other = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(one / two for one, two in rounds)
    print(f"{what:<44} {own:>8.3f} {other:>8.3f} {ratio:>10.2f} {goal:>7}")


def print_paths() -> None:
    nodes, _ = choose_nodes(some_sites(STEP_SITES), specification(MANY), 0)
    links = build_links(nodes, specification(MANY), 0)
    columns = [links[name].to_numpy() for name in ("src", "dst", "latency_ms", "bandwidth_mbps")]
    ticks = np.rint((columns[2] + HOP_MS) * TICKS_PER_MS)
    ends = np.r_[columns[0], columns[1]], np.r_[columns[1], columns[0]]
    matrix = csr_array((np.r_[ticks, ticks], ends), shape=(MANY, MANY))
    every = np.arange(MANY)
    ours = paths_to(make_network(MANY, *columns), every)
    assert np.array_equal(ours.delay_ms, dijkstra(matrix) / TICKS_PER_MS)
    what = f"paths, {MANY} nodes, beside scipy dijkstra"
    print_ratio(what, lambda: paths_to(make_network(MANY, *columns), every), lambda: dijkstra(matrix), "<= 1.0")


def print_distances() -> None:
    sites = some_sites(MANY)
    lat, lon = sites["lat"].to_numpy(), sites["lon"].to_numpy()
    radians = np.radians(np.stack((lat, lon), axis=1))
    what = f"distances, {MANY} x {MANY}, beside scikit-learn"
    print_ratio(what, lambda: distance_matrix_km(lat, lon), lambda: haversine_distances(radians), "<= 0.5")


def print_clusters() -> None:
    """One round, for the peer's sake: seconds and inertia of both."""
    sites = some_sites(SITES)
    points = sphere_km(sites["lat"].to_numpy(), sites["lon"].to_numpy())
    demand = sites["cells"].to_numpy().astype(np.float64)
    cluster_centres(points[:100], demand[:100], 5, 0)
    found: list[Any] = [None, None]

    def ours() -> None:
        found[0] = cluster_centres(points, demand, MANY, 0)

    def peer() -> None:
        model = KMeans(MANY, max_iter=LLOYD_ROUNDS, n_init=1, random_state=0)
        found[1] = model.fit(points, sample_weight=demand).cluster_centers_

    own, other = seconds(ours), seconds(peer)
    inertia = [float((demand * cKDTree(centres).query(points)[0] ** 2).sum()) for centres in found]
    what = f"clusters, {SITES} sites -> {MANY}, beside KMeans"
    print(f"{what:<44} {own:>8.2f} {other:>8.2f} {own / other:>10.3f} <= .125")
    print(f"{'  inertia over the peer':<62} {inertia[0] / inertia[1]:>10.4f} <= 1.02")


def print_steps(count: int) -> None:
    sites, spec = some_sites(STEP_SITES), specification(count)
    nodes, _ = choose_nodes(sites, spec, 0)
    links = build_links(nodes, spec, 0)
    random = TrapSpec("random", 0.1)
    marked = mark_traps(links, nodes, random, 0)
    steps: dict[str, Callable[[], object]] = {
        f"nodes {method}": lambda method=method: choose_nodes(sites, specification(count, nodes_by=method), 0)
        for method in NODE_METHODS
    }
    for method in LINK_METHODS:
        steps[f"links {method}"] = lambda method=method: build_links(nodes, specification(count, links_by=method), 0)
    steps["traps busiest"] = lambda: mark_traps(links, nodes, TrapSpec(), 0)
    steps["traps random"] = lambda: mark_traps(links, nodes, random, 0)
    columns, types = topology_columns(nodes, marked)
    steps["topology"] = lambda: build_topology(columns, types, np.arange(3, dtype=np.int8))
    print(f"{count} nodes")
    for name, work in steps.items():
        work()
        print(f"  {name:<22} {seconds(work):>8.3f}")


def specification(nodes: int, **methods: Any) -> RegionSpec:
    """Of trap2000, with fewer nodes and other methods."""
    compute = region_spec("s1" if nodes < 100 else "trap2000").compute
    return dataclasses.replace(region_spec("trap2000"), nodes=nodes, compute=compute, **methods)


def some_sites(count: int) -> pl.DataFrame:
    """Sites two thirds of which lie in towns of very unequal size."""
    row = np.arange(count)
    size = np.cumsum((np.arange(TOWNS) + 1.0) ** -0.8)
    town = np.searchsorted(size / size[-1], uniforms(1, 1, count))
    spread = 0.3 * (uniforms(1, 2, count) - 0.5) * uniforms(1, 3, count)
    along = 0.4 * (uniforms(1, 4, count) - 0.5) * uniforms(1, 5, count)
    in_town = row % 3 > 0
    lat = np.where(in_town, 48.0 + 6.5 * uniforms(1, 6, TOWNS)[town] + spread, 47.3 + 7.7 * uniforms(1, 7, count))
    lon = np.where(in_town, 6.5 + 8.0 * uniforms(1, 8, TOWNS)[town] + along, 5.9 + 9.1 * uniforms(1, 9, count))
    cells = (1 + 12 * uniforms(1, 10, count) ** 2).astype(np.int32)
    none = np.zeros(count, np.int32)
    radios = {"cells": cells, "gsm": none, "umts": none, "lte": cells, "nr": none}
    return pl.DataFrame({"site_id": row.astype(np.int32), "lat": np.round(lat, 6), "lon": np.round(lon, 6), **radios})


def topology_columns(nodes: pl.DataFrame, links: pl.DataFrame) -> tuple[dict[str, Any], Any]:
    """What `build_topology` reads, with instances strewn over the nodes."""
    count = round(INSTANCES_A_NODE * nodes.height)
    columns = {f"nodes.{name}": nodes[name].to_numpy() for name in nodes.columns}
    columns |= {f"links.{name}": links[name].to_numpy() for name in links.columns}
    columns["instances.node_id"] = (uniforms(2, 1, count) * nodes.height).astype(np.int64)
    columns["instances.quality"], columns["instances.work"] = uniforms(2, 2, count), 0.5 + uniforms(2, 3, count)
    columns["instances.memory_gb"] = np.full(count, 4.0)
    columns["instances.price_usd_per_1k_tokens"] = np.full(count, 0.01)
    types = np.digitize(uniforms(2, 4, count), (0.84, 0.97)).astype(np.int8)
    return columns, types


if __name__ == "__main__":
    main()
