"""Deadlines, and the proof that every task can be done in time."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.links import paths_over
from edgebench.constants import DEADLINE_MS, DEADLINE_SLACK, FAIL_FACTOR, LOAD_GB_PER_S, TOKENS_PER_S_PER_COMPUTE
from edgebench.errors import EdgeBenchError
from edgebench.sim.paths import Paths

Times = NDArray[np.float64]


def set_deadlines(
    tasks: pl.DataFrame, nodes: pl.DataFrame, links: pl.DataFrame, instances: pl.DataFrame
) -> pl.DataFrame:
    """Give every task its deadline: `DEADLINE_MS`, or more where the workflow takes more, up to the next 100 ms.

    A task has `DEADLINE_SLACK` times its quickest plan with resident models, and so much that its quickest plan
    with cold ones is not late by more than the same margin.
    """
    resident = quickest_ms(tasks, nodes, links, instances, cold=False)
    cold = quickest_ms(tasks, nodes, links, instances, cold=True)
    needed = DEADLINE_SLACK * np.maximum(resident, cold / FAIL_FACTOR)
    deadline = np.maximum(DEADLINE_MS, 100.0 * np.ceil(needed / 100.0))
    return tasks.with_columns(pl.Series("deadline_ms", deadline))


def prove_feasible(
    tasks: pl.DataFrame, nodes: pl.DataFrame, links: pl.DataFrame, instances: pl.DataFrame
) -> dict[str, dict[str, float]]:
    """Show that every task, alone in the network, can be done in time.

    Its quickest plan meets the deadline once the models it uses are resident, and does not fail, that is takes no more
    than `FAIL_FACTOR` deadlines, when every stage loads its model anew.

    Returns:
        min, median and max over the tasks of the quickest plan's time over the deadline, `resident` and `cold`.

    Raises:
        EdgeBenchError: A task's quickest plan takes too long; the latest one is named.
    """
    deadline = tasks["deadline_ms"].to_numpy()
    shares = {}
    for state, allowed in (("resident", 1.0), ("cold", FAIL_FACTOR)):
        quickest = quickest_ms(tasks, nodes, links, instances, cold=state == "cold")
        shares[state] = quickest / deadline
        worst = int(np.argmax(shares[state]))
        if shares[state][worst] > allowed:
            raise EdgeBenchError(
                f"task {tasks['task_id'][worst]} cannot be done in time: its quickest plan with {state} models takes "
                f"{quickest[worst]:.0f} ms, its deadline is {deadline[worst]:.0f} ms",
                where=f"{int((shares[state] > allowed).sum())} of {tasks.height} tasks",
                mend="give the region more compute, or the tasks a longer deadline",
            )
    return {state: _spread(share) for state, share in shares.items()}


def _spread(share: Times) -> dict[str, float]:
    figures = {"min": share.min(), "median": np.median(share), "max": share.max()}
    return {name: round(float(value), 4) for name, value in figures.items()}


def quickest_ms(
    tasks: pl.DataFrame, nodes: pl.DataFrame, links: pl.DataFrame, instances: pl.DataFrame, *, cold: bool
) -> NDArray[np.float64]:
    """Least time of each task (float64[tasks], ms) without queues and traps; `cold` loads the model at every stage.

    Dynamic programming along the chain: `reached[task, node]` is the least time in which the stages so far can have
    ended on the node. The answer's way back to the user counts. All tasks must have equally many stages.
    """
    paths = paths_over(links, nodes.height)
    home = tasks["node_id"].to_numpy()
    types = np.array(tasks["stage_types"].to_list())
    tokens = np.array(tasks["stage_tokens"].to_list(), np.float64)
    output = np.array(tasks["stage_output_mb"].to_list(), np.float64)
    payload = np.column_stack((tasks["prompt_mb"].to_numpy(), output[:, :-1]))
    speed = nodes["compute"].to_numpy() * TOKENS_PER_S_PER_COMPUTE / 1000.0
    reached = np.full((tasks.height, nodes.height), np.inf)
    reached[np.arange(tasks.height), home] = 0.0
    for stage in range(types.shape[1]):
        after = np.full_like(reached, np.inf)
        for kind in np.unique(types[:, stage]):
            hosts = _hosts(instances.filter(pl.col("model_type") == kind), speed, cold)
            for megabytes in np.unique(payload[:, stage]):
                rows = np.flatnonzero((types[:, stage] == kind) & (payload[:, stage] == megabytes))
                transfer = _transfer_ms(paths, megabytes)
                after[rows] = _run_stage(reached[rows], tokens[rows, stage], hosts, transfer)
        reached = after
    return _return_answer(reached, home, output[:, -1], paths)


_Hosts = dict[int, list[tuple[float, float]]]


def _hosts(instances: pl.DataFrame, speed: Times, cold: bool) -> _Hosts:
    """Per node: (loading in ms, ms a token) of each of its instances."""
    hosts: _Hosts = {}
    load_ms_per_gb = 1000.0 / LOAD_GB_PER_S if cold else 0.0
    for node, memory_gb, work in instances.select("node_id", "memory_gb", "work").iter_rows():
        hosts.setdefault(node, []).append((load_ms_per_gb * memory_gb, work / speed[node]))
    return hosts


def _transfer_ms(paths: Paths, megabytes: float) -> Times:
    """Network time of `megabytes` between every two nodes, float64[N, N]."""
    return np.asarray(paths.delay_ms + megabytes * paths.ms_per_mb)


def _run_stage(reached: Times, tokens: Times, hosts: _Hosts, transfer: Times) -> Times:
    """Least time, float64[tasks, N], in which a stage of `tokens` can have ended on each node."""
    ended = np.full_like(reached, np.inf)
    for node, choices in hosts.items():
        arrived = (reached + transfer[:, node]).min(axis=1)
        ended[:, node] = arrived + np.min([loading + tokens * each for loading, each in choices], axis=0)
    return ended


def _return_answer(reached: Times, home: NDArray[np.int32], answer_mb: Times, paths: Paths) -> Times:
    finished = np.empty(len(home))
    for megabytes in np.unique(answer_mb):
        rows = np.flatnonzero(answer_mb == megabytes)
        finished[rows] = (reached[rows] + _transfer_ms(paths, megabytes)[:, home[rows]].T).min(axis=1)
    return finished
