"""The Route track's physics: stages sent to instances, events in the order of time.

Every function is a formula of the design; times are in ms from the start of the window. `task` is a task's record of
`edgebench.tracks.route.state.TASK`, `progress` its record of `PROGRESS`; of a task's stages several may be under way at
once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from edgebench.constants import FAIL_FACTOR, WINDOW_TASKS
from edgebench.sim.compiled import part
from edgebench.sim.topology import Topology
from edgebench.tracks.route.failures import fails_before, forget_outages
from edgebench.tracks.route.generator import arrange
from edgebench.tracks.route.monitors import forget_traps
from edgebench.tracks.route.reward import earn_on_the_way, end_task, utility
from edgebench.tracks.route.servers import is_down, serve
from edgebench.tracks.route.state import (
    ARRIVED,
    COUNT,
    DONE,
    DOWN,
    ENDED,
    FIRST,
    INVALID,
    LATE,
    OBJECTIVES,
    OLDEST,
    PARTS,
    RUNNING,
    SEED,
    TURN,
    UTILITY,
    State,
    Tasks,
)
from edgebench.tracks.route.transfers import gather, send


@part
def start(topology: Topology, tasks: Tasks, state: State, window: int, seed: int) -> None:
    """Begin the episode of `window` under scenario `seed`: idle nodes, nothing resident, nothing measured."""
    first = window * WINDOW_TASKS
    state.cursor[FIRST], state.cursor[COUNT] = first, min(WINDOW_TASKS, tasks.shape[0] - first)
    state.cursor[ARRIVED], state.cursor[ENDED], state.cursor[OLDEST], state.cursor[SEED] = 0, 0, 0, seed
    arrange(topology, tasks, state)
    for number in range(state.cursor[COUNT]):
        progress = state.progress[number]
        _begin_task(tasks[progress.row], progress, _tick_of(state, progress.born_ms))
        state.ready_ms[number] = progress.ready_ms
    for node in range(topology.node.shape[0]):
        server = state.server[node]
        server.free_ms, server.seen_free_ms, server.seen_period, server.stored_gb = 0.0, 0.0, -1, 0.0
        state.busy_ms[node] = 0.0
    for word in range(state.resident.shape[0]):
        state.resident[word] = np.uint64(0)
    forget_traps(topology, state)
    forget_outages(topology, state)
    _advance(topology, tasks, state)


@part
def _begin_task(task: Any, progress: Any, ready_ms: float) -> None:
    progress.ready_ms, progress.stage, progress.done_ms = ready_ms, 0, progress.born_ms
    progress.waiting, progress.ran, progress.doomed, progress.undecided = 0, 0, 0, (1 << task.stages) - 1
    for stage in range(task.stages):
        progress.due_ms[stage], progress.sent_to[stage], progress.at_node[stage] = ready_ms, -1, task.user_node
        progress.waiting |= (task.parents[stage] == 0) << stage
    progress.stages_run, progress.trap_hits, progress.outcome = 0, 0, RUNNING
    progress.quality_sum, progress.cost_usd = 0.0, 0.0
    progress.latency_ms, progress.utility = 0.0, 0.0
    for objective in range(OBJECTIVES):
        progress.earned[objective] = 0.0
    for kind in range(PARTS):
        progress.parts_ms[kind] = 0.0


@part
def _tick_of(state: State, due_ms: float) -> float:
    """When a decision that is due can be made: at once, or at the next dispatch tick."""
    tick_ms = state.rules[0].tick_ms
    return math.ceil(due_ms / tick_ms) * tick_ms if tick_ms > 0.0 else due_ms


@part
def step(topology: Topology, tasks: Tasks, state: State, action: int) -> float:
    """Send the stage whose turn it is to candidate `action`, go on to the next decision, return the reward.

    The reward is what all tasks have earned meanwhile, so that the rewards of an episode sum to the utilities of its
    tasks; `state.earned` holds it and, by objective, what it was made of. An action outside the candidates fails the
    task.
    """
    for objective in range(OBJECTIVES):
        state.earned[objective] = 0.0
    number = state.cursor[TURN]
    progress = state.progress[number]
    task, stage = tasks[progress.row], progress.stage
    chosen = _chosen(topology, state, progress.at_node[stage], task.stage_type[stage], action)
    if chosen < 0:
        end_task(state, task, progress, INVALID)
    else:
        node = topology.instance[chosen].node
        progress.sent_to[stage], progress.at_node[stage] = chosen, node
        progress.undecided ^= 1 << stage
        progress.due_ms[stage] = send(topology, state, progress, node)
        _schedule(task, progress)
    _note(state, number, progress.ready_ms)
    _advance(topology, tasks, state)
    return float(state.earned[UTILITY])


@part
def _chosen(topology: Topology, state: State, here: int, code: int, action: int) -> int:
    """The instance an action means, -1 for none: a candidate's, or where all are offered one of the wanted type."""
    if action < 0:
        return -1
    if state.rules[0].sees_all:
        known = action < topology.instance.shape[0] and topology.instance_type[action] == code
        return action if known else -1
    return int(topology.candidates[here, code, action]) if action < topology.candidates.shape[2] else -1


