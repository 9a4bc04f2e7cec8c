"""What an episode of Place is made of. G devices, N nodes, E experts a layer, L layers, P = L x E experts in all,
S slots, Q requests a batch, R rows a batch, C trap links. Expert e of layer l is expert l x E + e."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Placement = NDArray[np.int8]
"""(P, G): 1 where a device holds a copy of an expert."""


class Devices(NamedTuple):
    """The devices of a region under one model, and the ways between nodes; none of it changes."""

    node: NDArray[np.int64]  # (G,) the node each is at, slowest first
    row_ms: Floats  # (G,) time of a row in one expert, ms
    stream_ms: float  # reading an expert's weights once, ms
    room: NDArray[np.int64]  # (G,) experts that fit
    memory_gb: Floats  # (G,)
    expert_gb: float
    load_ms: float  # loading an expert from the device's store, ms
    row_mb: float  # what a row is on the way, MB
    path: NDArray[Any]  # (N, N) of `edgebench.sim.topology.PATH`, [to, from]


class World(NamedTuple):
    """All that happens in an episode whatever is done."""

    routes: NDArray[np.int16]  # (S, R, L) the expert within its layer that each row goes to
    origin: NDArray[np.int64]  # (S, Q) node of each request; its rows stand next to each other, R / Q each
    extra_ms: Floats  # (C, S) what each trap link adds
    bad: NDArray[np.bool_]  # (C, S)
    down: NDArray[np.bool_]  # (G, S)
    seed: int  # of the scenario, for late ways
    late_chance: float  # that a way is late in a slot
    late_min_ms: float
    late_max_ms: float


class History(NamedTuple):
    """Batches served before the episode, which every agent is shown."""

    routes: NDArray[np.int16]  # (rows, L)
    origin: NDArray[np.int64]  # (requests,) node of each


class Ways(NamedTuple):
    """The ways in one slot between G devices (0 ... G-1) and where the Q requests are (G ... G+Q-1), [from, to]."""

    known_ms: Floats  # (G+Q, G+Q) what the router reckons with: quickest path and measured extra
    path_ms: Floats  # (G+Q, G+Q) propagation and hops
    extra_ms: Floats  # (G+Q, G+Q) trap extras, and how late the way is
    row_ms: Floats  # (G+Q, G+Q) transmission of a row over the bottleneck
    bad: NDArray[np.int64]  # (G+Q, G+Q) bad trap links on the way


PATH_MS, TRAP_MS, TRANSMISSION_MS, COMPUTE_MS, LOST_MS, LOADING_MS = range(6)
"""First entries of an outcome: the parts of a batch's latency in ms."""
PARTS: Final = 6
ROWS_LOST, TRAP_HITS, ROWS_CROSSED, IMBALANCE, LOADED_GB, COPIES, LATENCY_MS, REFERENCE_MS = range(PARTS, PARTS + 8)
"""The others: expert visits given up, bad trap links crossed a row, moves between devices, busiest device over the
mean, GB loaded, copies of all experts, the latency, and that of the contiguous placement."""
OUTCOMES: Final = PARTS + 8


class State(NamedTuple):
    """What changes in an episode."""

    placement: Placement  # (P, G)
    clock: NDArray[np.int64]  # (1,) edits made
    measured_ms: Floats  # (C,) extra remembered of each trap link
    load: Floats  # (P,) share of the rows of the last batch within the layer
    mean_load: Floats  # (P,) moving average of it
    affinity: Floats  # (L - 1, E, E) moving average of the share of rows that go from expert to expert
    busy_ms: Floats  # (G,) compute of the last batch
    total_busy_ms: Floats  # (G,) compute of all batches
    reference_ms: Floats  # (S,) latency of the contiguous placement
    outcome: Floats  # (S, OUTCOMES)
