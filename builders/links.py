"""Nodes -> links: a connected network of short links, with latency from distance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from builders.geo import distance_matrix_km
from builders.streams import Stream
from edgebench.constants import FIBRE_MS_PER_KM, LINK_MBPS, ROUTE_FACTOR
from edgebench.errors import EdgeBenchError
from edgebench.sim.counter import uniform
from edgebench.sim.paths import Paths, quickest_paths
from edgebench.spec import RegionSpec

LEAST_LATENCY_MS: Final = 0.0001
"""One step of the rounding, so that no link is free however near its ends are."""

Pairs = NDArray[np.int64]


def build_links(nodes: pl.DataFrame, spec: RegionSpec, seed: int) -> pl.DataFrame:
    """Link the nodes: the minimum spanning tree, then the shortest Gabriel edges up to the mean degree of `spec`.

    A pair is a Gabriel edge when no third node lies inside the circle over it (Gabriel and Sokal, "A New Statistical
    Approach to Geographic Variation Analysis", Systematic Zoology 18, 1969): 94 % of the links of the earlier
    topologies are. Where they do not suffice, the next shortest pairs follow. The tree connects the network, even
    where it alone exceeds the mean degree. Equal distances are taken in the order of (src, dst).

    Args:
        nodes: Columns node_id (0 … N-1, in order), lat, lon in degrees.
        spec: The region; its `mean_degree` counts.
        seed: Seed of the hashed bandwidths.

    Returns:
        link_id, src < dst, distance_km, latency_ms (one way, positive), bandwidth_mbps; sorted by (src, dst).

    Raises:
        EdgeBenchError: Fewer than two nodes.
    """
    if nodes.height < 2:
        raise EdgeBenchError(
            "a network needs at least two nodes", where=f"region {spec.name}", mend="ask for more nodes"
        )
    distance = distance_matrix_km(nodes["lat"].to_numpy(), nodes["lon"].to_numpy())
    pairs = _pairs_by_distance(distance)
    chosen = _spanning_ranks(pairs, nodes.height)
    wanted = link_count(nodes.height, spec.mean_degree)
    for rank in chain(_gabriel_ranks(pairs, distance), range(len(pairs))):
        if len(chosen) >= wanted:
            break
        chosen.add(rank)
    return _table(pairs[sorted(chosen)], distance, seed)


def link_count(nodes: int, mean_degree: float) -> int:
    """Links of a network of `nodes`: half the degrees, but a spanning tree at least and all pairs at most."""
    return min(max(nodes - 1, round(nodes * mean_degree / 2)), nodes * (nodes - 1) // 2)


def _pairs_by_distance(distance: NDArray[np.float64]) -> Pairs:
    """All pairs src < dst as int64[P, 2], shortest first; a pair's row is its rank."""
    src, dst = np.triu_indices(len(distance), 1)
    order = np.lexsort((dst, src, distance[src, dst]))
    return np.stack((src[order], dst[order]), axis=1).astype(np.int64)


def _spanning_ranks(pairs: Pairs, nodes: int) -> set[int]:
    """Ranks of the minimum spanning tree; weighing by rank instead of distance leaves exactly one such tree."""
    ranks = np.arange(1.0, len(pairs) + 1.0)
    tree = minimum_spanning_tree(csr_array((ranks, (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes)))
    return {int(rank) - 1 for rank in tree.data}


def _gabriel_ranks(pairs: Pairs, distance: NDArray[np.float64]) -> Iterator[int]:
    squared = distance**2
    for rank, (src, dst) in enumerate(pairs):
        if not np.any(squared[src] + squared[dst] < squared[src, dst]):
            yield rank


def _table(pairs: Pairs, distance: NDArray[np.float64], seed: int) -> pl.DataFrame:
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    distance_km = distance[pairs[:, 0], pairs[:, 1]]
    latency = np.round(distance_km * ROUTE_FACTOR * FIBRE_MS_PER_KM, 4)
    return pl.DataFrame(
        {
            "link_id": np.arange(len(pairs), dtype=np.int32),
            "src": pairs[:, 0].astype(np.int32),
            "dst": pairs[:, 1].astype(np.int32),
            "distance_km": distance_km,
            "latency_ms": np.maximum(latency, LEAST_LATENCY_MS),
            "bandwidth_mbps": [_bandwidth_mbps(seed, int(src), int(dst)) for src, dst in pairs],
        }
    )


def _bandwidth_mbps(seed: int, src: int, dst: int) -> float:
    return float(LINK_MBPS[int(uniform(seed, int(Stream.BANDWIDTH), src, dst) * len(LINK_MBPS))])


def paths_over(links: pl.DataFrame, nodes: int) -> Paths:
    """The quickest paths over `links` (columns src, dst, latency_ms, bandwidth_mbps; link_id is the row).

    Raises:
        EdgeBenchError: The network is not connected.
    """
    columns = (links[name].to_numpy() for name in ("src", "dst", "latency_ms", "bandwidth_mbps"))
    try:
        return quickest_paths(nodes, *columns)
    except ValueError as error:
        raise EdgeBenchError(str(error), mend="report this build: its links must connect all nodes") from error
