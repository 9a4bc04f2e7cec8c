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


@part
def observe(topology: Topology, tasks: Tasks, state: State, seen: Observation) -> None:
    """Write the observation of the task whose turn it is; all zeros when the episode is over."""
    _clear(seen)
    number = state.cursor[TURN]
    seen.place[1] = number
    if number < 0:
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
def _clear(seen: Observation) -> None:
    for row in range(F):
        for slot in range(CANDIDATES):
            seen.candidates[row, slot] = 0.0
    for entry in range(T):
        seen.task[entry] = 0.0
    for slot in range(CANDIDATES):
        seen.action_mask[slot], seen.instances[slot] = 0, -1


@part
def _see_candidates(topology: Topology, state: State, seen: Observation, task: Any, progress: Any) -> None:
    stage, now = progress.stage, progress.ready_ms
    here, code, is_leaf = progress.at_node[stage], task.stage_type[stage], task.children[stage] == 0
    answer_mb = task.output_mb[stage] if is_leaf else task.answer_mb
    sent, period = state.inputs[0].megabytes, period_of(now)
    remembers = _remember(topology, state, now)
    for slot in range(CANDIDATES):
        offer = topology.offer[here, code, slot]
        if offer.instance < 0:
            break
        seen.instances[slot], seen.action_mask[slot] = offer.instance, 1
        instance, node = topology.instance[offer.instance], topology.node[offer.node]
        server, back = state.server[offer.node], topology.path[task.user_node, offer.node]
        extra = _remembered_on_path(topology, state, offer, offer.node) if remembers else 0.0
        extra_back = _remembered_on_path(topology, state, back, task.user_node) if remembers else 0.0
        _see_costs(seen.candidates, slot, instance, node, task.tokens[stage])
        _see_times(seen.candidates, slot, offer, sent, extra, published_free(server, period), now)
        seen.candidates[8, slot] = (back.latency_ms + answer_mb * back.ms_per_mb + extra_back) * _S_PER_MS
        seen.candidates[4, slot] = 0.0 if state.resident[offer.instance] else instance.memory_gb / LOAD_GB_PER_S
        seen.candidates[11, slot] = server.stored_gb / node.storage_gb
    if not is_leaf:
        _see_onward(topology, seen, task, here, code, task.children[stage])
    if state.cursor[INPUTS] > 1:
        _see_last_inputs(topology, state, seen, here, code, now)
    for row in range(F):
        for slot in range(CANDIDATES):
            seen.candidates[row, slot] = min(seen.candidates[row, slot], CANDIDATE_HIGH[row])


@part
def _see_costs(seen: NDArray[np.float32], slot: int, instance: Any, node: Any, tokens: float) -> None:
    seen[5, slot] = tokens * instance.work / node.speed * _S_PER_MS
    seen[6, slot] = instance.quality
    seen[7, slot] = instance.usd_per_token * tokens / COST_REF_USD
    seen[10, slot] = node.speed


@part
def _see_times(
    seen: NDArray[np.float32], slot: int, there: Any, megabytes: float, extra_ms: float, free_ms: float, now_ms: float
) -> None:
    """What an input meets on its way and on arrival.

    A stage with one input or none is decided where that is, so that its candidates' paths are those of the offers.
    """
    transmission = megabytes * there.ms_per_mb
    wait = free_ms - (now_ms + there.latency_ms + transmission + extra_ms)
    seen[0, slot] = there.latency_ms * _S_PER_MS
    seen[1, slot] = transmission * _S_PER_MS
    seen[2, slot] = extra_ms * _S_PER_MS
    seen[3, slot] = max(0.0, wait) * _S_PER_MS


@part
def _see_last_inputs(
    topology: Topology, state: State, seen: Observation, here: int, code: int, now_ms: float
) -> None:
    """Of several inputs, see the one that would arrive last by what is known."""
    period = period_of(now_ms)
    for slot in range(CANDIDATES):
        offer = topology.offer[here, code, slot]
        if offer.instance < 0:
            break
        slowest, free_ms = -np.inf, published_free(state.server[offer.node], period)
        for number in range(state.cursor[INPUTS]):
            sent = state.inputs[number]
            there = topology.path[offer.node, sent.node]
            extra = _remembered_on_path(topology, state, there, offer.node)
            time = there.latency_ms + sent.megabytes * there.ms_per_mb + extra
            if time > slowest:
                slowest = time
                _see_times(seen.candidates, slot, there, sent.megabytes, extra, free_ms, now_ms)


@part
def _see_onward(topology: Topology, seen: Observation, task: Any, here: int, code: int, children: int) -> None:
    """The longest of the quickest times of a stage's children."""
    child = 0
    while children:
        if children & 1:
            of_child = task.stage_type[child]
            for slot in range(CANDIDATES):
                offer = topology.offer[here, code, slot]
                if offer.instance < 0:
                    break
                onward_s = np.float32(topology.onward_ms[offer.node, of_child] * _S_PER_MS)
                seen.candidates[9, slot] = max(seen.candidates[9, slot], onward_s)
        child += 1
        children >>= 1


@part
def _remember(topology: Topology, state: State, now_ms: float) -> bool:
    """Note what is expected of every trap link now; whether anything is of any."""
    anything = False
    for trap in range(topology.trap.shape[0]):
        monitor = state.monitor[trap]
        monitor.remembered_ms = remembered(monitor, now_ms)
        anything |= monitor.remembered_ms != 0.0
    return anything


@part
def _remembered_on_path(topology: Topology, state: State, leg: Any, target: int) -> float:
    """Sum of what is remembered of the trap links from the beginning of a path to `target` on."""
    total, trap, node = 0.0, leg.next_trap, leg.past_trap
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
