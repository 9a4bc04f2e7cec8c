"""How learning sees a node's split: itself, its neighbours and rejection as rows, in units that fit every node.

Amounts of work are over what the node is asked for now, and waiting work is in slots of where it waits.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import TELEMETRY_MS, TRAP_SLOT_MS
from edgebench.sim.compiled import compiled, part
from edgebench.tracks.offload.constants import MEMORY_MB, SLOTS, WORK_SHARES
from edgebench.tracks.offload.features import NEIGHBOUR, NODE
from edgebench.tracks.offload.state import LOCAL, REJECT, C, D

Floats = NDArray[np.float32]

ROWS: Final = (
    *("fair", "is_local", "is_neighbour", "is_reject"),
    *("room", "queue", "load", "memory_free", "down", "size"),
    *("latency", "bandwidth", "backlog", "measured_extra", "sent", "lost"),
)
"""Features of a row. `fair` is the share by spare capacity (`_fair`), `room` the spare capacity that the way there lets
through over what is asked for, as the logarithm of one more; so are `queue`, `load` and `bandwidth`. `size` is the
logarithm of the capacity over the node's own."""
CONTEXT: Final = (
    *("load", "rise", "queue", "incoming", "memory_free", "capacity", "memory", "worth"),
    *("elapsed", "told_ago", "neighbours", "pressure", "pressure_alone"),
)
"""Features of the node. `rise` is by how much its load has grown in a slot, `pressure` the logarithm of what it is
asked for over the room in all rows, `pressure_alone` over its own."""

_SLOTS: Final = 1.6
"""Slots of work up to which a node has room to spare, as in the heuristics."""
_MOST_EXTRA_S: Final = 0.8
"""Nothing is spare behind a link that was measured to add more."""
_SHARES_PER_MEMORY: Final = 10.0 * sum(WORK_SHARES) / sum(MEMORY_MB)
"""Thousands of CPU shares that 10 GB hold."""
_PRIOR_SPREAD: Final = 10.0
"""Concentration of a Dirichlet distribution whose mean is the fair share, where a policy begins."""
_PRIOR_WEIGHT: Final = 3.0
"""With this weight of `fair` policies begin (`edgebench.learning.networks.PRIOR_WEIGHT`)."""
_LEAST_SHARE: Final = 0.002
_LEAST: Final = 1e-3
_PERIOD: Final = round(TELEMETRY_MS / TRAP_SLOT_MS)
_FAIR, _IS_LOCAL, _IS_NEIGHBOUR, _IS_REJECT, _ROOM, _QUEUE, _LOAD, _FREE, _DOWN, _SIZE = range(10)
_LATENCY, _BANDWIDTH, _BACKLOG, _EXTRA, _SENT, _LOST = range(10, 16)
_THERE_LATENCY, _THERE_BANDWIDTH, _THERE_BACKLOG = (NEIGHBOUR[n] for n in ("latency_ms", "bandwidth", "backlog"))
_THERE_EXTRA, _THERE_SENT, _THERE_LOST = (NEIGHBOUR[name] for name in ("measured_extra_s", "sent", "lost"))
_THERE_CAPACITY, _THERE_QUEUE, _THERE_LOAD = (NEIGHBOUR[name] for name in ("capacity", "queue", "load"))
_THERE_FREE, _THERE_DOWN = NEIGHBOUR["memory_free"], NEIGHBOUR["down"]
_HERE_LOAD, _HERE_LAST, _HERE_QUEUE, _HERE_INCOMING = (NODE[n] for n in ("load", "last_load", "queue", "incoming"))
_HERE_FREE, _HERE_CAPACITY, _HERE_MEMORY = (NODE[name] for name in ("memory_free", "capacity", "memory"))
_HERE_WORTH, _HERE_ELAPSED = NODE["worth"], NODE["elapsed"]


class Sights(NamedTuple):
    """What learning sees of n nodes' splits."""

    rows: Floats  # (n, C, `ROWS`)
    context: Floats  # (n, `CONTEXT`)


@compiled
def see(nodes: Floats, neighbours: Floats, mask: NDArray[np.int8]) -> tuple[Floats, Floats]:
    """`Sights` of n nodes.

    Args:
        nodes: Of the observation, (n, F).
        neighbours: Of the observation, (n, D, G).
        mask: Of the observation, (n, C).
    """
    count = nodes.shape[0]
    rows, context = np.zeros((count, C, len(ROWS)), np.float32), np.zeros((count, len(CONTEXT)), np.float32)
    room = np.zeros(C)
    for number in range(count):
        here = nodes[number]
        asked = max(float(here[_HERE_LOAD] * here[_HERE_CAPACITY]), _LEAST)
        _see_itself(here, asked, rows[number, LOCAL], room)
        for column in range(1, REJECT):
            room[column] = 0.0
            if mask[number, column]:
                _see_neighbour(here, neighbours[number, column - 1], asked, rows[number, column], room, column)
        rows[number, REJECT, _IS_REJECT] = 1.0
        _see_shares(mask[number], asked, rows[number], room)
        _see_context(here, mask[number], asked, context[number], room)
    return rows, context


