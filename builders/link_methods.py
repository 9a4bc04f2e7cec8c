"""Which pairs of nodes are linked beside the spanning tree: the methods a specification names in `links_by`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.pairs import Pairs, Places, gabriel_pairs, neighbour_pairs, shortest_first
from builders.streams import Stream
from edgebench.sim.counter import uniform
from edgebench.spec import LinkMethod

ACCESS_HUBS: Final = 3
"""Hubs a node may have access links to."""

LinkChooser = Callable[[pl.DataFrame, Places, Pairs, int, int], Pairs]
"""Nodes, where they stand, Gabriel edges, links wanted, seed -> pairs, those to be linked first at the front."""


def by_gabriel(nodes: pl.DataFrame, places: Places, gabriel: Pairs, wanted: int, seed: int) -> Pairs:
    """The shortest Gabriel edges: 94 % of the links of VAMAPPO's topologies are Gabriel edges."""
    return gabriel


def by_decay(nodes: pl.DataFrame, places: Places, gabriel: Pairs, wanted: int, seed: int) -> Pairs:
    """Gabriel edges drawn without replacement, with a chance that falls to 1/e over their median length.

    The links of TopoFreeRL fall about as fast: half of them are shorter than 5 km, none is longer than 48 km.

    An edge of weight w is drawn in the order of -log(u) / w, u uniform (Efraimidis and Spirakis, "Weighted Random
    Sampling with a Reservoir", Information Processing Letters 97, 2006).
    """
    distance = places.between(gabriel)
    scale = max(float(np.median(distance)), 0.001)
    draws = np.array([1.0 - uniform(seed, int(Stream.LINK_DECAY), int(src), int(dst)) for src, dst in gabriel])
    turn = np.log(-np.log(draws)) + distance / scale
    return gabriel[np.argsort(np.round(turn, 9), kind="stable")]


def by_nearest(nodes: pl.DataFrame, places: Places, gabriel: Pairs, wanted: int, seed: int) -> Pairs:
    """Every node's nearest neighbour, then every node's second nearest, and so on; of one rank the shortest."""
    count = nodes.height
    pairs, rank = neighbour_pairs(places, min(count - 1, 2 * wanted // count + 1))
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0], places.between(pairs), rank))]


def by_backbone(nodes: pl.DataFrame, places: Places, gabriel: Pairs, wanted: int, seed: int) -> Pairs:
    """Hubs, the √N nodes of most demand, meshed by the Gabriel edges among them, and all others' access to near hubs.

    Access goes to the nearest hub first, then to the second nearest, the shortest links of each first.
    """
    count = nodes.height
    demand_first = np.lexsort((np.arange(count), -nodes["sites"].to_numpy().astype(np.int64)))
    hubs = np.sort(demand_first[: max(2, round(count**0.5))])
    mesh = hubs[gabriel_pairs(places.only(hubs))]
    return np.concatenate((mesh, *_access(places, hubs)))


def _access(places: Places, hubs: NDArray[np.int64]) -> list[Pairs]:
    """Links of every other node to its nearest hub, to its second nearest, …, each list shortest first."""
    others = np.setdiff1d(np.arange(len(places.lat)), hubs)
    if not len(others):
        return []
    reach = min(ACCESS_HUBS, len(hubs))
    pairs = np.stack(np.broadcast_arrays(others[:, None], hubs), axis=-1).reshape(-1, 2)
    distance = places.between(pairs).reshape(len(others), len(hubs))
    nearest = hubs[np.argsort(distance, axis=1, kind="stable")[:, :reach]]
    lists = (np.sort(np.stack((others, nearest[:, rank]), axis=1), axis=1) for rank in range(reach))
    return [shortest_first(pairs, places) for pairs in lists]


LINK_METHODS: Final[Mapping[LinkMethod, LinkChooser]] = {
    "gabriel": by_gabriel,
    "gabriel-decay": by_decay,
    "nearest": by_nearest,
    "backbone": by_backbone,
}
"""Every method by the name it has in a specification."""
