"""What an agent sees of the Route track, written into preallocated feature-major buffers."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, COST_REF_USD, MODEL_TYPES, WINDOW_TASKS
from edgebench.sim.compiled import part
from edgebench.sim.features import CANDIDATE_FEATURES, LABELS, TASK_FEATURES, F, L, T
from edgebench.sim.outages import is_down_now, period_slot
from edgebench.sim.servers import is_resident, lose_what_failed, period_of, published_free
from edgebench.sim.state import ARRIVED, ENDED, INPUTS, LISTED, TURN, State, Tasks
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
from edgebench.sim.transfers import path_extra
from edgebench.sim.traps import remembered

_KINDS: Final = len(MODEL_TYPES)
_S_PER_MS: Final = 0.001
CANDIDATE_HIGH: Final = np.array([feature.high for feature in CANDIDATE_FEATURES], np.float32)
TASK_HIGH: Final = np.array([feature.high for feature in TASK_FEATURES], np.float32)
LABEL_HIGH: Final = np.array([label.high for label in LABELS], np.float32)
PLACES: Final = 5


class Observation(NamedTuple):
    """Buffers of one observation; K candidates, or all instances where every one is offered; N nodes."""

    candidates: NDArray[np.float32]  # (F, K)
    task: NDArray[np.float32]  # (T,)
    action_mask: NDArray[np.int8]  # (K,) 1 where a candidate stands
    instances: NDArray[np.int32]  # (K,) instance ids, -1 beyond the last candidate
    place: NDArray[np.int64]  # (PLACES,) row in the split, number in the window (-1: over), stage, node, user's node
    labels: NDArray[np.float32]  # (L, K) written where the rules say so
    by_node: NDArray[np.float32]  # (F, N) what every instance takes from its node, where all are offered


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
        np.zeros((count, F, topology.node.size), np.float32),
    )


@part
def observe(topology: Topology, tasks: Tasks, state: State, seen: Observation) -> None:
    """Write the observation of the task whose turn it is; all zeros when the episode is over."""
    number = state.cursor[TURN]
    seen.place[1] = number
    if number < 0:
        _clear(seen)
        return
    progress = state.progress[number]
    task, stage = tasks[progress.row], progress.stage
    seen.place[0], seen.place[2] = progress.row, stage
    seen.place[3], seen.place[4] = progress.at_node[stage], task.user_node
    in_flight = (state.cursor[ARRIVED] - state.cursor[ENDED]) / WINDOW_TASKS
    _see_task(topology, task, progress, seen, in_flight)
    remembers = _remember(state, progress.ready_ms)
    if state.rules[0].sees_all:
        _see_all(topology, state, seen, task, progress, remembers)
    else:
        _see_candidates(topology, state, seen, task, progress, remembers)
    if state.rules[0].privileged:
        _see_labels(topology, state, seen, task, progress)


@part
def _clear(seen: Observation) -> None:
    for entry in range(T):
        seen.task[entry] = 0.0
    for column in range(seen.action_mask.shape[0]):
        seen.action_mask[column], seen.instances[column] = 0, -1
        for row in range(F):
            seen.candidates[row, column] = 0.0
        for row in range(L):
            seen.labels[row, column] = 0.0


@part
def _remember(state: State, now_ms: float) -> np.uint64:
    """Note what is expected of every trap link now; the bits (as `trap_bits`) of those of which anything is."""
    bits = np.uint64(0)
    for place in range(state.cursor[LISTED]):
        trap = state.listed[place]
        monitor = state.monitor[trap]
        monitor.remembered_ms = remembered(monitor, now_ms)
        if monitor.remembered_ms != 0.0:
            bits |= np.uint64(1) << np.uint64(trap % 64)
    return bits


@part
def _see_candidates(
    topology: Topology, state: State, seen: Observation, task: Any, progress: Any, remembers: np.uint64
) -> None:
    """Every candidate: what it is, then what its node and the ways there and back are like."""
    stage, now, rows = progress.stage, progress.ready_ms, seen.candidates
    here, code = progress.at_node[stage], task.stage_type[stage]
    count = 0
    for slot in range(CANDIDATES):
        seen.instances[slot] = topology.candidates[here, code, slot]
        seen.action_mask[slot] = seen.instances[slot] >= 0
        count += seen.action_mask[slot]
    tokens, outages = np.float32(task.tokens[stage]), state.rules[0].outage_enter > 0.0
    for slot in range(CANDIDATES):
        rows[5, slot] = tokens * topology.offer[here, code, S_PER_TOKEN, slot]
        rows[6, slot] = topology.offer[here, code, IS_GOOD, slot]
        rows[7, slot] = tokens * topology.offer[here, code, COST_PER_TOKEN, slot]
        rows[10, slot] = topology.offer[here, code, NODE_SPEED, slot]
        rows[12, slot] = 0.0
    one_input, megabytes, answer_mb = state.cursor[INPUTS] == 1, state.inputs[0].megabytes, _answer_mb(task, stage)
    for slot in range(count):
        node = int(topology.host[here, code, slot])
        if outages:
            rows[12, slot] = _published_down(topology, state, node, now)
        if one_input:
            latency_s = topology.way[here, code, LATENCY_S, slot]
            transmission_s = megabytes * topology.way[here, code, S_PER_MB, slot]
            extra_s = 0.0
            if topology.trap_bits[here, code, slot] & remembers:
                extra_s = _remembered_s(topology, state, here, node)
            _see_arrival(state, rows, slot, node, latency_s, transmission_s, extra_s, now)
        else:
            _see_last_input(topology, state, rows, slot, node, now, remembers)
        resident = is_resident(state, seen.instances[slot])
        rows[4, slot] = np.float32(0.0) if resident else topology.offer[here, code, LOAD_S, slot]
        _see_node(topology, state, rows, slot, node, task, stage, answer_mb, remembers)
    for slot in range(count, CANDIDATES):
        for row in range(F):
            rows[row, slot] = 0.0
    for row in range(F):
        for slot in range(CANDIDATES):
            rows[row, slot] = min(rows[row, slot], CANDIDATE_HIGH[row])


@part
def _see_all(
    topology: Topology, state: State, seen: Observation, task: Any, progress: Any, remembers: np.uint64
) -> None:
    """Every instance of the region in its own column, those of other types left out: first by node, then spread."""
    stage, now, by_node = progress.stage, progress.ready_ms, seen.by_node
    answer_mb = _answer_mb(task, stage)
    for node in range(topology.node.shape[0]):
        by_node[12, node] = _published_down(topology, state, node, now) if state.rules[0].outage_enter > 0.0 else 0.0
        _see_last_input(topology, state, by_node, node, node, now, remembers)
        _see_node(topology, state, by_node, node, node, task, stage, answer_mb, remembers)
        for row in range(F):
            by_node[row, node] = min(by_node[row, node], CANDIDATE_HIGH[row])
    _spread(topology, state, seen, task.stage_type[stage], np.float32(task.tokens[stage]))


@part
def _spread(topology: Topology, state: State, seen: Observation, code: int, tokens: np.float32) -> None:
    rows, count = seen.candidates, topology.instance.shape[0]
    for column in range(count):
        fits = topology.instance_type[column] == code
        seen.action_mask[column] = fits
        seen.instances[column] = column if fits else -1
    for row in (0, 1, 2, 3, 8, 9, 11, 12):
        for column in range(count):
            node = topology.instance[column].node
            rows[row, column] = seen.by_node[row, node] if seen.action_mask[column] else np.float32(0.0)
    for column in range(count):
        fits = np.float32(seen.action_mask[column])
        rows[5, column] = min(fits * tokens * topology.every[S_PER_TOKEN, column], CANDIDATE_HIGH[5])
        rows[6, column] = fits * topology.every[IS_GOOD, column]
        rows[7, column] = min(fits * tokens * topology.every[COST_PER_TOKEN, column], CANDIDATE_HIGH[7])
        rows[10, column] = min(fits * topology.every[NODE_SPEED, column], CANDIDATE_HIGH[10])
        loading_s = np.float32(0.0) if is_resident(state, column) else fits * topology.every[LOAD_S, column]
        rows[4, column] = min(loading_s, CANDIDATE_HIGH[4])


@part
def _answer_mb(task: Any, stage: int) -> float:
    """The answer that the way back is seen for: the stage's own where nothing follows it, else the task's largest."""
    return float(task.output_mb[stage] if task.children[stage] == 0 else task.answer_mb)


@part
def _published_down(topology: Topology, state: State, node: int, now_ms: float) -> np.float32:
    lose_what_failed(topology, state, node, period_slot(now_ms))
    return np.float32(state.outage[node].seen_down)


@part
def _see_arrival(
    state: State,
    rows: NDArray[np.float32],
    column: int,
    node: int,
    latency_s: float,
    transmission_s: float,
    extra_s: float,
    now_ms: float,
) -> None:
    """What an input meets on its way and on arrival."""
    idle_s = (published_free(state.server[node], period_of(now_ms)) - now_ms) * _S_PER_MS
    rows[0, column] = latency_s
    rows[1, column] = transmission_s
    rows[2, column] = extra_s
    rows[3, column] = max(0.0, idle_s - latency_s - transmission_s - extra_s)


@part
def _see_last_input(
    topology: Topology,
    state: State,
    rows: NDArray[np.float32],
    column: int,
    node: int,
    now_ms: float,
    remembers: np.uint64,
) -> None:
    """Of the inputs, see the one that would arrive last by what is known."""
    slowest = -np.inf
    for number in range(state.cursor[INPUTS]):
        sent = state.inputs[number]
        there = topology.path[node, sent.node]
        latency_s, transmission_s = there.latency_ms * _S_PER_MS, sent.megabytes * there.ms_per_mb * _S_PER_MS
        extra_s = _remembered_s(topology, state, sent.node, node) if there.trap_bits & remembers else 0.0
        if latency_s + transmission_s + extra_s > slowest:
            slowest = latency_s + transmission_s + extra_s
            _see_arrival(state, rows, column, node, latency_s, transmission_s, extra_s, now_ms)


@part
def _see_node(
    topology: Topology,
    state: State,
    rows: NDArray[np.float32],
    column: int,
    node: int,
    task: Any,
    stage: int,
    answer_mb: float,
    remembers: np.uint64,
) -> None:
    """What follows once the stage has run on a node, and how full that is."""
    back = topology.path[task.user_node, node]
    extra_s = _remembered_s(topology, state, node, task.user_node) if back.trap_bits & remembers else 0.0
    rows[8, column] = (back.latency_ms + answer_mb * back.ms_per_mb) * _S_PER_MS + extra_s
    rows[9, column] = _onward_ms(topology, task, task.children[stage], node) * _S_PER_MS
    rows[11, column] = state.server[node].stored_gb / topology.node[node].storage_gb


@part
def _onward_ms(topology: Topology, task: Any, children: int, node: int) -> float:
    """The longest of the quickest times of a stage's children from `node`, 0 of none."""
    longest, child = 0.0, 0
    while children >> child:
        if children >> child & 1:
            longest = max(longest, topology.onward_ms[node, task.stage_type[child]])
        child += 1
    return longest


