"""The Route track's physics: stages sent to instances, events in the order of time.

Every function is a formula of the design; times are in ms from the start of the window. `task` is a task's record of
`edgebench.sim.state.TASK`, `progress` its record of `PROGRESS`; of a task's stages several may be under way at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.constants import (
    CANDIDATES,
    COST_REF_USD,
    COST_WEIGHT,
    FAIL_FACTOR,
    LOAD_GB_PER_S,
    TELEMETRY_MS,
    WINDOW_TASKS,
)
from edgebench.sim.compiled import part
from edgebench.sim.state import (
    ARRIVED,
    COUNT,
    DONE,
    ENDED,
    FIRST,
    INPUTS,
    INVALID,
    LATE,
    LOADING,
    OLDEST,
    PROPAGATION,
    QUEUEING,
    RUNNING,
    SERVICE,
    TRANSMISSION,
    TRAP,
    TURN,
    State,
    Tasks,
)
from edgebench.sim.topology import Topology
from edgebench.sim.traps import draw_traps, extra_now, measure, slot_of

_LOAD_MS_PER_GB = 1000.0 / LOAD_GB_PER_S


@part
def start(topology: Topology, tasks: Tasks, state: State, window: int, seed: int, traps: bool) -> None:
    """Begin the episode of `window` under scenario `seed`: idle nodes, nothing resident, nothing measured."""
    first = window * WINDOW_TASKS
    state.cursor[FIRST], state.cursor[COUNT] = first, min(WINDOW_TASKS, tasks.shape[0] - first)
    state.cursor[ARRIVED], state.cursor[ENDED], state.cursor[OLDEST] = 0, 0, 0
    for number in range(state.cursor[COUNT]):
        _begin_task(tasks[first + number], state.progress[number], tasks[first].arrival_ms)
        state.ready_ms[number] = state.progress[number].ready_ms
    for node in range(topology.node.shape[0]):
        server = state.server[node]
        server.free_ms, server.seen_free_ms, server.seen_period = 0.0, 0.0, -1
        server.busy_ms, server.stored_gb = 0.0, 0.0
    for instance in range(topology.instance.shape[0]):
        state.used_ms[instance], state.resident[instance] = 0.0, 0
    for trap in range(topology.trap.shape[0]):
        monitor = state.monitor[trap]
        monitor.measured_ms, monitor.measured_at_ms = 0.0, 0.0
        monitor.pending_ms, monitor.pending_at_ms = 0.0, np.inf
    draw_traps(topology, state, seed, traps)
    _advance(topology, tasks, state)


@part
def _begin_task(task: Any, progress: Any, window_start_ms: float) -> None:
    arrival_ms = task.arrival_ms - window_start_ms
    progress.ready_ms, progress.stage, progress.done_ms = arrival_ms, 0, arrival_ms
    progress.due_ms[:], progress.sent_to[:], progress.at_node[:] = arrival_ms, -1, task.user_node
    progress.waiting, progress.ran, progress.undecided = 0, 0, (1 << task.stages) - 1
    for stage in range(task.stages):
        progress.waiting |= (task.parents[stage] == 0) << stage
    progress.stages_run, progress.trap_hits, progress.outcome = 0, 0, RUNNING
    progress.quality_sum, progress.cost_usd, progress.potential = 0.0, 0.0, 0.0
    progress.latency_ms, progress.utility = 0.0, 0.0
    progress.parts_ms[:] = 0.0


@part
def step(topology: Topology, tasks: Tasks, state: State, action: int) -> float:
    """Send the stage whose turn it is to candidate `action`, go on to the next decision, return the reward.

    The reward is what all tasks have earned meanwhile, so that the rewards of an episode sum to the utilities of its
    tasks. An action outside the candidates fails the task.
    """
    number = state.cursor[TURN]
    task, progress = tasks[state.cursor[FIRST] + number], state.progress[number]
    stage = progress.stage
    here, code = progress.at_node[stage], task.stage_type[stage]
    earned = 0.0
    if action < 0 or action >= CANDIDATES or topology.offer[here, code, action].instance < 0:
        earned += _end(task, progress, INVALID)
    else:
        offer = topology.offer[here, code, action]
        progress.sent_to[stage], progress.at_node[stage] = offer.instance, offer.node
        progress.undecided ^= 1 << stage
        progress.due_ms[stage] = _send(topology, state, progress, progress.at_node[stage])
        _schedule(task, progress)
    _note(state, number, progress.ready_ms)
    return earned + _advance(topology, tasks, state)


@part
def _advance(topology: Topology, tasks: Tasks, state: State) -> float:
    """Let stages arrive and answers leave in the order of time until a decision is due; returns what tasks earned."""
    earned = 0.0
    window_start_ms = tasks[state.cursor[FIRST]].arrival_ms
    while state.cursor[ENDED] < state.cursor[COUNT]:
        number = _next_event(state)
        task, progress = tasks[state.cursor[FIRST] + number], state.progress[number]
        born_ms = task.arrival_ms - window_start_ms
        if progress.stage == task.stages:
            earned += _answer(topology, state, task, progress, born_ms)
        elif progress.sent_to[progress.stage] >= 0:
            earned += _arrive(topology, state, task, progress, born_ms)
        else:
            _gather(state, task, progress, task.parents[progress.stage])
            state.cursor[TURN] = number
            return earned
        _note(state, number, progress.ready_ms)
    state.cursor[TURN] = -1
    return earned


@part
def _next_event(state: State) -> int:
    """The task whose event is due first, the one that arrived earlier where two are due at once.

    Tasks are in the order of arrival: it has arrived before or is the next to arrive.
    """
    cursor, ready_ms = state.cursor, state.ready_ms
    while ready_ms[cursor[OLDEST]] == np.inf:
        cursor[OLDEST] += 1
    first = int(cursor[OLDEST])
    for number in range(first + 1, min(cursor[ARRIVED] + 1, cursor[COUNT])):
        if ready_ms[number] < ready_ms[first]:
            first = number
    while cursor[ARRIVED] < cursor[COUNT] and ready_ms[cursor[ARRIVED]] <= ready_ms[first]:
        cursor[ARRIVED] += 1
    return first


@part
def _note(state: State, number: int, ready_ms: float) -> None:
    """Keep when a task's next event is due where the search finds it."""
    state.ready_ms[number] = ready_ms
    state.cursor[ENDED] += ready_ms == np.inf


