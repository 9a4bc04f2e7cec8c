"""What an agent sees of the Route track, written into preallocated feature-major buffers."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, COST_REF_USD, LOAD_GB_PER_S, MODEL_TYPES, WINDOW_TASKS
from edgebench.sim.compiled import compiled
from edgebench.sim.features import CANDIDATE_FEATURES, TASK_FEATURES, F, T
from edgebench.sim.route import published_free
from edgebench.sim.state import State, Tasks
from edgebench.sim.topology import Topology
from edgebench.sim.traps import remembered

_KINDS: Final = len(MODEL_TYPES)
_S_PER_MS: Final = 0.001
CANDIDATE_HIGH: Final = np.array([feature.high for feature in CANDIDATE_FEATURES], np.float32)
TASK_HIGH: Final = np.array([feature.high for feature in TASK_FEATURES], np.float32)


PLACES: Final = 5


class Observation(NamedTuple):
    """Buffers of one observation; K candidates."""

    candidates: NDArray[np.float32]  # (F, K)
    task: NDArray[np.float32]  # (T,)
    action_mask: NDArray[np.int8]  # (K,) 1 where a candidate stands
    instances: NDArray[np.int32]  # (K,) instance ids, -1 beyond the last candidate
    place: NDArray[np.int64]  # (PLACES,) row in the split, number in the window (-1: over), stage, node, user's node


def new_observation() -> Observation:
    """Allocate the buffers of one observation."""
    return Observation(
        np.zeros((F, CANDIDATES), np.float32),
        np.zeros(T, np.float32),
        np.zeros(CANDIDATES, np.int8),
        np.full(CANDIDATES, -1, np.int32),
        np.full(PLACES, -1, np.int64),
    )


@compiled
def observe(topology: Topology, tasks: Tasks, state: State, seen: Observation) -> None:
    """Write the observation of the task whose turn it is; all zeros when the episode is over."""
    seen.candidates[:] = 0.0
    seen.task[:] = 0.0
    seen.action_mask[:] = 0
    seen.instances[:] = -1
    number = state.cursor[2]
    seen.place[1] = number
    if number < 0:
        return
    task, progress = tasks[state.cursor[0] + number], state.progress[number]
    for monitor in state.monitor:
        monitor.remembered_ms = remembered(monitor, progress.ready_ms)
    _see_candidates(topology, state, seen, task, progress)
    seen.place[0], seen.place[2] = state.cursor[0] + number, progress.stage
    seen.place[3], seen.place[4] = progress.at_node[progress.stage], task.user_node
    _see_task(topology.kind, task, progress, seen.task, tasks[state.cursor[0]].arrival_ms)
    seen.task[T - 1] = _in_flight(tasks, state, progress.ready_ms) / WINDOW_TASKS
    np.minimum(seen.task, TASK_HIGH, seen.task)


@compiled
def _see_candidates(topology: Topology, state: State, seen: Observation, task: Any, progress: Any) -> None:
    stage, now, first, user = progress.stage, progress.ready_ms, state.inputs[0], task.user_node
    path, monitor = topology.path, state.monitor
    answer_mb = task.answer_mb if task.children[stage] else task.output_mb[stage]
    offered = topology.candidates[progress.at_node[stage], task.stage_type[stage]]
    for slot in range(offered.size):
        number = offered[slot]
        if number < 0:
            break
        seen.instances[slot] = number
        seen.action_mask[slot] = 1
        instance = topology.instance[number]
        node, server = topology.node[instance.node], state.server[instance.node]
        _see_costs(seen.candidates, slot, instance, node, task.tokens[stage])
        extra = _remembered_on_path(path, monitor, first.node, instance.node)
        extra_back = _remembered_on_path(path, monitor, instance.node, user)
        there, back = path[instance.node, first.node], path[user, instance.node]
        _see_times(seen.candidates, slot, there, first.megabytes, extra, server, now)
        seen.candidates[8, slot] = (back.latency_ms + answer_mb * back.ms_per_mb + extra_back) * _S_PER_MS
        seen.candidates[4, slot] = 0.0 if state.residence[number].resident else instance.memory_gb / LOAD_GB_PER_S
        seen.candidates[11, slot] = server.stored_gb / node.storage_gb
    _see_onward(topology, seen, task, task.children[stage])
    if state.cursor[3] > 1:
        _see_last_inputs(topology, state, seen, now)
    for row in range(F):
        for slot in range(CANDIDATES):
            seen.candidates[row, slot] = min(seen.candidates[row, slot], CANDIDATE_HIGH[row])


@compiled
def _see_costs(seen: NDArray[np.float32], slot: int, instance: Any, node: Any, tokens: float) -> None:
    seen[5, slot] = tokens * instance.work / node.speed * _S_PER_MS
    seen[6, slot] = instance.quality
    seen[7, slot] = instance.usd_per_token * tokens / COST_REF_USD
    seen[10, slot] = node.speed


@compiled
def _see_times(
    seen: NDArray[np.float32], slot: int, there: Any, megabytes: float, extra_ms: float, server: Any, now_ms: float
) -> None:
    transmission = megabytes * there.ms_per_mb
    wait = published_free(server, now_ms) - (now_ms + there.latency_ms + transmission + extra_ms)
    seen[0, slot] = there.latency_ms * _S_PER_MS
    seen[1, slot] = transmission * _S_PER_MS
    seen[2, slot] = extra_ms * _S_PER_MS
    seen[3, slot] = max(0.0, wait) * _S_PER_MS


@compiled
def _see_last_inputs(topology: Topology, state: State, seen: Observation, now_ms: float) -> None:
    """Of several inputs, see the one that would arrive last by what is known."""
    path, monitor, inputs = topology.path, state.monitor, state.inputs[: state.cursor[3]]
    for slot in range(CANDIDATES):
        if seen.instances[slot] < 0:
            break
        node = topology.instance[seen.instances[slot]].node
        slowest = -np.inf
        for sent in inputs:
            there = path[node, sent.node]
            extra = _remembered_on_path(path, monitor, sent.node, node)
            time = there.latency_ms + sent.megabytes * there.ms_per_mb + extra
            if time > slowest:
                slowest = time
                _see_times(seen.candidates, slot, there, sent.megabytes, extra, state.server[node], now_ms)


@compiled
def _see_onward(topology: Topology, seen: Observation, task: Any, children: int) -> None:
    """The longest of the quickest times of a stage's children."""
    child = 0
    while children:
        if children & 1:
            code = task.stage_type[child]
            for slot in range(CANDIDATES):
                if seen.instances[slot] < 0:
                    break
                onward_ms = topology.onward_ms[topology.instance[seen.instances[slot]].node, code]
                seen.candidates[9, slot] = max(seen.candidates[9, slot], np.float32(onward_ms * _S_PER_MS))
        child += 1
        children >>= 1


