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

_TYPES = len(MODEL_TYPES)
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
    offered = topology.candidates[progress.at_node, task.stage_type[progress.stage]]
    for slot in range(offered.size):
        if offered[slot] < 0:
            break
        seen.instances[slot] = offered[slot]
        seen.action_mask[slot] = 1
        _see_candidate(topology, state, seen.candidates, slot, offered[slot], task, progress)
    seen.place[0], seen.place[2] = state.cursor[0] + number, progress.stage
    seen.place[3], seen.place[4] = progress.at_node, task.user_node
    _see_task(task, progress, seen.task, tasks[state.cursor[0]].arrival_ms)
    seen.task[T - 1] = _in_flight(tasks, state, progress.ready_ms) / WINDOW_TASKS
    np.minimum(seen.task, TASK_HIGH, seen.task)


@compiled
def _see_candidate(
    topology: Topology,
    state: State,
    seen: NDArray[np.float32],
    slot: int,
    number: int,
    task: Any,
    progress: Any,
) -> None:
    instance, source, now = topology.instance[number], progress.at_node, progress.ready_ms
    node, server = topology.node[instance.node], state.server[instance.node]
    there, back = topology.path[instance.node, source], topology.path[task.user_node, instance.node]
    tokens, stage = task.tokens[progress.stage], progress.stage
    extra = _remembered_on_path(topology, state, source, instance.node)
    extra_back = _remembered_on_path(topology, state, instance.node, task.user_node)
    transmission = task.payload_mb[stage] * there.ms_per_mb
    wait = published_free(server, now) - (now + there.latency_ms + transmission + extra)
    _put(seen, 0, slot, there.latency_ms / 1000.0)
    _put(seen, 1, slot, transmission / 1000.0)
    _put(seen, 2, slot, extra / 1000.0)
    _put(seen, 3, slot, max(0.0, wait) / 1000.0)
    _put(seen, 4, slot, 0.0 if state.residence[number].resident else instance.memory_gb / LOAD_GB_PER_S)
    _put(seen, 5, slot, tokens * instance.work / node.speed / 1000.0)
    _put(seen, 6, slot, instance.quality)
    _put(seen, 7, slot, instance.usd_per_token * tokens / COST_REF_USD)
    _put(seen, 8, slot, (back.latency_ms + task.answer_mb * back.ms_per_mb + extra_back) / 1000.0)
    if stage + 1 < task.stages:
        _put(seen, 9, slot, node.onward_ms[task.stage_type[stage + 1]] / 1000.0)
    _put(seen, 10, slot, node.speed)
    _put(seen, 11, slot, server.stored_gb / node.storage_gb)


@compiled
def _put(seen: NDArray[np.float32], row: int, slot: int, value: float) -> None:
    seen[row, slot] = min(value, CANDIDATE_HIGH[row])


@compiled
def _remembered_on_path(topology: Topology, state: State, source: int, target: int) -> float:
    total = 0.0
    node = source
    while topology.path[target, node].next_trap >= 0:
        path = topology.path[target, node]
        total += state.monitor[path.next_trap].remembered_ms
        node = path.past_trap
    return total


@compiled
def _see_task(task: Any, progress: Any, seen: NDArray[np.float32], window_start_ms: float) -> None:
    stage, stages = progress.stage, task.stages
    seen[0] = task.quality_weight
    seen[1] = task.speed_weight
    seen[2] = task.deadline_ms / 1000.0
    seen[3] = (progress.ready_ms - (task.arrival_ms - window_start_ms)) / 1000.0
    seen[4] = (stages - stage) / 10.0
    seen[5] = stages / 10.0
    seen[6 + task.stage_type[stage]] = 1.0
    if stage + 1 < stages:
        seen[6 + _TYPES + task.stage_type[stage + 1]] = 1.0
    for later in range(stage + 1, stages):
        seen[6 + 2 * _TYPES + task.stage_type[later]] += 0.1
    entry = 6 + 3 * _TYPES
    seen[entry] = task.tokens[stage] / 1000.0
    seen[entry + 1] = task.payload_mb[stage]
    seen[entry + 2] = progress.quality_sum / stages
    seen[entry + 3] = progress.cost_usd / COST_REF_USD


@compiled
def _in_flight(tasks: Tasks, state: State, now_ms: float) -> int:
    count = 0
    for number in range(state.cursor[1]):
        arrived = tasks[state.cursor[0] + number].arrival_ms - tasks[state.cursor[0]].arrival_ms <= now_ms
        count += arrived and state.progress[number].ready_ms < np.inf
    return count