@part
def _advance(topology: Topology, tasks: Tasks, state: State) -> None:
    """Let stages arrive and answers leave in the order of time until a decision is due."""
    while state.cursor[ENDED] < state.cursor[COUNT]:
        number = _next_event(state)
        progress = state.progress[number]
        task = tasks[progress.row]
        if progress.stage == task.stages:
            _answer(topology, state, task, progress)
        elif progress.sent_to[progress.stage] >= 0:
            _arrive(topology, state, task, progress)
        else:
            gather(state, task, progress, task.parents[progress.stage])
            state.cursor[TURN] = number
            return
        _note(state, number, progress.ready_ms)
    state.cursor[TURN] = -1


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
def _arrive(topology: Topology, state: State, task: Any, progress: Any) -> None:
    """Serve the stage that has arrived, unless its node is down or it would begin after two deadlines.

    Where the node fails before the stage is done, that is the stage's next event and ends the task.
    """
    stage, now, outages = progress.stage, progress.ready_ms, state.rules[0].outage_enter > 0.0
    instance = topology.instance[progress.sent_to[stage]]
    if outages and (progress.doomed >> stage & 1 or is_down(topology, state, instance.node, now)):
        end_task(state, task, progress, DOWN)
        return
    begin = max(now, state.server[instance.node].free_ms)
    if begin - progress.born_ms > FAIL_FACTOR * task.deadline_ms:
        end_task(state, task, progress, LATE)
        return
    tokens = task.tokens[stage]
    done_ms = serve(topology, state, progress, begin, tokens)
    if outages and done_ms - progress.born_ms <= FAIL_FACTOR * task.deadline_ms:
        fails_ms = fails_before(state, instance.node, done_ms)
        if fails_ms <= done_ms:
            progress.doomed |= 1 << stage
            progress.due_ms[stage] = fails_ms
            _schedule(task, progress)
            return
    progress.due_ms[stage] = done_ms
    progress.done_ms = max(progress.done_ms, done_ms)
    progress.quality_sum += instance.quality
    progress.cost_usd += instance.usd_per_token * tokens
    progress.stages_run += 1
    elapsed = progress.done_ms - progress.born_ms
    if elapsed > FAIL_FACTOR * task.deadline_ms:
        end_task(state, task, progress, LATE)
    else:
        _follow(state, task, progress, stage)
        _schedule(task, progress)
        earn_on_the_way(state, task, progress, elapsed)


@part
def _follow(state: State, task: Any, progress: Any, stage: int) -> None:
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
            progress.due_ms[child] = _tick_of(state, progress.due_ms[last])
            progress.at_node[child] = progress.at_node[last]
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
def _answer(topology: Topology, state: State, task: Any, progress: Any) -> None:
    """Send the answers when the last stage is done; the task has ended when the slowest is there.

    An event of its own: what it measures on the way must not be known before it has left.
    """
    gather(state, task, progress, task.leaves)
    elapsed = send(topology, state, progress, task.user_node) - progress.born_ms
    if elapsed > FAIL_FACTOR * task.deadline_ms:
        end_task(state, task, progress, LATE)
        return
    progress.latency_ms = elapsed
    progress.utility = utility(task, progress, elapsed)
    end_task(state, task, progress, DONE)
