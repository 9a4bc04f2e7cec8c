"""The Route track's physics: stages sent to instances, events in the order of time.

Every function is a formula of the design; times are in ms from the start of the window. `task` is a task's record of
`edgebench.sim.state.TASK`, `progress` its record of `PROGRESS`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.constants import COST_REF_USD, COST_WEIGHT, FAIL_FACTOR, LOAD_GB_PER_S, TELEMETRY_MS, WINDOW_TASKS
from edgebench.sim.compiled import compiled
from edgebench.sim.state import (
    DONE,
    INVALID,
    LATE,
    LOADING,
    PROPAGATION,
    QUEUEING,
    RUNNING,
    SERVICE,
    TRANSMISSION,
    TRAP,
    State,
    Tasks,
)
from edgebench.sim.topology import Topology
from edgebench.sim.traps import draw_traps, extra_now, measure

_LOAD_MS_PER_GB = 1000.0 / LOAD_GB_PER_S


@compiled
def start(topology: Topology, tasks: Tasks, state: State, window: int, seed: int, traps: bool) -> None:
    """Begin the episode of `window` under scenario `seed`: idle nodes, nothing resident, nothing measured."""
    first = window * WINDOW_TASKS
    state.cursor[0], state.cursor[1] = first, min(WINDOW_TASKS, tasks.size - first)
    for number in range(state.cursor[1]):
        _begin_task(tasks[first + number], state.progress[number], tasks[first].arrival_ms)
    for server in state.server:
        server.free_ms, server.seen_free_ms, server.seen_period = 0.0, 0.0, -1
        server.busy_ms, server.stored_gb = 0.0, 0.0
    for residence in state.residence:
        residence.used_ms, residence.resident = 0.0, 0
    for monitor in state.monitor:
        monitor.measured_ms, monitor.measured_at_ms = 0.0, 0.0
        monitor.pending_ms, monitor.pending_at_ms = 0.0, np.inf
    draw_traps(topology, state, seed, traps)
    _advance(topology, tasks, state)


@compiled
def _begin_task(task: Any, progress: Any, window_start_ms: float) -> None:
    progress.ready_ms = task.arrival_ms - window_start_ms
    progress.at_node = task.user_node
    progress.sent_to, progress.stage, progress.trap_hits, progress.outcome = -1, 0, 0, RUNNING
    progress.quality_sum, progress.cost_usd, progress.potential = 0.0, 0.0, 0.0
    progress.latency_ms, progress.utility = 0.0, 0.0
    progress.parts_ms[:] = 0.0


@compiled
def step(topology: Topology, tasks: Tasks, state: State, action: int) -> float:
    """Send the stage whose turn it is to candidate `action`, go on to the next decision, return the reward.

    The reward is what all tasks have earned meanwhile, so that the rewards of an episode sum to the utilities of its
    tasks. An action outside the candidates fails the task.
    """
    number = state.cursor[2]
    task, progress = tasks[state.cursor[0] + number], state.progress[number]
    offered = topology.candidates[progress.at_node, task.stage_type[progress.stage]]
    earned = 0.0
    if action < 0 or action >= offered.size or offered[action] < 0:
        earned += _end(task, progress, INVALID)
    else:
        progress.sent_to = offered[action]
        node = topology.instance[offered[action]].node
        _transfer(topology, state, progress, node, task.payload_mb[progress.stage])
    return earned + _advance(topology, tasks, state)


@compiled
def _advance(topology: Topology, tasks: Tasks, state: State) -> float:
    """Let stages arrive and answers leave in the order of time until a decision is due; returns what tasks earned."""
    earned = 0.0
    window_start_ms = tasks[state.cursor[0]].arrival_ms
    while True:
        number = _next_event(state)
        progress = state.progress[number]
        if progress.ready_ms == np.inf:
            state.cursor[2] = -1
            return earned
        task = tasks[state.cursor[0] + number]
        born_ms = task.arrival_ms - window_start_ms
        if progress.sent_to >= 0:
            earned += _arrive(topology, state, task, progress, born_ms)
        elif progress.stage == task.stages:
            earned += _answer(topology, state, task, progress, born_ms)
        else:
            state.cursor[2] = number
            return earned


@compiled
def _next_event(state: State) -> int:
    """The task whose event is due first, the one that arrived earlier where two are due at once."""
    first = 0
    for number in range(1, state.cursor[1]):
        if state.progress[number].ready_ms < state.progress[first].ready_ms:
            first = number
    return first


@compiled
def _arrive(topology: Topology, state: State, task: Any, progress: Any, born_ms: float) -> float:
    """Serve the stage that has arrived, unless it would begin after two deadlines; returns what the task earned."""
    instance = topology.instance[progress.sent_to]
    begin = max(progress.ready_ms, state.server[instance.node].free_ms)
    if begin - born_ms > FAIL_FACTOR * task.deadline_ms:
        return _end(task, progress, LATE)
    tokens = task.tokens[progress.stage]
    _serve(topology, state, progress, begin, tokens)
    progress.sent_to = -1
    progress.quality_sum += instance.quality
    progress.cost_usd += instance.usd_per_token * tokens
    progress.stage += 1
    elapsed = progress.ready_ms - born_ms
    if elapsed > FAIL_FACTOR * task.deadline_ms:
        return _end(task, progress, LATE)
    return _earn(progress, potential(task, progress, elapsed))


@compiled
def _answer(topology: Topology, state: State, task: Any, progress: Any, born_ms: float) -> float:
    """Send the answer when the last stage is done; returns what the task earned.

    An event of its own: what it measures on the way must not be known before it has left.
    """
    _transfer(topology, state, progress, task.user_node, task.answer_mb)
    elapsed = progress.ready_ms - born_ms
    if elapsed > FAIL_FACTOR * task.deadline_ms:
        return _end(task, progress, LATE)
    progress.latency_ms = elapsed
    progress.utility = utility(task, progress, elapsed)
    return _end(task, progress, DONE)


@compiled
def _transfer(topology: Topology, state: State, progress: Any, node: int, payload_mb: float) -> None:
    """Move a task's data to `node`; it is ready when it is there.

    `propagation + hops + trap extras of every link of the path + payload / bottleneck bandwidth`; a trap
    link is met in the state it has when the transfer starts.
    """
    source, now = progress.at_node, progress.ready_ms
    path = topology.path[node, source]
    extra = path_extra(topology, state, source, node, now)
    transmission = payload_mb * path.ms_per_mb
    progress.at_node = node
    progress.ready_ms = now + path.latency_ms + extra + transmission
    progress.parts_ms[PROPAGATION] += path.latency_ms
    progress.parts_ms[TRANSMISSION] += transmission
    progress.parts_ms[TRAP] += extra
    progress.trap_hits += _measure_path(topology, state, source, node, now, progress.ready_ms)


@compiled
def path_extra(topology: Topology, state: State, source: int, target: int, now_ms: float) -> float:
    """Trap extras in ms of the path from `source` to `target` for a transfer that starts at `now_ms`."""
    extra = 0.0
    node = source
    while topology.path[target, node].next_trap >= 0:
        path = topology.path[target, node]
        extra += extra_now(state, path.next_trap, now_ms)
        node = path.past_trap
    return extra


@compiled
def _measure_path(topology: Topology, state: State, source: int, target: int, now_ms: float, known_at_ms: float) -> int:
    """Measure every trap link of a path; returns how many were bad."""
    hits = 0
    node = source
    while topology.path[target, node].next_trap >= 0:
        path = topology.path[target, node]
        extra = extra_now(state, path.next_trap, now_ms)
        measure(state.monitor[path.next_trap], extra, now_ms, known_at_ms)
        hits += extra > 0.0
        node = path.past_trap
    return hits


@compiled
def _serve(topology: Topology, state: State, progress: Any, begin_ms: float, tokens: float) -> None:
    """Load the model if need be and run a stage from `begin_ms`; the task is ready when it is done."""
    instance = topology.instance[progress.sent_to]
    server = state.server[instance.node]
    loading = _make_resident(topology, state, progress.sent_to)
    service = tokens * instance.work / topology.node[instance.node].speed
    _publish(server, progress.ready_ms)
    server.free_ms = begin_ms + loading + service
    server.busy_ms += loading + service
    state.residence[progress.sent_to].used_ms = server.free_ms
    progress.parts_ms[QUEUEING] += begin_ms - progress.ready_ms
    progress.parts_ms[LOADING] += loading
    progress.parts_ms[SERVICE] += service
    progress.ready_ms = server.free_ms


@compiled
def _make_resident(topology: Topology, state: State, number: int) -> float:
    """Load a model, evicting the least recently used ones of its node; returns `memory / load rate` in ms."""
    if state.residence[number].resident:
        return 0.0
    instance = topology.instance[number]
    server = state.server[instance.node]
    while server.stored_gb + instance.memory_gb > topology.node[instance.node].storage_gb:
        _evict(topology, state, instance.node)
    state.residence[number].resident = 1
    server.stored_gb += instance.memory_gb
    return float(instance.memory_gb * _LOAD_MS_PER_GB)


@compiled
def _evict(topology: Topology, state: State, node: int) -> None:
    oldest = -1
    first = topology.node[node].first
    for position in range(first, first + topology.node[node].instances):
        other = topology.on_node[position]
        residence = state.residence[other]
        if residence.resident and (oldest < 0 or residence.used_ms < state.residence[oldest].used_ms):
            oldest = other
    state.residence[oldest].resident = 0
    state.server[node].stored_gb -= topology.instance[oldest].memory_gb


@compiled
def _publish(server: Any, now_ms: float) -> None:
    """Keep what telemetry last published of a node's queue before the queue changes."""
    period = int(now_ms / TELEMETRY_MS)
    if server.seen_period != period:
        server.seen_free_ms = server.free_ms
        server.seen_period = period