@part
def _schedule(task: Any, progress: Any) -> None:
    """Find a task's next event: the first of its stages', of equals the lowest, or the answers when all have run."""
    if progress.stages_run == task.stages:
        progress.ready_ms, progress.stage = progress.done_ms, task.stages
        return
    progress.ready_ms = np.inf
    stage, waiting = 0, progress.waiting
    while waiting:
        if waiting & 1 and progress.due_ms[stage] < progress.ready_ms:
            progress.ready_ms, progress.stage = progress.due_ms[stage], stage
        stage += 1
        waiting >>= 1


@part
def _arrive(topology: Topology, state: State, task: Any, progress: Any, born_ms: float) -> float:
    """Serve the stage that has arrived, unless it would begin after two deadlines; returns what the task earned."""
    stage = progress.stage
    instance = topology.instance[progress.sent_to[stage]]
    begin = max(progress.ready_ms, state.server[instance.node].free_ms)
    if begin - born_ms > FAIL_FACTOR * task.deadline_ms:
        return _end(task, progress, LATE)
    tokens = task.tokens[stage]
    progress.due_ms[stage] = _serve(topology, state, progress, begin, tokens)
    progress.done_ms = max(progress.done_ms, progress.due_ms[stage])
    progress.quality_sum += instance.quality
    progress.cost_usd += instance.usd_per_token * tokens
    progress.stages_run += 1
    elapsed = progress.done_ms - born_ms
    if elapsed > FAIL_FACTOR * task.deadline_ms:
        return _end(task, progress, LATE)
    _follow(task, progress, stage)
    _schedule(task, progress)
    return _earn(progress, potential(task, progress, elapsed))


