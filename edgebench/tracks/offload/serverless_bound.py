"""A bound of the serverless physics: the best split of every slot, by linear programming.

What a node refuses is convex in its load, so the best split is a convex flow, and this a linear programme: work kept,
forwarded and rejected, and of every node what it refuses, above all tangents of its table. Exact where the table of
whole refusals is convex itself; else below it by less than a request a node.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from edgebench.tracks.offload.constants import LOSS_COST, REJECT_COST, SLOTS
from edgebench.tracks.offload.serverless import DEADLINE_MS, KIND, WORK, Tables
from edgebench.tracks.offload.state import Episode, Floats, Network

_Tangents = list[tuple[int, float, float]]
"""Node, slope, and refusals at a load of 0."""


def serverless_bound(network: Network, tables: Tables, episode: Episode) -> float:
    """No policy's `value` is higher in an episode of one class."""
    slots = [slot for slot in range(SLOTS) if episode.node["arrivals"][slot].any()]
    tangents = [tangent for node in range(network.node.size) for tangent in _tangents(node, tables.refused[node])]
    worth = sum(slot_bound(network, tangents, episode, slot) for slot in slots)
    return worth * WORK / max(float(episode.total_work[0]), 1.0)


def slot_bound(network: Network, tangents: _Tangents, episode: Episode, slot: int) -> float:
    """The most worth of a slot, in requests on time."""
    now, nodes = episode.node[slot], network.node.size
    asked = np.where(now["down"] > 0, 0, now["arrivals"][:, KIND]).astype(np.float64)
    tail, column = np.nonzero(network.link["neighbour"] >= 0)
    head = network.link["neighbour"][tail, column]
    carries = _carries(network, episode, slot, tail, column) * (now["down"][head] == 0)
    links = tail.size
    kept, sent, refused = np.arange(nodes), nodes + np.arange(links), nodes + links + np.arange(nodes)
    each = np.arange(len(tangents))
    node, slope, level = (np.array(values) for values in zip(*tangents, strict=True))
    entries: list[tuple[Floats, NDArray[Any], NDArray[Any]]] = [
        (np.ones(nodes), kept, kept),
        (np.ones(links), tail, sent),
        (slope, nodes + each, kept[node]),
        (-np.ones(each.size), nodes + each, refused[node]),
    ]
    into = [(slope[node == head[link]], nodes + each[node == head[link]], sent[link]) for link in range(links)]
    entries += [(slopes, rows, np.full(rows.size, at)) for slopes, rows, at in into]
    limits: Any = coo_array(
        (
            np.concatenate([entry[0] for entry in entries]),
            (np.concatenate([entry[1] for entry in entries]), np.concatenate([entry[2] for entry in entries])),
        ),
        shape=(nodes + each.size, 2 * nodes + links),
    )
    most = np.concatenate([asked, carries, np.full(nodes, np.inf)])
    found: Any = linprog(
        np.concatenate([np.full(nodes + links, -1.0 - REJECT_COST), np.full(nodes, 1.0 + LOSS_COST)]),
        A_ub=limits,
        b_ub=np.concatenate([asked, -level]),
        bounds=list(zip(np.zeros(most.size), most, strict=True)),
        method="highs",
    )
    lost = float(now["arrivals"][now["down"] > 0, KIND].sum())
    return float(-found.fun - REJECT_COST * asked.sum() - LOSS_COST * lost)


def _carries(network: Network, episode: Episode, slot: int, tail: NDArray[np.intp], column: NDArray[np.intp]) -> Floats:
    """Requests that each link carries to its end before their deadline."""
    now, wire = episode.link[slot, tail, column], network.link[tail, column]
    in_time = wire["latency_ms"] + now["extra_ms"] < DEADLINE_MS
    return np.asarray(now["shares"] // WORK * in_time, np.float64)


def _tangents(node: int, refused: NDArray[np.int64]) -> _Tangents:
    """The lower convex hull of a node's refusals by load, and the line of slope 1 beyond the table."""
    corners: list[int] = []
    for load in range(refused.size):
        while len(corners) > 1 and _is_above(refused, corners[-2], corners[-1], load):
            corners.pop()
        corners.append(load)
    found = []
    for first, last in pairwise(corners):
        slope = float(refused[last] - refused[first]) / (last - first)
        found.append((node, slope, float(refused[first]) - slope * first))
    return found


def _is_above(refused: NDArray[np.int64], first: int, middle: int, last: int) -> bool:
    """Whether the middle point lies on or above the line from the first to the last."""
    rise = int(refused[last] - refused[first]) * (middle - first)
    return int(refused[middle] - refused[first]) * (last - first) >= rise
