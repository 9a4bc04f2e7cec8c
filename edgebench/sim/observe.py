"""What an agent sees of the Route track, written into preallocated feature-major buffers."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, COST_REF_USD, LOAD_GB_PER_S, MODEL_TYPES, WINDOW_TASKS
from edgebench.sim.compiled import part
from edgebench.sim.features import CANDIDATE_FEATURES, TASK_FEATURES, F, T
from edgebench.sim.route import period_of, published_free
from edgebench.sim.state import ARRIVED, ENDED, FIRST, INPUTS, TURN, State, Tasks
from edgebench.sim.topology import Topology
from edgebench.sim.traps import fold, remembered

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


@part
def observe(topology: Topology, tasks: Tasks, state: State, seen: Observation) -> None:
    """Write the observation of the task whose turn it is; all zeros when the episode is over."""
    number = state.cursor[TURN]
    seen.place[1] = number
    seen.task[:] = 0.0
    if number < 0:
        _clear_from(seen, 0)
        return
    row = state.cursor[FIRST] + number
    task, progress = tasks[row], state.progress[number]
    _see_candidates(topology, state, seen, task, progress)
    seen.place[0], seen.place[2] = row, progress.stage
    seen.place[3], seen.place[4] = progress.at_node[progress.stage], task.user_node
    _see_task(topology.kind, task, progress, seen.task, tasks[state.cursor[FIRST]].arrival_ms)
    seen.task[T - 1] = (state.cursor[ARRIVED] - state.cursor[ENDED]) / WINDOW_TASKS
    for entry in range(T):
        seen.task[entry] = min(seen.task[entry], TASK_HIGH[entry])


@part
def _clear_from(seen: Observation, first: int) -> None:
    for slot in range(first, CANDIDATES):
        seen.action_mask[slot], seen.instances[slot] = 0, -1
        for row in range(F):
            seen.candidates[row, slot] = 0.0


@part
def _see_candidates(topology: Topology, state: State, seen: Observation, task: Any, progress: Any) -> None:
    stage, now, user = progress.stage, progress.ready_ms, task.user_node
    here, code, is_leaf = progress.at_node[stage], task.stage_type[stage], task.children[stage] == 0
    answer_mb = task.output_mb[stage] if is_leaf else task.answer_mb
    rows, sent, period = seen.candidates, state.inputs[0].megabytes, period_of(now)
    remembers, several = _remember(topology, state, now), state.cursor[INPUTS] > 1
    for slot in range(CANDIDATES):
        offer = topology.offer[here, code, slot]
        if offer.instance < 0:
            _clear_from(seen, slot)
            break
        seen.instances[slot], seen.action_mask[slot] = offer.instance, 1
        instance, node = topology.instance[offer.instance], topology.node[offer.node]
        server, back = state.server[offer.node], topology.path[user, offer.node]
        extra_back = _remembered_on_path(topology, state, back.next_trap, back.past_trap, user) if remembers else 0.0
        _see_costs(rows, slot, instance, node, task.tokens[stage])
        resident = state.resident[offer.instance]
        rows[4, slot] = min(np.float32(0.0 if resident else instance.memory_gb / LOAD_GB_PER_S), CANDIDATE_HIGH[4])
        return_ms = back.latency_ms + answer_mb * back.ms_per_mb + extra_back
        rows[8, slot] = min(np.float32(return_ms * _S_PER_MS), CANDIDATE_HIGH[8])
        onward_ms = _onward_ms(topology, task, task.children[stage], offer.node)
        rows[9, slot] = min(np.float32(onward_ms * _S_PER_MS), CANDIDATE_HIGH[9])
        rows[11, slot] = min(np.float32(server.stored_gb / node.storage_gb), CANDIDATE_HIGH[11])
        if several:
            _see_last_input(topology, state, rows, slot, offer.node, published_free(server, period), now)
            continue
        extra = _remembered_on_path(topology, state, offer.next_trap, offer.past_trap, offer.node) if remembers else 0.0
        _see_times(rows, slot, offer, sent, extra, published_free(server, period), now)


@part
def _see_costs(rows: NDArray[np.float32], slot: int, instance: Any, node: Any, tokens: float) -> None:
    rows[5, slot] = min(np.float32(tokens * instance.work / node.speed * _S_PER_MS), CANDIDATE_HIGH[5])
    rows[6, slot] = min(np.float32(instance.quality), CANDIDATE_HIGH[6])
    rows[7, slot] = min(np.float32(instance.usd_per_token * tokens / COST_REF_USD), CANDIDATE_HIGH[7])
    rows[10, slot] = min(np.float32(node.speed), CANDIDATE_HIGH[10])


@part
def _see_times(
    rows: NDArray[np.float32], slot: int, there: Any, megabytes: float, extra_ms: float, free_ms: float, now_ms: float
) -> None:
    """What an input meets on its way and on arrival.

    A stage with one input or none is decided where that is, so that its candidates' paths are those of the offers.
    """
    transmission = megabytes * there.ms_per_mb
    wait = free_ms - (now_ms + there.latency_ms + transmission + extra_ms)
    rows[0, slot] = min(np.float32(there.latency_ms * _S_PER_MS), CANDIDATE_HIGH[0])
    rows[1, slot] = min(np.float32(transmission * _S_PER_MS), CANDIDATE_HIGH[1])
    rows[2, slot] = min(np.float32(extra_ms * _S_PER_MS), CANDIDATE_HIGH[2])
    rows[3, slot] = min(np.float32(max(0.0, wait) * _S_PER_MS), CANDIDATE_HIGH[3])


@part
def _see_last_input(
    topology: Topology, state: State, rows: NDArray[np.float32], slot: int, node: int, free_ms: float, now_ms: float
) -> None:
    """Of several inputs, see the one that would arrive last by what is known."""
    slowest = -np.inf
    for number in range(state.cursor[INPUTS]):
        sent = state.inputs[number]
        there = topology.path[node, sent.node]
        extra = _remembered_on_path(topology, state, there.next_trap, there.past_trap, node)
        time = there.latency_ms + sent.megabytes * there.ms_per_mb + extra
        if time > slowest:
            slowest = time
            _see_times(rows, slot, there, sent.megabytes, extra, free_ms, now_ms)


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
def _remember(topology: Topology, state: State, now_ms: float) -> bool:
    """Note what is expected of every trap link now; whether anything is of any."""
    anything = False
    for trap in range(topology.trap.shape[0]):
        monitor = state.monitor[trap]
        fold(monitor, now_ms)
        monitor.remembered_ms = remembered(monitor, now_ms)
        anything |= monitor.remembered_ms != 0.0
    return anything


@part
def _remembered_on_path(topology: Topology, state: State, trap: int, node: int, target: int) -> float:
    """Sum of what is remembered of a path's trap links: of `trap` and those behind, from `node` to `target`."""
    total = 0.0
    while trap >= 0:
        total += state.monitor[trap].remembered_ms
        beyond = topology.path[target, node]
        trap, node = beyond.next_trap, beyond.past_trap
    return total


@part
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
