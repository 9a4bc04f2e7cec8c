"""How much each node is asked for over an episode: who lives there, and what the scenario does with the load."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import CROWD_SLOTS, DRIFT_WIDTH
from edgebench.sim import counter

Floats = NDArray[np.float64]
_HALF: Final = 0.5


def node_shares(user_node: NDArray[np.integer], nodes: int) -> Floats:
    """Share of the users' requests that arises at each node, (N,), summing to 1.

    Every node counts half a request beside those of the split's tasks (the Jeffreys prior): none is silent.

    Args:
        user_node: Node nearest the user of every task of the split, (T,).
        nodes: How many there are, N.
    """
    counts = np.bincount(user_node, minlength=nodes) + _HALF
    return np.asarray(counts / counts.sum(), np.float64)


def crowd_factors(neighbours: NDArray[np.integer], slots: int, seed: int, *, crowds: int, speedup: float) -> Floats:
    """How many times the usual each node is asked for, (slots, N): `speedup` in a flash crowd, else 1.

    A crowd is at a node and its neighbours for `CROWD_SLOTS` slots, and begins anywhere in its share of the episode.

    Args:
        neighbours: (N, D), -1 beyond a node's last.
        slots: Of the episode.
        seed: The scenario's.
        crowds: Flash crowds an episode, 0 for none.
        speedup: As the scenario says.
    """
    nodes = len(neighbours)
    factors = np.ones((slots, nodes))
    for crowd in range(crowds):
        share = slots // crowds
        latest = max(share - CROWD_SLOTS, 0)
        begin = crowd * share + int(counter.uniform(seed, counter.CROWD_START, crowd, 0) * (latest + 1))
        centre = int(counter.uniform(seed, counter.CROWD_PLACE, crowd, 0) * nodes)
        place = np.append(neighbours[centre][neighbours[centre] >= 0], centre)
        factors[begin : begin + CROWD_SLOTS, place] = speedup
    return factors


def drift_factors(east: Floats, shares: Floats, slots: int) -> Floats:
    """How many times the usual each node is asked for, (slots, N), where the load moves from west to east.

    A bell of standard deviation `DRIFT_WIDTH` wanders over the region; the whole is asked for as much as ever.

    Args:
        east: Place of each node between the region's west (0) and its east (1), (N,).
        shares: As of `node_shares`, (N,).
        slots: Of the episode.
    """
    centre = np.arange(slots)[:, None] / max(slots - 1, 1)
    bell = np.exp(-0.5 * ((east[None, :] - centre) / DRIFT_WIDTH) ** 2)
    return np.asarray(bell / (bell * shares).sum(axis=1, keepdims=True), np.float64)
