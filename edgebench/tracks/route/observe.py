"""What an agent sees of the Route track, written into preallocated feature-major buffers."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, COST_REF_USD, MODEL_TYPES, WINDOW_TASKS
from edgebench.sim.compiled import part, rare
from edgebench.sim.topology import (
    COST_PER_TOKEN,
    IS_GOOD,
    LATENCY_S,
    LOAD_S,
    NODE_SPEED,
    S_PER_MB,
    S_PER_TOKEN,
    Topology,
)
from edgebench.tracks.route.failures import is_down_now, period_slot
from edgebench.tracks.route.features import CANDIDATE_FEATURES, LABELS, TASK_FEATURES, F, L, T
from edgebench.tracks.route.monitors import fade, settle
from edgebench.tracks.route.servers import is_resident, lose_what_failed, period_of, published_free
from edgebench.tracks.route.state import ARRIVED, ENDED, INPUTS, LISTED, TURN, State, Tasks
from edgebench.tracks.route.transfers import path_extra

_KINDS: Final = len(MODEL_TYPES)
_S_PER_MS: Final = 0.001
CANDIDATE_HIGH: Final = np.array([feature.high for feature in CANDIDATE_FEATURES], np.float32)
TASK_HIGH: Final = np.array([feature.high for feature in TASK_FEATURES], np.float32)
LABEL_HIGH: Final = np.array([label.high for label in LABELS], np.float32)
PLACES: Final = 5


class Observation(NamedTuple):
    """Buffers of one observation; K candidates, or all instances where every one is offered."""

    candidates: NDArray[np.float32]  # (F, K)
    task: NDArray[np.float32]  # (T,)
    action_mask: NDArray[np.int8]  # (K,) 1 where a candidate stands
    instances: NDArray[np.int32]  # (K,) instance ids, -1 beyond the last candidate
    place: NDArray[np.int64]  # (PLACES,) row in the split, number in the window (-1: over), stage, node, user's node
    labels: NDArray[np.float32]  # (L, K) written where the rules say so


class Scratch(NamedTuple):
    """What an observation is worked out in, shared by simulations that are never stepped at once.

    Q nodes are looked at: those of the candidates, or all N, each once, where every instance is offered.
    """

    by_node: NDArray[np.float32]  # (F, N) what every instance takes from its node, where all are offered
    nodes: NDArray[np.int32]  # (Q,) looked at
    place: NDArray[np.int32]  # (Q,) `Topology.place` of each on the way to the user
    work: NDArray[np.float64]  # (WORK, Q) in s


IDLE, THERE, TRANSMIT, EXTRA, SLOWEST, BACK, EXTRA_BACK = range(7)
"""Rows of `Scratch.work`: until the node's queue is empty; of the input seen, its latency, its transmission, what
is remembered of its traps, and its time in all; the way back, and what is remembered of that."""
WORK: Final = 7


def new_observations(topology: Topology, rules: NDArray[Any], count: int) -> Observation:
    """Allocate the buffers of `count` observations side by side, (count, ...) each."""
    columns = topology.instance.size if rules[0]["sees_all"] else CANDIDATES
    return Observation(
        np.zeros((count, F, columns), np.float32),
        np.zeros((count, T), np.float32),
        np.zeros((count, columns), np.int8),
        np.full((count, columns), -1, np.int32),
        np.full((count, PLACES), -1, np.int64),
        np.zeros((count, L, columns), np.float32),
    )


def new_scratch(topology: Topology, rules: NDArray[Any]) -> Scratch:
    """Allocate what observations are worked out in."""
    nodes = topology.node.size
    looked_at = nodes if rules[0]["sees_all"] else CANDIDATES
    return Scratch(
        np.zeros((F, nodes), np.float32),
        np.arange(looked_at, dtype=np.int32),
        np.zeros(looked_at, np.int32),
        np.zeros((WORK, looked_at)),
    )


@part
def observe(topology: Topology, tasks: Tasks, state: State, seen: Observation, scratch: Scratch) -> None:
    """Write the observation of the task whose turn it is; all zeros when the episode is over."""
    number = state.cursor[TURN]
    if number < 0:
        _clear(seen)
        return
    seen.place[1] = number
    progress = state.progress[number]
    task, stage = tasks[progress.row], progress.stage
    seen.place[0], seen.place[2] = progress.row, stage
    seen.place[3], seen.place[4] = progress.at_node[stage], task.user_node
    in_flight = (state.cursor[ARRIVED] - state.cursor[ENDED]) / WINDOW_TASKS
    _see_task(topology, task, progress, seen, in_flight)
    _remember(state, progress.ready_ms)
    if state.rules[0].sees_all:
        _see_all(topology, state, seen, scratch, task, progress)
    else:
        _see_candidates(topology, state, seen, scratch, task, progress)
    if state.rules[0].privileged:
        _see_labels(topology, state, seen, task, progress)


@part
def _clear(seen: Observation) -> None:
    for entry in range(PLACES):
        seen.place[entry] = -1
    for entry in range(T):
        seen.task[entry] = 0.0
    for column in range(seen.action_mask.shape[0]):
        seen.action_mask[column], seen.instances[column] = 0, -1
        for row in range(F):
            seen.candidates[row, column] = 0.0
        for row in range(L):
            seen.labels[row, column] = 0.0


@part
def _remember(state: State, now_ms: float) -> None:
    """Note what is expected now of every trap link of which something was measured."""
    left = fade(now_ms)
    for listed in range(state.cursor[LISTED]):
        monitor = state.monitor[state.listed[listed]]
        settle(monitor, now_ms)
        monitor.remembered_ms = monitor.weight_ms * left


@part
def _see_candidates(
    topology: Topology,
    state: State,
    seen: Observation,
    scratch: Scratch,
    task: Any,
    progress: Any,
) -> None:
    """Every candidate: what it is, then what its node and the ways there and back are like."""
    stage, rows, columns = progress.stage, seen.candidates, seen.action_mask.shape[0]
    here, code = progress.at_node[stage], task.stage_type[stage]
    count = 0
    for slot in range(columns):
        scratch.nodes[slot] = topology.host[here, code, slot]
        seen.instances[slot] = topology.candidates[here, code, slot]
        seen.action_mask[slot] = seen.instances[slot] >= 0
        count += seen.action_mask[slot]
    _see_traits(topology, rows, here, code, np.float32(task.tokens[stage]), columns)
    _see_nodes(topology, state, scratch, rows, count, task, progress)
    for slot in range(count):
        rows[4, slot] *= np.float32(not is_resident(state, seen.instances[slot]))
    if state.cursor[INPUTS] == 1:
        for slot in range(count):
            scratch.work[THERE, slot] = topology.way[here, code, LATENCY_S, slot]
        for slot in range(count):
            scratch.work[TRANSMIT, slot] = state.inputs[0].megabytes * topology.way[here, code, S_PER_MB, slot]
        _recall_there(topology, state, scratch, count, here, code)
        _see_input(scratch, rows, count, True)
    else:
        _see_inputs(topology, state, scratch, rows, count)
    for row in range(F):
        for slot in range(count, columns):
            rows[row, slot] = 0.0
    _clamp(rows, columns)


@part
def _see_traits(
    topology: Topology, rows: NDArray[np.float32], here: int, code: int, tokens: np.float32, columns: int
) -> None:
    """What a candidate is, wherever the inputs are; 0 beyond the last. A loop a row: processors take it in strides."""
    for slot in range(columns):
        rows[4, slot] = topology.offer[here, code, LOAD_S, slot]
    for slot in range(columns):
        rows[5, slot] = tokens * topology.offer[here, code, S_PER_TOKEN, slot]
    for slot in range(columns):
        rows[6, slot] = topology.offer[here, code, IS_GOOD, slot]
    for slot in range(columns):
        rows[7, slot] = tokens * topology.offer[here, code, COST_PER_TOKEN, slot]
    for slot in range(columns):
        rows[10, slot] = topology.offer[here, code, NODE_SPEED, slot]
    for slot in range(columns):
        rows[12, slot] = 0.0


@part
def _clamp(rows: NDArray[np.float32], columns: int) -> None:
    for row in range(F):
        high = CANDIDATE_HIGH[row]
        for column in range(columns):
            value = rows[row, column]
            rows[row, column] = value if value < high else high


@rare
def _see_all(
    topology: Topology,
    state: State,
    seen: Observation,
    scratch: Scratch,
    task: Any,
    progress: Any,
) -> None:
    """Every instance of the region in its own column, those of other types left out: first by node, then spread."""
    nodes = topology.node.shape[0]
    for node in range(nodes):
        scratch.by_node[12, node] = 0.0
    _see_nodes(topology, state, scratch, scratch.by_node, nodes, task, progress)
    _see_inputs(topology, state, scratch, scratch.by_node, nodes)
    _clamp(scratch.by_node, nodes)
    _spread(topology, state, seen, scratch, task.stage_type[progress.stage], np.float32(task.tokens[progress.stage]))


@rare
def _spread(
    topology: Topology, state: State, seen: Observation, scratch: Scratch, code: int, tokens: np.float32
) -> None:
    """From nodes to the instances on them; a loop a row, as in `_see_traits`."""
    rows, count = seen.candidates, seen.action_mask.shape[0]
    for column in range(count):
        seen.action_mask[column] = topology.instance_type[column] == code
    for column in range(count):
        seen.instances[column] = column if topology.instance_type[column] == code else -1
    for row in (0, 1, 2, 3, 8, 9, 11, 12):
        for column in range(count):
            value = scratch.by_node[row, topology.instance_node[column]]
            rows[row, column] = value if topology.instance_type[column] == code else np.float32(0.0)
    for row, trait, scale in (
        (4, LOAD_S, np.float32(1.0)),
        (5, S_PER_TOKEN, tokens),
        (6, IS_GOOD, np.float32(1.0)),
        (7, COST_PER_TOKEN, tokens),
        (10, NODE_SPEED, np.float32(1.0)),
    ):
        high = CANDIDATE_HIGH[row]
        for column in range(count):
            value = scale * topology.every[trait, column]
            value = value if value < high else high
            rows[row, column] = value if topology.instance_type[column] == code else np.float32(0.0)
    for word in range(state.resident.shape[0]):
        if state.resident[word]:
            for column in range(64 * word, min(64 * (word + 1), count)):
                rows[4, column] *= np.float32(not is_resident(state, column))


@part
def _answer_mb(task: Any, stage: int) -> float:
    """The answer that the way back is seen for: the stage's own where nothing follows it, else the task's largest."""
    return float(task.output_mb[stage] if task.children[stage] == 0 else task.answer_mb)


@rare
def _published_down(topology: Topology, state: State, node: int, now_ms: float) -> np.float32:
    lose_what_failed(topology, state, node, period_slot(now_ms))
    return np.float32(state.outage[node].seen_down)


@part
def _see_nodes(
    topology: Topology,
    state: State,
    scratch: Scratch,
    rows: NDArray[np.float32],
    count: int,
    task: Any,
    progress: Any,
) -> None:
    """Of `count` nodes: their queues and memory, and what follows once the stage has run there."""
    stage, now, user = progress.stage, progress.ready_ms, task.user_node
    answer_mb, onward, period = _answer_mb(task, stage), _types_onward(task, stage), period_of(now)
    if state.rules[0].outage_enter > 0.0:
        for column in range(count):
            rows[12, column] = _published_down(topology, state, scratch.nodes[column], now)
    for column in range(count):
        node = scratch.nodes[column]
        server, back = state.server[node], topology.path[user, node]
        scratch.work[IDLE, column] = (published_free(server, period) - now) * _S_PER_MS
        rows[11, column] = server.stored_gb * topology.node[node].per_storage
        rows[9, column] = _onward_ms(topology, onward, node) * _S_PER_MS
        scratch.work[BACK, column] = (back.latency_ms + answer_mb * back.ms_per_mb) * _S_PER_MS
        scratch.place[column] = topology.place[user, node]
    _recall_back(topology, state, scratch, count, user)
    for column in range(count):
        rows[8, column] = scratch.work[BACK, column] + scratch.work[EXTRA_BACK, column]


@rare
def _see_inputs(topology: Topology, state: State, scratch: Scratch, rows: NDArray[np.float32], count: int) -> None:
    """Of the inputs, see at every node the one that would arrive last by what is known."""
    for number in range(state.cursor[INPUTS]):
        sent = state.inputs[number]
        for column in range(count):
            there = topology.path[scratch.nodes[column], sent.node]
            scratch.work[THERE, column] = there.latency_ms * _S_PER_MS
            scratch.work[TRANSMIT, column] = sent.megabytes * there.ms_per_mb * _S_PER_MS
            scratch.work[EXTRA, column] = _remembered_s(topology, state, sent.node, scratch.nodes[column])
        _see_input(scratch, rows, count, number == 0)


@part
def _see_input(scratch: Scratch, rows: NDArray[np.float32], count: int, is_first: bool) -> None:
    """What an input meets on its way and on arrival, unless an earlier one arrives later."""
    work = scratch.work
    for column in range(count):
        takes = work[THERE, column] + work[TRANSMIT, column] + work[EXTRA, column]
        if not is_first and takes <= work[SLOWEST, column]:
            continue
        work[SLOWEST, column] = takes
        rows[0, column] = work[THERE, column]
        rows[1, column] = work[TRANSMIT, column]
        rows[2, column] = work[EXTRA, column]
        wait = work[IDLE, column] - takes
        rows[3, column] = wait if wait > 0.0 else 0.0


@part
def _recall_there(topology: Topology, state: State, scratch: Scratch, count: int, here: int, code: int) -> None:
    """Sum up what is remembered of the trap links on the way to every candidate, link by link, in s."""
    for column in range(count):
        scratch.work[EXTRA, column] = 0.0
    for listed in range(state.cursor[LISTED]):
        trap = int(state.listed[listed])
        word, bit, remembered_s = trap >> 6, np.uint64(trap & 63), state.monitor[trap].remembered_ms * _S_PER_MS
        for column in range(count):
            crosses = topology.trap_bits[here, code, word, column] >> bit & np.uint64(1)
            scratch.work[EXTRA, column] += remembered_s if crosses else 0.0


@part
def _recall_back(topology: Topology, state: State, scratch: Scratch, count: int, user: int) -> None:
    """The same on the way from every node to the user."""
    for column in range(count):
        scratch.work[EXTRA_BACK, column] = 0.0
    for listed in range(state.cursor[LISTED]):
        trap = int(state.listed[listed])
        first, after = int(topology.span[user, trap, 0]), int(topology.span[user, trap, 1])
        remembered_s = state.monitor[trap].remembered_ms * _S_PER_MS
        for column in range(count):
            crosses = first <= scratch.place[column] and scratch.place[column] < after
            scratch.work[EXTRA_BACK, column] += remembered_s if crosses else 0.0


@part
def _types_onward(task: Any, stage: int) -> np.uint64:
    """Bits of the types that the children of a stage need."""
    types, children, child = np.uint64(0), task.children[stage] >> (stage + 1), stage + 1
    while children:
        if children & 1:
            types |= np.uint64(1) << np.uint64(task.stage_type[child])
        child += 1
        children >>= 1
    return types


@part
def _onward_ms(topology: Topology, types: np.uint64, node: int) -> float:
    """The longest of the quickest times from `node` to the types whose bits are given, 0 of none."""
    longest, code = 0.0, 0
    while types:
        if types & np.uint64(1):
            longest = max(longest, topology.onward_ms[node, code])
        types >>= np.uint64(1)
        code += 1
    return longest


@part
def _remembered_s(topology: Topology, state: State, source: int, target: int) -> float:
    """Sum of what is remembered of the trap links of the path from `source` to `target`, in s."""
    total, place = 0.0, topology.place[target, source]
    for listed in range(state.cursor[LISTED]):
        trap = state.listed[listed]
        if topology.span[target, trap, 0] <= place and place < topology.span[target, trap, 1]:
            total += state.monitor[trap].remembered_ms
    return total * _S_PER_MS


@rare
def _see_labels(topology: Topology, state: State, seen: Observation, task: Any, progress: Any) -> None:
    """Write what no operator knows of every candidate (`edgebench.tracks.route.features.LABELS`)."""
    stage, now = progress.stage, progress.ready_ms
    answer_mb = _answer_mb(task, stage)
    for column in range(seen.action_mask.shape[0]):
        for row in range(L):
            seen.labels[row, column] = 0.0
        if seen.action_mask[column]:
            node = topology.instance_node[seen.instances[column]]
            sent = state.inputs[_due_last(topology, state, node)]
            there = path_extra(topology, state, sent.node, node, sent.megabytes, now) * _S_PER_MS
            back = path_extra(topology, state, node, task.user_node, answer_mb, now) * _S_PER_MS
            seen.labels[0, column], seen.labels[1, column] = min(there, LABEL_HIGH[0]), min(back, LABEL_HIGH[1])
            seen.labels[2, column] = is_down_now(state, node, now) if state.rules[0].outage_enter > 0.0 else 0.0


@rare
def _due_last(topology: Topology, state: State, node: int) -> int:
    """The input whose path to a node is seen: that which would arrive last by what is known, of equals the first."""
    last, slowest_s = 0, -1.0
    for number in range(state.cursor[INPUTS]):
        sent = state.inputs[number]
        there = topology.path[node, sent.node]
        takes_s = there.latency_ms * _S_PER_MS + sent.megabytes * there.ms_per_mb * _S_PER_MS
        takes_s += _remembered_s(topology, state, sent.node, node)
        if takes_s > slowest_s:
            last, slowest_s = number, takes_s
    return last


@part
def _see_task(topology: Topology, task: Any, progress: Any, seen: Observation, in_flight: float) -> None:
    stage, stages, entries = progress.stage, task.stages, seen.task
    for entry in range(T):
        entries[entry] = 0.0
    entries[0] = task.quality_weight
    entries[1] = task.speed_weight
    entries[2] = task.deadline_ms / 1000.0
    entries[3] = (progress.ready_ms - progress.born_ms) / 1000.0
    entries[5] = stages / 10.0
    entries[6 + topology.kind[task.stage_type[stage]]] = 1.0
    undecided = 0
    for other in range(stages):
        of_kind = topology.kind[task.stage_type[other]]
        if task.children[stage] >> other & 1:
            entries[6 + _KINDS + of_kind] = 1.0
        if progress.undecided >> other & 1:
            undecided += 1
            if other != stage:
                entries[6 + 2 * _KINDS + of_kind] += 0.1
    entries[4] = undecided / 10.0
    first = 6 + 3 * _KINDS
    entries[first] = task.tokens[stage] / 1000.0
    entries[first + 1] = task.payload_mb[stage]
    entries[first + 2] = progress.quality_sum / stages
    entries[first + 3] = progress.cost_usd / COST_REF_USD
    entries[first + 4] = in_flight
    for entry in range(T):
        entries[entry] = min(entries[entry], TASK_HIGH[entry])
