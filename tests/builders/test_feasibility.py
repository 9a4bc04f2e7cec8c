from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from networks import scattered_nodes, spec_of

from builders.catalogue import make_catalogue
from builders.feasibility import prove_feasible, quickest_ms, set_deadlines
from builders.links import build_links, paths_over
from builders.placement import place_models
from builders.workload import make_tasks
from edgebench.constants import DEADLINE_MS, DEADLINE_SLACK, FAIL_FACTOR, LOAD_GB_PER_S, TOKENS_PER_S_PER_COMPUTE
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS
from edgebench.sim.topology import public_topology
from edgebench.spec import WorkflowShape, WorkloadSpec

NODES = scattered_nodes(25)
SITES = scattered_nodes(400, seed=9).select(
    site_id="node_id", lat="lat", lon="lon", cells=(pl.col("node_id") % 40).cast(pl.Int32)
)
INSTANCES = place_models(make_catalogue(), NODES, REGIONS["s1"], 3)
FEW = INSTANCES.group_by("model_type", maintain_order=True).head(2)
LINKS = build_links(NODES, spec_of(25), 3)
PATHS = paths_over(LINKS, NODES.height)
STATES = ("resident", "cold")


def tasks_of(workflow: WorkflowShape) -> pl.DataFrame:
    spec = dataclasses.replace(REGIONS["s1"], workload=WorkloadSpec(workflow=workflow))
    return make_tasks(NODES, SITES, INSTANCES, spec, 3)


CHAINS = tasks_of("chain-5")
Offers = dict[tuple[int, str], list[dict[str, Any]]]


def offers_of(instances: pl.DataFrame) -> Offers:
    """The instances offered at each node, by type, as an agent would find them."""
    columns = {f"nodes.{name}": NODES[name].to_numpy() for name in NODES.columns}
    columns |= {f"links.{name}": LINKS[name].to_numpy() for name in LINKS.columns}
    columns |= {f"instances.{name}": instances[name].to_numpy() for name in instances.columns}
    types = ("text", "image", "video")
    columns["instances.model_type"] = np.array([types.index(kind) for kind in instances["model_type"]])
    columns["types.kind"] = np.arange(3)
    candidates = public_topology(columns).candidates
    rows = instances.to_dicts()
    return {
        (node, kind): [rows[number] for number in candidates[node, code] if number >= 0]
        for node in range(NODES.height)
        for code, kind in enumerate(types)
    }


def move_ms(start: int, end: int, megabytes: float) -> float:
    return float(PATHS.delay_ms[end, start] + megabytes * PATHS.ms_per_mb[end, start])


def run_ms(instance: dict[str, Any], tokens: int, state: str) -> float:
    loading = instance["memory_gb"] / LOAD_GB_PER_S * 1000.0 if state == "cold" else 0.0
    speed = TOKENS_PER_S_PER_COMPUTE * NODES["compute"][instance["node_id"]]
    return float(loading + tokens * instance["work"] / speed * 1000.0)


def quickest_by_recursion(task: dict[str, Any], offers: Offers, state: str) -> float:
    memory: dict[tuple[int, int], float] = {}
    payload = [task["prompt_mb"], *task["stage_output_mb"]]

    def from_stage(stage: int, node: int) -> float:
        if stage == len(task["stage_types"]):
            return move_ms(node, task["node_id"], payload[stage])
        if (stage, node) not in memory:
            memory[stage, node] = min(
                move_ms(node, instance["node_id"], payload[stage])
                + run_ms(instance, task["stage_tokens"][stage], state)
                + from_stage(stage + 1, instance["node_id"])
                for instance in offers[node, task["stage_types"][stage]]
            )
        return memory[stage, node]

    return from_stage(0, task["node_id"])


@pytest.mark.parametrize("workflow", ["chain-5", "chain"])
@pytest.mark.parametrize("state", STATES)
def test_the_plan_of_a_chain_is_the_best_of_all_that_are_offered(workflow: WorkflowShape, state: str) -> None:
    tasks, offers = tasks_of(workflow).head(12), offers_of(INSTANCES)
    expected = [quickest_by_recursion(task, offers, state) for task in tasks.iter_rows(named=True)]
    assert quickest_ms(tasks, NODES, LINKS, INSTANCES)[state] == pytest.approx(expected)


def test_an_instance_that_is_not_offered_is_not_in_a_plan() -> None:
    """Text instances abound, so most are offered at some nodes only."""
    everything = {
        (node, kind): INSTANCES.filter(pl.col("model_type") == kind).to_dicts()
        for node in range(NODES.height)
        for kind in ("text", "image", "video")
    }
    tasks = CHAINS.head(40)
    free = [quickest_by_recursion(task, everything, "cold") for task in tasks.iter_rows(named=True)]
    offered = quickest_ms(tasks, NODES, LINKS, INSTANCES)["cold"]
    assert (offered >= np.array(free) - 1e-6).all()
    assert (offered > np.array(free) + 1e-6).any()


def all_plans_ms(task: dict[str, Any], offers: Offers, state: str) -> Iterator[float]:
    """The time of every way to take the candidates, played out event by event."""
    most = [len(offers[0, kind]) for kind in task["stage_types"]]
    for choice in itertools.product(*(range(count) for count in most)):
        yield played_ms(task, offers, state, choice)


