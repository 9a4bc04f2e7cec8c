"""Gateways: which of them decides for which nodes, and on which node each stands. At construction alone.

The three splits are those of VAMAPPO's multi-agent mode (k-means, balanced, round robin), by rules of our own in
whole numbers, so that they never depend on a release of a library.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.paths import TICKS_PER_MS

_METRES_PER_DEGREE: Final = np.pi * 6_371_008.8 / 180.0
_ROUNDS: Final = 100
"""Rounds of Lloyd's algorithm at most; whole-numbered centres might go round in circles."""

Places = NDArray[np.int64]
"""(N, 2) metres east and north of some node, whole."""


def cluster_nodes(
    lat: NDArray[np.float64], lon: NDArray[np.float64], compute: NDArray[np.float64], gateways: int, method: str
) -> NDArray[np.int64]:
    """Share the nodes out to gateways; every gateway gets one node at least.

    - `kmeans`: Lloyd's algorithm ("Least squares quantization in PCM", IEEE Transactions on Information Theory 28,
      1982) on places in metres. The first centre is the node nearest the middle, each further one the node farthest
      from those chosen; a cluster left empty takes the node farthest from its centre that is not the only one of its
      cluster.
    - `balanced`: around the centres of `kmeans` every gateway first takes the nearest free node. Then the pairs of node
      and centre are gone through from the nearest to the farthest: a node goes to the first gateway whose compute is
      below an equal share. So no gateway has more than that share and the compute of one node.
    - `round-robin`: node i to gateway i mod G.

    Of equals the lowest node comes first, then the lowest gateway.

    Args:
        lat: (N,) degrees.
        lon: (N,) degrees.
        compute: (N,) above 0.
        gateways: G, 1 … N.
        method: A key of `CLUSTERINGS`.

    Returns:
        The gateway of each node, (N,), 0 … G-1.

    Raises:
        ValueError: G is out of range.
        KeyError: No method bears the name.
    """
    if not 1 <= gateways <= lat.size:
        raise ValueError(f"{gateways} gateways for {lat.size} nodes")
    return CLUSTERINGS[method](_places(lat, lon), compute, gateways)


def gateway_nodes(latency_ms: NDArray[np.float64], gateway_of: NDArray[np.int64], gateways: int) -> NDArray[np.int64]:
    """The node each gateway stands on: of its cluster's the one with the least mean latency to them.

    Args:
        latency_ms: (N, N) of the quickest paths.
        gateway_of: (N,) gateway of each node; each has one at least.
        gateways: G.

    Returns:
        (G,) nodes; of equals the lowest.
    """
    ticks = np.rint(latency_ms * TICKS_PER_MS).astype(np.int64)
    clusters = [np.flatnonzero(gateway_of == gateway) for gateway in range(gateways)]
    return np.array([nodes[ticks[np.ix_(nodes, nodes)].sum(axis=0).argmin()] for nodes in clusters], np.int64)


def _places(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Places:
    """Degrees as whole metres on a plane that touches the earth at the mean latitude."""
    east = (lon - lon[0] + 540.0) % 360.0 - 180.0
    middle = np.deg2rad((lat.min() + lat.max()) / 2.0)
    return np.rint(np.stack([east * np.cos(middle), lat - lat[0]], axis=1) * _METRES_PER_DEGREE).astype(np.int64)


def _squares(places: Places, centres: Places) -> NDArray[np.int64]:
    """Squared distances in m², (N, G)."""
    return np.asarray(((places[:, None] - centres[None]) ** 2).sum(axis=2), np.int64)


def _first_centres(places: Places, gateways: int) -> Places:
    chosen = [int(_squares(places, places.sum(axis=0)[None] // len(places))[:, 0].argmin())]
    nearest = _squares(places, places[chosen])[:, 0]
    nearest[chosen] = -1
    while len(chosen) < gateways:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _squares(places, places[chosen[-1:]])[:, 0])
        nearest[chosen] = -1
    return places[chosen]


def _assign(places: Places, centres: Places) -> NDArray[np.int64]:
    """Every node to the nearest centre, and none of these left without one."""
    squares = _squares(places, centres)
    gateway_of: NDArray[np.int64] = squares.argmin(axis=1)
    for gateway in range(len(centres)):
        sizes = np.bincount(gateway_of, minlength=len(centres))
        if sizes[gateway] == 0:
            own = np.where(sizes[gateway_of] > 1, squares[np.arange(len(places)), gateway_of], -1)
            gateway_of[own.argmax()] = gateway
    return gateway_of


def _middles(places: Places, gateway_of: NDArray[np.int64], gateways: int) -> Places:
    clusters = [places[gateway_of == gateway] for gateway in range(gateways)]
    return np.array([cluster.sum(axis=0) // len(cluster) for cluster in clusters], np.int64)


def _kmeans(places: Places, _: NDArray[np.float64], gateways: int) -> NDArray[np.int64]:
    gateway_of = _assign(places, _first_centres(places, gateways))
    for _round in range(_ROUNDS):
        moved = _assign(places, _middles(places, gateway_of, gateways))
        if (moved == gateway_of).all():
            break
        gateway_of = moved
    return gateway_of


def _balanced(places: Places, compute: NDArray[np.float64], gateways: int) -> NDArray[np.int64]:
    centres = _middles(places, _kmeans(places, compute, gateways), gateways)
    squares = _squares(places, centres)
    gateway_of, held = np.full(len(places), -1, np.int64), np.zeros(gateways)

    def give(node: int, gateway: int) -> None:
        gateway_of[node] = gateway
        held[gateway] += compute[node]

    for gateway in range(gateways):
        give(int(np.where(gateway_of < 0, squares[:, gateway], np.iinfo(np.int64).max).argmin()), gateway)
    share = math.fsum(compute) / gateways
    for pair in np.argsort(squares, axis=None, kind="stable").tolist():
        node, gateway = divmod(pair, gateways)
        if gateway_of[node] < 0 and held[gateway] < share:
            give(node, gateway)
    return gateway_of


def _round_robin(places: Places, _: NDArray[np.float64], gateways: int) -> NDArray[np.int64]:
    return np.arange(len(places)) % gateways


CLUSTERINGS: Final[dict[str, Callable[[Places, NDArray[np.float64], int], NDArray[np.int64]]]] = {
    "kmeans": _kmeans,
    "balanced": _balanced,
    "round-robin": _round_robin,
}
"""Ways to share nodes out, by name."""