@part
def _remembered_s(topology: Topology, state: State, source: int, target: int) -> float:
    """Sum of what is remembered of the trap links of the path from `source` to `target`, in s."""
    total, node = 0.0, source
    while topology.path[target, node].next_trap >= 0:
        path = topology.path[target, node]
        if state.monitor[path.next_trap].is_listed:
            total += state.monitor[path.next_trap].remembered_ms
        node = path.past_trap
    return total * _S_PER_MS


@part
def _see_labels(topology: Topology, state: State, seen: Observation, task: Any, progress: Any) -> None:
    """Write what no operator knows of every candidate (`edgebench.sim.features.LABELS`)."""
    stage, now = progress.stage, progress.ready_ms
    sent, answer_mb = state.inputs[0], _answer_mb(task, stage)
    for column in range(seen.action_mask.shape[0]):
        for row in range(L):
            seen.labels[row, column] = 0.0
        if seen.action_mask[column]:
            node = topology.instance[seen.instances[column]].node
            there = path_extra(topology, state, sent.node, node, sent.megabytes, now) * _S_PER_MS
            back = path_extra(topology, state, node, task.user_node, answer_mb, now) * _S_PER_MS
            seen.labels[0, column], seen.labels[1, column] = min(there, LABEL_HIGH[0]), min(back, LABEL_HIGH[1])
            seen.labels[2, column] = is_down_now(state, node, now) if state.rules[0].outage_enter > 0.0 else 0.0


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
