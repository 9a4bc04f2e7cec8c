"""The best split of a batch over copies: a linear programme in place of the router.

It is the programme of the earlier system's formula sheet, `minimise max over devices [bytes / bandwidth + tokens /
compute]` under `sum over copies = tokens of the expert`, with this track's delays and for all layers at once. A stop is
an expert of a layer or, at the beginning and at the end, a request; a flow is all rows that go from one stop to the
next. Variables are the parts of every flow on the ways between copies, the transmission into the busiest receiver of
every round and the compute of the busiest device of every layer. Rows at one copy of an expert are alike to it wherever
they came from, parts need not be whole rows, and reading weights is counted where an expert has one copy alone: its
optimum is no more than what any split of the rows takes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from edgebench.tracks.place.state import Devices, Floats, Placement, Ways

Integers = NDArray[np.int64]


class _Flows(NamedTuple):
    """F flows between stops; a stop is numbered within its round, requests and experts alike."""

    round: Integers  # (F,) 0 ... L
    source: Integers  # (F,) request in round 0, else expert of the layer before
    target: Integers  # (F,) expert of the layer, request in round L
    rows: Integers  # (F,)


class _Arcs(NamedTuple):
    """Ways that parts of flows may take: A of them."""

    flow: Integers  # (A,)
    start: Integers  # (A,) place of `edgebench.tracks.place.state.Ways`
    end: Integers  # (A,)


def split_latency(devices: Devices, ways: Ways, routes: NDArray[np.int16], experts: int, placement: Placement) -> float:
    """Least latency of a batch in ms over all splits of its rows among copies, loading left out.

    Args:
        devices: Of the region, none of them down.
        ways: Of the slot.
        routes: Expert of each row in each layer, (R, L).
        experts: Of a layer.
        placement: (P, G), each expert on one device at least.

    Raises:
        RuntimeError: The solver found no optimum.
    """
    layers, count = routes.shape[1], devices.node.size
    requests = ways.path_ms.shape[0] - count
    flows = _find_flows(routes, requests)
    arcs = _find_arcs(flows, placement.astype(bool), experts, layers, requests)
    weights_ms = _weights_read(devices, routes, experts, placement)
    return _solve(devices, ways, flows, arcs, weights_ms, len(routes))


def _find_flows(routes: NDArray[np.int16], requests: int) -> _Flows:
    rows, layers = routes.shape
    request = np.arange(rows) // (rows // requests)
    stops = np.column_stack([request, routes, request]).astype(np.int64)
    found = [np.unique(stops[:, step : step + 2], axis=0, return_counts=True) for step in range(layers + 1)]
    pairs = np.concatenate([pair for pair, _ in found])
    rounds = np.repeat(np.arange(layers + 1), [len(pair) for pair, _ in found])
    return _Flows(rounds, pairs[:, 0], pairs[:, 1], np.concatenate([amount for _, amount in found]))


def _find_arcs(flows: _Flows, held: NDArray[np.bool_], experts: int, layers: int, requests: int) -> _Arcs:
    """Every way from a copy of a flow's source to one of its target."""
    count = held.shape[1]
    at = np.zeros((layers + 2, max(experts, requests), count + requests), np.bool_)
    at[1:-1, :experts, :count] = held.reshape(layers, experts, count)
    at[0, np.arange(requests), count + np.arange(requests)] = True
    at[-1, np.arange(requests), count + np.arange(requests)] = True
    possible = at[flows.round, flows.source][:, :, None] & at[flows.round + 1, flows.target][:, None, :]
    return _Arcs(*(index.astype(np.int64) for index in np.nonzero(possible)))


def _weights_read(devices: Devices, routes: NDArray[np.int16], experts: int, placement: Placement) -> Floats:
    """What reading the weights of used experts with one copy takes, (L, G) in ms."""
    layers = routes.shape[1]
    used = np.zeros((layers, experts), np.bool_)
    used[np.arange(layers), routes] = True
    alone = used.ravel() & (placement.sum(axis=1) == 1)
    read = (placement * alone[:, None]).reshape(layers, experts, -1).sum(axis=1)
    return np.asarray(read * devices.stream_ms)


def _solve(devices: Devices, ways: Ways, flows: _Flows, arcs: _Arcs, weights_ms: Floats, rows: int) -> float:
    layers, size, number = len(weights_ms), ways.path_ms.shape[0], arcs.flow.size
    cost = (ways.path_ms + ways.extra_ms)[arcs.start, arcs.end] / rows
    upper, right = _maxima(devices, ways, flows, arcs, weights_ms)
    equal, level = _balance(flows, arcs, size, number + 2 * layers + 1)
    found = linprog(np.concatenate([cost, np.ones(2 * layers + 1)]), upper, right, equal, level, method="highs")
    if found.fun is None:
        raise RuntimeError(found.message)
    return float(found.fun)


def _maxima(devices: Devices, ways: Ways, flows: _Flows, arcs: _Arcs, weights_ms: Floats) -> tuple[Any, Floats]:
    """No receiver's transmission is above that of its round, no device's compute above that of its layer."""
    layers, count = weights_ms.shape
    size, number, rounds = ways.path_ms.shape[0], arcs.flow.size, flows.round[arcs.flow]
    inner = np.flatnonzero(rounds < layers)
    lines = np.concatenate([rounds * size + arcs.end, (layers + 1 + rounds[inner]) * size + arcs.end[inner]])
    values = np.concatenate([ways.row_ms[arcs.start, arcs.end], devices.row_ms[arcs.end[inner]]])
    most = np.arange((2 * layers + 1) * size)
    matrix: Any = csr_array(
        (
            np.concatenate([values, -np.ones(most.size)]),
            (np.concatenate([lines, most]), np.concatenate([np.arange(number), inner, number + most // size])),
        )
    )
    right = np.zeros((2 * layers + 1, size))
    right[layers + 1 :, :count] = -weights_ms
    return matrix, right.ravel()


def _balance(flows: _Flows, arcs: _Arcs, size: int, columns: int) -> tuple[Any, Floats]:
    """The parts of a flow are all of it, and what comes to a copy leaves it."""
    number, rounds = np.arange(arcs.flow.size), flows.round[arcs.flow]
    stops = int(max(flows.source.max(), flows.target.max())) + 1
    comes, leaves = (
        ((rounds + 1) * stops + flows.target[arcs.flow]) * size + arcs.end,
        (rounds * stops + flows.source[arcs.flow]) * size + arcs.start,
    )
    coming, leaving = np.flatnonzero(rounds < rounds.max()), np.flatnonzero(rounds > 0)
    keys, line = np.unique(np.concatenate([comes[coming], leaves[leaving]]), return_inverse=True)
    values = np.concatenate([np.ones(number.size), np.ones(coming.size), -np.ones(leaving.size)])
    lines = np.concatenate([arcs.flow, flows.rows.size + line])
    matrix: Any = csr_array(
        (values, (lines, np.concatenate([number, coming, leaving]))), shape=(flows.rows.size + keys.size, columns)
    )
    return matrix, np.concatenate([flows.rows, np.zeros(keys.size)]).astype(np.float64)