@part
def _see_itself(here: Floats, asked: float, row: Floats, room: NDArray[np.float64]) -> None:
    waiting = max(0.0, _SLOTS - here[_HERE_QUEUE]) * here[_HERE_CAPACITY]
    room[LOCAL] = min(waiting, here[_HERE_FREE] * here[_HERE_MEMORY] * _SHARES_PER_MEMORY)
    row[_IS_LOCAL], row[_FREE] = 1.0, here[_HERE_FREE]
    row[_QUEUE], row[_LOAD] = np.log1p(here[_HERE_QUEUE]), np.log1p(here[_HERE_LOAD])
    row[_BANDWIDTH] = np.log1p(1.0 / _LEAST) / 4.0


@part
def _see_neighbour(
    here: Floats, there: Floats, asked: float, row: Floats, room: NDArray[np.float64], column: int
) -> None:
    spare = max(0.0, _SLOTS - there[_THERE_QUEUE] - there[_THERE_LOAD]) * there[_THERE_CAPACITY]
    passing = there[_THERE_BANDWIDTH] * max(0.0, 1.0 - there[_THERE_BACKLOG])
    is_open = there[_THERE_DOWN] == 0.0 and there[_THERE_EXTRA] < _MOST_EXTRA_S
    room[column] = min(spare, passing) if is_open else 0.0
    row[_IS_NEIGHBOUR], row[_FREE], row[_DOWN] = 1.0, there[_THERE_FREE], there[_THERE_DOWN]
    row[_QUEUE], row[_LOAD] = np.log1p(there[_THERE_QUEUE]), np.log1p(there[_THERE_LOAD])
    row[_SIZE] = np.log(max(there[_THERE_CAPACITY], _LEAST) / max(here[_HERE_CAPACITY], _LEAST))
    row[_LATENCY] = np.log1p(there[_THERE_LATENCY] / 10.0) / 2.0
    row[_BANDWIDTH] = np.log1p(passing / asked) / 4.0
    row[_BACKLOG], row[_EXTRA] = np.log1p(there[_THERE_BACKLOG]), np.log1p(there[_THERE_EXTRA])
    row[_SENT] = np.log1p(there[_THERE_SENT]) / 2.0
    row[_LOST] = min(there[_THERE_LOST] / max(there[_THERE_SENT], there[_THERE_LOST], 0.1), 1.0)


@part
def _see_shares(mask: NDArray[np.int8], asked: float, rows: Floats, room: NDArray[np.float64]) -> None:
    """Room in all rows, and what share each would have by it; what nobody has room for is rejected."""
    whole = 0.0
    for column in range(REJECT):
        whole += room[column]
    for column in range(REJECT):
        if mask[column]:
            rows[column, _ROOM] = min(np.log1p(room[column] / asked), 4.0)
            rows[column, _FAIR] = _fair(room[column] / max(asked, whole))
    rows[REJECT, _ROOM] = min(np.log1p(max(0.0, asked - whole) / asked), 4.0)
    rows[REJECT, _FAIR] = _fair(max(0.0, asked - whole) / max(asked, whole))


@part
def _fair(share: float) -> float:
    """A share so that policies begin with it: `softplus` of `_PRIOR_WEIGHT` times this is `_PRIOR_SPREAD` times it."""
    return float(np.log(np.expm1(_PRIOR_SPREAD * (share + _LEAST_SHARE))) / _PRIOR_WEIGHT)


@part
def _see_context(
    here: Floats, mask: NDArray[np.int8], asked: float, context: Floats, room: NDArray[np.float64]
) -> None:
    whole, degree = 0.0, -1.0
    for column in range(REJECT):
        whole += room[column]
        degree += mask[column]
    context[0] = np.log1p(here[_HERE_LOAD])
    context[1] = np.log1p(here[_HERE_LOAD]) - np.log1p(here[_HERE_LAST])
    context[2], context[3] = np.log1p(here[_HERE_QUEUE]), np.log1p(here[_HERE_INCOMING])
    context[4], context[5] = here[_HERE_FREE], np.log(max(here[_HERE_CAPACITY], _LEAST))
    context[6], context[7] = np.log(max(here[_HERE_MEMORY], _LEAST)), here[_HERE_WORTH]
    context[8] = here[_HERE_ELAPSED]
    context[9] = (round(here[_HERE_ELAPSED] * SLOTS) % _PERIOD) / _PERIOD
    context[10] = degree / D
    context[11] = min(max(np.log(asked / max(whole, _LEAST)), -4.0), 4.0)
    context[12] = min(max(np.log(asked / max(room[LOCAL], _LEAST)), -4.0), 4.0)