@part
def _follow(task: Any, progress: Any, stage: int) -> None:
    """After a stage has run: every child of it whose parents have all run is to be decided when the last is done.

    It is decided at the node where that last one ran, of equals the lowest stage.
    """
    progress.waiting ^= 1 << stage
    progress.ran |= 1 << stage
    child, children = stage + 1, task.children[stage] >> (stage + 1)
    while children:
        parents = task.parents[child]
        if children & 1 and parents & progress.ran == parents:
            last = _last_of(progress, parents)
            progress.due_ms[child], progress.at_node[child] = progress.due_ms[last], progress.at_node[last]
            progress.waiting |= 1 << child
        child += 1
        children >>= 1


@part
def _last_of(progress: Any, stages: int) -> int:
    """Of the stages whose bits are given, the one that was done last, of equals the lowest."""
    last, stage = -1, 0
    while stages >> stage:
        if stages >> stage & 1 and (last < 0 or progress.due_ms[stage] > progress.due_ms[last]):
            last = stage
        stage += 1
    return last


@part
def _answer(topology: Topology, state: State, task: Any, progress: Any, born_ms: float) -> float:
    """Send the answers when the last stage is done; returns what the task earned when the slowest is there.

    An event of its own: what it measures on the way must not be known before it has left.
    """
    _gather(state, task, progress, task.leaves)
    elapsed = _send(topology, state, progress, task.user_node) - born_ms
    if elapsed > FAIL_FACTOR * task.deadline_ms:
        return _end(task, progress, LATE)
    progress.latency_ms = elapsed
    progress.utility = utility(task, progress, elapsed)
    return _end(task, progress, DONE)


@part
def _gather(state: State, task: Any, progress: Any, stages: int) -> None:
    """Fill `state.inputs`: outputs of the stages whose bits are given, or the user's prompt where there are none."""
    state.inputs[0].node, state.inputs[0].megabytes = task.user_node, task.prompt_mb
    count, stage = 0, 0
    while stages >> stage:
        if stages >> stage & 1:
            state.inputs[count].node = progress.at_node[stage]
            state.inputs[count].megabytes = task.output_mb[stage]
            count += 1
        stage += 1
    state.cursor[INPUTS] = max(count, 1)


@part
def _send(topology: Topology, state: State, progress: Any, node: int) -> float:
    """Send all of `state.inputs` to `node` at once; returns when the last is there.

    Each takes `propagation + hops + trap extras of every link of its path + megabytes / bottleneck bandwidth`; a trap
    link is met in the state it has when the transfers start. The parts of the task's time are those of the slowest.
    """
    now, there_ms, slowest_extra, slowest = progress.ready_ms, -np.inf, 0.0, 0
    for number in range(state.cursor[INPUTS]):
        sent = state.inputs[number]
        path = topology.path[node, sent.node]
        extra = path_extra(topology, state, sent.node, node, sent.megabytes, now)
        known_at_ms = now + path.latency_ms + extra + sent.megabytes * path.ms_per_mb
        progress.trap_hits += _measure_path(topology, state, sent, node, now, known_at_ms)
        if known_at_ms > there_ms:
            there_ms, slowest_extra, slowest = known_at_ms, extra, number
    sent = state.inputs[slowest]
    path = topology.path[node, sent.node]
    progress.parts_ms[PROPAGATION] += path.latency_ms
    progress.parts_ms[TRANSMISSION] += sent.megabytes * path.ms_per_mb
    progress.parts_ms[TRAP] += slowest_extra
    return there_ms


@part
def path_extra(topology: Topology, state: State, source: int, target: int, megabytes: float, now_ms: float) -> float:
    """Trap extras in ms of `megabytes` on the path from `source` to `target`, sent at `now_ms`."""
    extra = 0.0
    node = source
    while topology.path[target, node].next_trap >= 0:
        path = topology.path[target, node]
        extra += extra_now(state, topology.trap[path.next_trap], path.next_trap, megabytes, now_ms)
        node = path.past_trap
    return extra


@part
def _measure_path(topology: Topology, state: State, sent: Any, target: int, now_ms: float, known_at_ms: float) -> int:
    """Measure every trap link of a path; returns how many were bad."""
    hits = 0
    node = sent.node
    while topology.path[target, node].next_trap >= 0:
        path = topology.path[target, node]
        extra = extra_now(state, topology.trap[path.next_trap], path.next_trap, sent.megabytes, now_ms)
        measure(state.monitor[path.next_trap], extra, now_ms, known_at_ms)
        hits += state.is_bad[path.next_trap, slot_of(now_ms)]
        node = path.past_trap
    return hits