@compiled
def published_free(server: Any, now_ms: float) -> float:
    """When the node's queue will be empty, as published at the start of the telemetry period of `now_ms`."""
    if server.seen_period == int(now_ms / TELEMETRY_MS):
        return float(server.seen_free_ms)
    return float(server.free_ms)


@compiled
def utility(task: Any, progress: Any, elapsed_ms: float) -> float:
    """`w_q · mean quality + w_s · max(0, 1 − T/deadline) − w_c · cost/cost_ref`, never below a failure's 0."""
    quality = task.quality_weight * progress.quality_sum / task.stages
    speed = task.speed_weight * max(0.0, 1.0 - elapsed_ms / task.deadline_ms)
    return float(max(0.0, quality + speed - COST_WEIGHT * progress.cost_usd / COST_REF_USD))


@compiled
def potential(task: Any, progress: Any, elapsed_ms: float) -> float:
    """What a task in flight has earned after k of S stages: as its utility, with k/S in place of the speed term's 1.

    Rewards are differences of this potential, so that they sum to the utility (Ng, Harada and Russell,
    "Policy invariance under reward transformations", ICML 1999).
    """
    quality = task.quality_weight * progress.quality_sum / task.stages
    share = progress.stage / task.stages - min(1.0, elapsed_ms / task.deadline_ms)
    return float(quality + task.speed_weight * share - COST_WEIGHT * progress.cost_usd / COST_REF_USD)


@compiled
def _end(task: Any, progress: Any, outcome: int) -> float:
    """Close a task; returns what brings its earnings to its utility."""
    progress.outcome = outcome
    progress.ready_ms = np.inf
    if outcome != DONE:
        progress.latency_ms = FAIL_FACTOR * task.deadline_ms
    return _earn(progress, progress.utility)


@compiled
def _earn(progress: Any, potential_now: float) -> float:
    gained = potential_now - progress.potential
    progress.potential = potential_now
    return float(gained)
