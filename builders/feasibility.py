"""Deadlines, and the proof that every task can be done in time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from edgebench.constants import DEADLINE_MS, DEADLINE_SLACK, FAIL_FACTOR, LOAD_GB_PER_S, MAX_STAGES
from edgebench.errors import EdgeBenchError
from edgebench.region import Region
from edgebench.schema import SPLITS
from edgebench.sim.compiled import compiled
from edgebench.sim.topology import Topology, public_topology

Times = NDArray[np.float64]
_LOAD_MS_PER_GB = 1000.0 / LOAD_GB_PER_S


def set_deadlines(tasks: pl.DataFrame, quickest: Mapping[str, Times]) -> pl.DataFrame:
    """Give every task its deadline: `DEADLINE_MS`, or more where the workflow takes more, up to the next 100 ms.

    A task has `DEADLINE_SLACK` times its quickest plan with resident models, and so much that its quickest plan
    with cold ones is not late by more than the same margin. `quickest` is what `quickest_ms` found for the tasks.
    """
    needed = DEADLINE_SLACK * np.maximum(quickest["resident"], quickest["cold"] / FAIL_FACTOR)
    deadline = np.maximum(DEADLINE_MS, 100.0 * np.ceil(needed / 100.0))
    return tasks.with_columns(pl.Series("deadline_ms", deadline))


def prove_feasible(tasks: pl.DataFrame, quickest: Mapping[str, Times]) -> dict[str, dict[str, float]]:
    """Show that every task, alone in the network, can be done in time.

    Its quickest plan meets the deadline once the models it uses are resident, and does not fail, that is takes no more
    than `FAIL_FACTOR` deadlines, when every stage loads its model anew.

    Args:
        tasks: Tasks with their deadlines.
        quickest: What `quickest_ms` found for them.

    Returns:
        min, median and max over the tasks of the quickest plan's time over the deadline, `resident` and `cold`.

    Raises:
        EdgeBenchError: A task's quickest plan takes too long; the latest one is named.
    """
    deadline = tasks["deadline_ms"].to_numpy()
    shares = {}
    for state, took_ms in quickest.items():
        allowed = FAIL_FACTOR if state == "cold" else 1.0
        shares[state] = took_ms / deadline
        worst = int(np.argmax(shares[state]))
        if shares[state][worst] > allowed:
            raise EdgeBenchError(
                f"task {tasks['task_id'][worst]} cannot be done in time: its quickest plan with {state} models takes "
                f"{took_ms[worst]:.0f} ms, its deadline is {deadline[worst]:.0f} ms",
                where=f"{int((shares[state] > allowed).sum())} of {tasks.height} tasks",
                mend="give the region more compute, or the tasks a longer deadline",
            )
    return {state: _spread(share) for state, share in shares.items()}


def _spread(share: Times) -> dict[str, float]:
    figures = {"min": share.min(), "median": np.median(share), "max": share.max()}
    return {name: round(float(value), 4) for name, value in figures.items()}


def quickest_ms(
    tasks: pl.DataFrame, nodes: pl.DataFrame, links: pl.DataFrame, instances: pl.DataFrame
) -> dict[str, Times]:
    """Time of a quick plan of each task (float64[tasks], ms), `resident` and `cold`, without queues and traps.

    At every decision only the candidates of the node where it falls may be taken (`edgebench.sim.offers`), as by an
    agent; `cold` loads the model at every stage. For a chain the plan is the quickest there is. For any other graph it
    is that of taking, stage by stage, the candidate that is done first, while the stages of the task itself queue up
    on their nodes; a quicker one may exist. The answers' way back to the user counts.

    Raises:
        EdgeBenchError: A stage needs a type that is not placed, or no plan was found for a task.
    """
    tables = {"nodes": nodes, "links": links, "instances": instances, "tasks": tasks}
    region = Region(Path(), {"region": "in the making"}, {name: table.to_arrow() for name, table in tables.items()})
    topology, split = public_topology(region.public()), tasks["split"].to_numpy()
    quickest = {state: np.full(tasks.height, np.inf) for state in ("resident", "cold")}
    for name in SPLITS:
        records = region.task_arrays(name)
        for state, times in quickest.items():
            times[split == name] = plan_tasks(topology, records, state == "cold")
    _check_planned(tasks, quickest["resident"] + quickest["cold"])
    return quickest


def _check_planned(tasks: pl.DataFrame, quickest: Times) -> None:
    if not np.isfinite(quickest).all():
        worst = int(np.argmin(np.isfinite(quickest)))
        raise EdgeBenchError(
            f"no plan was found for task {tasks['task_id'][worst]}",
            where=f"{int((~np.isfinite(quickest)).sum())} of {tasks.height} tasks",
            mend="its split must be train, val or test, and its stages stand behind their parents",
        )


@compiled
def plan_tasks(topology: Topology, tasks: NDArray[Any], cold: bool) -> Times:
    """As `quickest_ms`, for records of `edgebench.tracks.route.state.TASK`; inf where nothing is offered that does."""
    finished = np.empty(tasks.size)
    nodes = topology.node.size
    first, second = np.empty(nodes), np.empty(nodes)
    for number in range(tasks.size):
        finished[number] = _graph_ms(topology, tasks[number], cold, first, second)
        if _is_chain(tasks[number]):
            finished[number] = _chain_ms(topology, tasks[number], cold, finished[number], first, second)
    return finished


@compiled
def _is_chain(task: Any) -> bool:
    straight = True
    for stage in range(task.stages):
        straight = straight and task.parents[stage] == (1 << stage) >> 1
    return straight


@compiled
def _transfer_ms(topology: Topology, source: int, target: int, megabytes: float) -> float:
    path = topology.path[target, source]
    return float(path.latency_ms + megabytes * path.ms_per_mb)


@compiled
def _run_ms(topology: Topology, number: int, tokens: float, cold: bool) -> float:
    instance = topology.instance[number]
    service = tokens * instance.work / topology.node[instance.node].speed
    return float(service + (instance.memory_gb * _LOAD_MS_PER_GB if cold else 0.0))


@compiled
def _chain_ms(topology: Topology, task: Any, cold: bool, known_ms: float, reached: Times, after: Times) -> float:
    """Dynamic programming: `reached[node]` is the least time in which the stages so far can have ended there.

    Where that is no less than `known_ms`, which a plan is known to take in all, there is no need to go on.
    """
    home, megabytes = task.user_node, task.prompt_mb
    reached[:] = np.inf
    reached[home] = 0.0
    for stage in range(task.stages):
        after[:] = np.inf
        for node in range(reached.size):
            if reached[node] < known_ms:
                _run_stage(topology, task, stage, node, megabytes, cold, reached[node], after)
        reached, after = after, reached
        megabytes = task.output_mb[stage]
    finished = known_ms
    for node in range(reached.size):
        finished = min(finished, reached[node] + _transfer_ms(topology, node, home, megabytes))
    return finished


@compiled
def _run_stage(
    topology: Topology, task: Any, stage: int, node: int, megabytes: float, cold: bool, start_ms: float, after: Times
) -> None:
    """Enter into `after` when `stage` can have ended on each node, decided at `node` at `start_ms`."""
    for number in topology.candidates[node, task.stage_type[stage]]:
        if number < 0:
            return
        there = topology.instance[number].node
        run_ms = _run_ms(topology, number, task.tokens[stage], cold)
        ended = start_ms + _transfer_ms(topology, node, there, megabytes) + run_ms
        after[there] = min(after[there], ended)


@compiled
def _graph_ms(topology: Topology, task: Any, cold: bool, free: Times, arrived: Times) -> float:
    """Stage by stage the candidate that is done first; `free` and `arrived` are the nodes' queues of this task alone.

    A node serves in the order of arrival, so no stage may arrive before one that was sent there already.
    """
    free[:], arrived[:] = 0.0, 0.0
    done, place = np.zeros(MAX_STAGES), np.full(MAX_STAGES, task.user_node)
    for stage in range(task.stages):
        last = _last_of(done, task.parents[stage])
        decided_ms, at = (done[last], place[last]) if last >= 0 else (0.0, task.user_node)
        best, chosen_arrival, chosen = np.inf, 0.0, -1
        for number in topology.candidates[at, task.stage_type[stage]]:
            if number < 0:
                break
            node = topology.instance[number].node
            there_ms = decided_ms + _inputs_ms(topology, task, task.parents[stage], place, node)
            ended = max(there_ms, free[node]) + _run_ms(topology, number, task.tokens[stage], cold)
            if there_ms >= arrived[node] and ended < best:
                best, chosen_arrival, chosen = ended, there_ms, node
        if chosen < 0:
            return np.inf
        done[stage], place[stage] = best, chosen
        free[chosen], arrived[chosen] = best, chosen_arrival
    return float(done.max() + _inputs_ms(topology, task, task.leaves, place, task.user_node))


@compiled
def _last_of(done: Times, stages: int) -> int:
    """Of the stages whose bits are given, the one done last, of equals the lowest; -1 where there is none."""
    last = -1
    for stage in range(done.size):
        if stages >> stage & 1 and (last < 0 or done[stage] > done[last]):
            last = stage
    return last


@compiled
def _inputs_ms(topology: Topology, task: Any, stages: int, place: NDArray[np.int64], target: int) -> float:
    """Until the slowest of the outputs of `stages`, or the prompt where there are none, is at `target`."""
    if stages == 0:
        return _transfer_ms(topology, task.user_node, target, task.prompt_mb)
    slowest = 0.0
    for stage in range(task.stages):
        if stages >> stage & 1:
            slowest = max(slowest, _transfer_ms(topology, place[stage], target, task.output_mb[stage]))
    return slowest
