"""Small networks for the tests of links, traps, placement and workload."""

from __future__ import annotations

import dataclasses

import networkx as nx
import numpy as np
import polars as pl

from edgebench.registry import region_spec
from edgebench.sim.counter import uniforms
from edgebench.spec import LinkMethod, RegionSpec


def spec_of(nodes: int, mean_degree: float = 3.2, links_by: LinkMethod = "gabriel") -> RegionSpec:
    return dataclasses.replace(region_spec("s1"), nodes=nodes, mean_degree=mean_degree, links_by=links_by)


def nodes_at(lat: list[float], lon: list[float]) -> pl.DataFrame:
    count = len(lat)
    return pl.DataFrame(
        {
            "node_id": np.arange(count, dtype=np.int32),
            "lat": lat,
            "lon": lon,
            "compute": (16 + np.arange(count) % 39).astype(np.int32),
            "storage_gb": (16 + np.arange(count) % 19).astype(np.int32),
            "price": np.round(np.linspace(0.8, 1.2, count), 3),
            "sites": (1 + np.arange(count) * 7 % 23).astype(np.int32),
        }
    )


def scattered_nodes(count: int, seed: int = 1) -> pl.DataFrame:
    lat = np.round(46.0 + 1.5 * uniforms(seed, 1, count), 6)
    lon = np.round(6.0 + 4.0 * uniforms(seed, 2, count), 6)
    return nodes_at(lat.tolist(), lon.tolist())


def graph_of(links: pl.DataFrame, nodes: int, extra_ms: float = 0.0) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(nodes))
    for row in links.iter_rows(named=True):
        graph.add_edge(row["src"], row["dst"], delay=row["latency_ms"] + extra_ms, **row)
    return graph