@part
def _serve(topology: Topology, state: State, progress: Any, begin_ms: float, tokens: float) -> float:
    """Load the model if need be and run a stage from `begin_ms`; returns when it is done."""
    number = progress.sent_to[progress.stage]
    instance = topology.instance[number]
    server = state.server[instance.node]
    loading = _make_resident(topology, state, number)
    service = tokens * instance.work / topology.node[instance.node].speed
    _publish(server, progress.ready_ms)
    server.free_ms = begin_ms + loading + service
    server.busy_ms += loading + service
    state.used_ms[number] = server.free_ms
    progress.parts_ms[QUEUEING] += begin_ms - progress.ready_ms
    progress.parts_ms[LOADING] += loading
    progress.parts_ms[SERVICE] += service
    return float(server.free_ms)


@part
def _make_resident(topology: Topology, state: State, number: int) -> float:
    """Load a model, evicting the least recently used ones of its node; returns `memory / load rate` in ms."""
    if state.resident[number]:
        return 0.0
    instance = topology.instance[number]
    server = state.server[instance.node]
    while server.stored_gb + instance.memory_gb > topology.node[instance.node].storage_gb:
        _evict(topology, state, instance.node)
    state.resident[number] = 1
    server.stored_gb += instance.memory_gb
    return float(instance.memory_gb * _LOAD_MS_PER_GB)


@part
def _evict(topology: Topology, state: State, node: int) -> None:
    oldest = -1
    first = topology.node[node].first
    for position in range(first, first + topology.node[node].instances):
        other = topology.on_node[position]
        if state.resident[other] and (oldest < 0 or state.used_ms[other] < state.used_ms[oldest]):
            oldest = other
    state.resident[oldest] = 0
    state.server[node].stored_gb -= topology.instance[oldest].memory_gb


@part
def _publish(server: Any, now_ms: float) -> None:
    """Keep what telemetry last published of a node's queue before the queue changes."""
    period = period_of(now_ms)
    if server.seen_period != period:
        server.seen_free_ms = server.free_ms
        server.seen_period = period


@part
def period_of(now_ms: float) -> int:
    """The telemetry period of `now_ms`."""
    return int(now_ms / TELEMETRY_MS)


@part
def published_free(server: Any, period: int) -> float:
    """When the node's queue will be empty, as published at the start of a telemetry period."""
    if server.seen_period == period:
        return float(server.seen_free_ms)
    return float(server.free_ms)


@part
def utility(task: Any, progress: Any, elapsed_ms: float) -> float:
    """`w_q · mean quality + w_s · max(0, 1 − T/deadline) − w_c · cost/cost_ref`, never below a failure's 0."""
    quality = task.quality_weight * progress.quality_sum / task.stages
    speed = task.speed_weight * max(0.0, 1.0 - elapsed_ms / task.deadline_ms)
    return float(max(0.0, quality + speed - COST_WEIGHT * progress.cost_usd / COST_REF_USD))


@part
def potential(task: Any, progress: Any, elapsed_ms: float) -> float:
    """What a task in flight has earned after k of S stages: as its utility, with k/S in place of the speed term's 1.

    Time has passed until the last of the stages that have run is done.

    Rewards are differences of this potential, so that they sum to the utility (Ng, Harada and Russell,
    "Policy invariance under reward transformations", ICML 1999).
    """
    quality = task.quality_weight * progress.quality_sum / task.stages
    share = progress.stages_run / task.stages - min(1.0, elapsed_ms / task.deadline_ms)
    return float(quality + task.speed_weight * share - COST_WEIGHT * progress.cost_usd / COST_REF_USD)


@part
def _end(task: Any, progress: Any, outcome: int) -> float:
    """Close a task; returns what brings its earnings to its utility."""
    progress.outcome = outcome
    progress.ready_ms = np.inf
    if outcome != DONE:
        progress.latency_ms = FAIL_FACTOR * task.deadline_ms
    return _earn(progress, progress.utility)


@part
def _earn(progress: Any, potential_now: float) -> float:
    gained = potential_now - progress.potential
    progress.potential = potential_now
    return float(gained)