def played_ms(task: dict[str, Any], offers: Offers, state: str, choice: tuple[int, ...]) -> float:
    count, home = len(choice), task["node_id"]
    parents = [[k for k in range(stage) if needs >> k & 1] for stage, needs in enumerate(task["stage_parents"])]
    place, done, free = [home] * count, [np.inf] * count, dict.fromkeys(range(NODES.height), 0.0)
    waiting = {stage: 0.0 for stage in range(count) if not parents[stage]}
    sent: dict[int, dict[str, Any]] = {}
    while waiting:
        stage = min(waiting, key=lambda one: (waiting[one], one))
        now = waiting[stage]
        if stage not in sent:
            sent[stage] = offers[place[stage], task["stage_types"][stage]][choice[stage]]
            place[stage] = sent[stage]["node_id"]
            inputs = [(place[k], task["stage_output_mb"][k]) for k in parents[stage]] or [(home, task["prompt_mb"])]
            waiting[stage] = now + max(move_ms(node, place[stage], megabytes) for node, megabytes in inputs)
            continue
        del waiting[stage]
        done[stage] = max(now, free[place[stage]]) + run_ms(sent[stage], task["stage_tokens"][stage], state)
        free[place[stage]] = done[stage]
        for child in range(stage + 1, count):
            if stage in parents[child] and all(np.isfinite(done[k]) for k in parents[child]):
                last = max(parents[child], key=lambda one: (done[one], -one))
                waiting[child], place[child] = done[last], place[last]
    leaves = [stage for stage in range(count) if not any(stage in needs for needs in parents)]
    return max(done) + max(move_ms(place[stage], home, task["stage_output_mb"][stage]) for stage in leaves)


@pytest.mark.parametrize("workflow", ["diamond", "tree", "hybrid"])
@pytest.mark.parametrize("state", STATES)
def test_the_plan_of_a_graph_is_one_that_can_be_played(workflow: WorkflowShape, state: str) -> None:
    tasks, offers = tasks_of(workflow).head(10), offers_of(FEW)
    told = quickest_ms(tasks, NODES, LINKS, FEW)[state]
    nearly_best = 0
    for task, plan in zip(tasks.iter_rows(named=True), told, strict=True):
        plans = np.array(list(all_plans_ms(task, offers, state)))
        assert np.abs(plans - plan).min() < 1e-6
        nearly_best += plan <= 1.2 * plans.min()
    assert nearly_best >= 7


def test_stages_of_a_task_queue_up_where_there_is_one_instance() -> None:
    text = FEW.head(1).with_columns(instance_id=pl.lit(0, pl.Int32))
    task = tasks_of("tree").head(1).with_columns(stage_types=pl.lit(["text"] * 4), stage_tokens=pl.lit([500] * 4))
    task = task.with_columns(stage_output_mb=pl.lit([0.06] * 4))
    one = run_ms(text.row(0, named=True), 500, "resident")
    home, node = task["node_id"][0], text["node_id"][0]
    assert quickest_ms(task, NODES, LINKS, text)["resident"] == pytest.approx(
        [4 * one + move_ms(home, node, 0.06) + move_ms(node, home, 0.06)]
    )


def test_a_type_that_is_not_placed_is_named() -> None:
    with pytest.raises(EdgeBenchError, match="needs a 'video' model and none is placed"):
        quickest_ms(CHAINS, NODES, LINKS, INSTANCES.filter(pl.col("model_type") != "video"))


@pytest.mark.parametrize("workflow", ["chain-5", "dag"])
def test_feasibility_is_told_as_a_share_of_the_deadline(workflow: WorkflowShape) -> None:
    drawn = tasks_of(workflow)
    quickest = quickest_ms(drawn, NODES, LINKS, INSTANCES)
    tasks = set_deadlines(drawn, quickest)
    told = prove_feasible(tasks, quickest)
    share = quickest["resident"] / tasks["deadline_ms"].to_numpy()
    assert told["resident"]["max"] == pytest.approx(share.max(), abs=1e-4)
    assert told["resident"]["median"] == pytest.approx(np.median(share), abs=1e-4)
    assert all(told["cold"][name] > told["resident"][name] for name in ("min", "median", "max"))


def test_deadlines_leave_slack_and_are_no_longer_than_need_be() -> None:
    quickest = quickest_ms(CHAINS, NODES, LINKS, INSTANCES)
    deadline = set_deadlines(CHAINS, quickest)["deadline_ms"].to_numpy()
    needed = DEADLINE_SLACK * np.maximum(quickest["resident"], quickest["cold"] / FAIL_FACTOR)
    assert (deadline >= np.maximum(DEADLINE_MS, needed)).all()
    assert (deadline < np.maximum(DEADLINE_MS, needed) + 100.0).all()
    assert (deadline > DEADLINE_MS).any() and (deadline == DEADLINE_MS).any()


def test_a_plan_too_slow_from_cold_models_is_named() -> None:
    quickest = quickest_ms(CHAINS, NODES, LINKS, INSTANCES)
    cold = quickest["cold"]
    slowest = int(np.argmax(cold - FAIL_FACTOR * quickest["resident"]))
    deadline = np.where(np.arange(len(cold)) == slowest, cold / (FAIL_FACTOR + 0.1), 1e9)
    tasks = CHAINS.with_columns(deadline_ms=pl.Series(deadline))
    with pytest.raises(EdgeBenchError, match=f"task {slowest} cannot be done in time: .* with cold models"):
        prove_feasible(tasks, quickest)


def test_a_task_that_cannot_be_done_in_time_is_named() -> None:
    hurried = CHAINS.with_columns(deadline_ms=pl.when(pl.col("task_id") == 77).then(1.0).otherwise(1e9))
    with pytest.raises(EdgeBenchError, match="task 77 cannot be done in time"):
        prove_feasible(hurried, quickest_ms(hurried, NODES, LINKS, INSTANCES))


def test_a_task_of_no_split_has_no_plan() -> None:
    stray = CHAINS.with_columns(split=pl.when(pl.col("task_id") == 5).then(pl.lit("spare")).otherwise("split"))
    with pytest.raises(EdgeBenchError, match="no plan was found for task 5"):
        quickest_ms(stray, NODES, LINKS, INSTANCES)