@compiled
def _remembered_on_path(path: NDArray[Any], monitor: NDArray[Any], source: int, target: int) -> float:
    total = 0.0
    leg = path[target, source]
    while leg.next_trap >= 0:
        total += monitor[leg.next_trap].remembered_ms
        leg = path[target, leg.past_trap]
    return total


@compiled
def _see_task(
    kind: NDArray[np.int8], task: Any, progress: Any, seen: NDArray[np.float32], window_start_ms: float
) -> None:
    stage, stages = progress.stage, task.stages
    seen[0] = task.quality_weight
    seen[1] = task.speed_weight
    seen[2] = task.deadline_ms / 1000.0
    seen[3] = (progress.ready_ms - (task.arrival_ms - window_start_ms)) / 1000.0
    seen[5] = stages / 10.0
    seen[6 + kind[task.stage_type[stage]]] = 1.0
    undecided = 0
    for other in range(stages):
        of_kind = kind[task.stage_type[other]]
        if task.children[stage] >> other & 1:
            seen[6 + _KINDS + of_kind] = 1.0
        if progress.undecided >> other & 1:
            undecided += 1
            if other != stage:
                seen[6 + 2 * _KINDS + of_kind] += 0.1
    seen[4] = undecided / 10.0
    entry = 6 + 3 * _KINDS
    seen[entry] = task.tokens[stage] / 1000.0
    seen[entry + 1] = task.payload_mb[stage]
    seen[entry + 2] = progress.quality_sum / stages
    seen[entry + 3] = progress.cost_usd / COST_REF_USD


@compiled
def _in_flight(tasks: Tasks, state: State, now_ms: float) -> int:
    count = 0
    for number in range(state.cursor[1]):
        arrived = tasks[state.cursor[0] + number].arrival_ms - tasks[state.cursor[0]].arrival_ms <= now_ms
        count += arrived and state.ready_ms[number] < np.inf
    return count
