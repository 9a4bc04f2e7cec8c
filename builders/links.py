"""Nodes -> links: a connected network of short links, with latency from distance."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.link_methods import LINK_METHODS
from builders.pairs import Pairs, Places, gabriel_pairs, shortest_pairs, spanning_tree
from builders.streams import Stream
from edgebench.constants import FIBRE_MS_PER_KM, LINK_MBPS, ROUTE_FACTOR
from edgebench.errors import EdgeBenchError
from edgebench.sim.counter import uniform
from edgebench.sim.paths import Network, Paths, make_network, paths_to
from edgebench.spec import RegionSpec

LEAST_LATENCY_MS: Final = 0.0001
"""One step of the rounding, so that no link is free however near its ends are."""


def build_links(nodes: pl.DataFrame, spec: RegionSpec, seed: int) -> pl.DataFrame:
    """Link the nodes: the minimum spanning tree, then what the method of `spec` prefers, up to its mean degree.

    The tree connects the network, even where it alone exceeds the mean degree. Where the method has too few pairs, the
    next shortest ones follow. Equal distances are taken in the order of (src, dst).

    Args:
        nodes: Columns node_id (0 … N-1, in order), lat, lon in degrees, and sites for the backbone.
        spec: The region; its `links_by` (`builders.link_methods`) and `mean_degree` count.
        seed: Seed of the hashed bandwidths, and of the links where they are drawn.

    Returns:
        link_id, src < dst, distance_km, latency_ms (one way, positive), bandwidth_mbps; sorted by (src, dst).

    Raises:
        EdgeBenchError: Fewer than two nodes.
    """
    if nodes.height < 2:
        raise EdgeBenchError(
            "a network needs at least two nodes", where=f"region {spec.name}", mend="ask for more nodes"
        )
    places = Places(nodes["lat"].to_numpy(), nodes["lon"].to_numpy())
    gabriel = gabriel_pairs(places)
    wanted = link_count(nodes.height, spec.mean_degree)
    preferred = LINK_METHODS[spec.links_by](nodes, places, gabriel, wanted, seed)
    pairs = _first_of(np.concatenate((spanning_tree(gabriel, nodes.height), preferred)), wanted)
    if len(pairs) < wanted:
        pairs = _first_of(np.concatenate((pairs, shortest_pairs(places, 2 * wanted))), wanted)
    return _table(pairs, places.between(pairs), seed)


def link_count(nodes: int, mean_degree: float) -> int:
    """Links of a network of `nodes`: half the degrees, but a spanning tree at least and all pairs at most."""
    return min(max(nodes - 1, round(nodes * mean_degree / 2)), nodes * (nodes - 1) // 2)


def _first_of(pairs: Pairs, count: int) -> Pairs:
    """The first `count` different ones, sorted by (src, dst)."""
    _, first = np.unique(pairs, axis=0, return_index=True)
    chosen = pairs[np.sort(first)[:count]]
    return chosen[np.lexsort((chosen[:, 1], chosen[:, 0]))]


def _table(pairs: Pairs, distance_km: NDArray[np.float64], seed: int) -> pl.DataFrame:
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


def network_of(links: pl.DataFrame, nodes: int) -> Network:
    """The network of `links` (columns src, dst, latency_ms, bandwidth_mbps; link_id is the row)."""
    columns = ("src", "dst", "latency_ms", "bandwidth_mbps")
    return make_network(nodes, *(links[name].to_numpy() for name in columns))


def paths_over(links: pl.DataFrame, nodes: int, targets: NDArray[np.int64] | None = None) -> Paths:
    """The quickest paths over `links` to `targets`, or to all nodes (`edgebench.sim.paths.paths_to`).

    Raises:
        EdgeBenchError: The network is not connected.
    """
    try:
        return paths_to(network_of(links, nodes), np.arange(nodes) if targets is None else targets)
    except ValueError as error:
        raise EdgeBenchError(str(error), mend="report this build: its links must connect all nodes") from error
