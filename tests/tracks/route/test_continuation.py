"""The dynamic programme against trying everything, and the bound against what agents reach."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_network import graph_record, one_of_each, task_record, toy_topology
from varied_regions import VARIED, varied

from edgebench.constants import COST_REF_USD, COST_WEIGHT, MODEL_TYPES
from edgebench.harness.rollout import roll
from edgebench.registry import REGIONS, SCENARIOS
from edgebench.tracks.route.bound import bound_of, task_bounds
from edgebench.tracks.route.continuation import Continuation
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.simulation import Simulation
from reference_agents.route.greedy_estimate import Agent as GreedyEstimate
from reference_agents.route.lookahead import Agent as Lookahead
from reference_agents.route.random_valid import Agent as RandomValid

CALM = make_rules(SCENARIOS["calm"].parameters())
LINE = [(0, 1, 2.0, 20.0), (1, 2, 5.0, 80.0), (0, 2, 30.0, 200.0)]


def plan_value(topology, task, plan, start, first_stage, speed_weight):
    """Quality and cost of the stages of a plan from `first_stage` on, less the time they and the way back take."""
    value, node, user = 0.0, start, task["user_node"]
    per_ms = speed_weight / task["deadline_ms"]
    for stage, number in enumerate(plan, start=first_stage):
        instance = topology.instance[number]
        path, tokens = topology.path[instance["node"], node], task["tokens"][stage]
        time_ms = path["latency_ms"] + task["payload_mb"][stage] * path["ms_per_mb"]
        time_ms += tokens * instance["work"] / topology.node["speed"][instance["node"]]
        value += task["quality_weight"] * instance["quality"] / task["stages"] - per_ms * time_ms
        value -= COST_WEIGHT * tokens * instance["usd_per_token"] / COST_REF_USD
        node = instance["node"]
    back = topology.path[user, node]
    return value - per_ms * (back["latency_ms"] + task["answer_mb"] * back["ms_per_mb"])


def plans(topology, task, first_stage=0):
    """All choices of instances for the stages from `first_stage` on."""
    count = topology.instance.size
    of_type = {code: range(code, count, len(MODEL_TYPES)) for code in range(len(MODEL_TYPES))}
    return itertools.product(*(of_type[int(code)] for code in task["stage_type"][first_stage : task["stages"]]))


stages = st.lists(
    st.tuples(st.sampled_from(MODEL_TYPES), st.integers(1, 3000), st.floats(0.0, 20.0)), min_size=1, max_size=4
)


@given(stages, st.integers(0, 2), st.integers(0, 10**6), st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_values_are_the_best_of_all_plans(of_task, user_node, seed, quality_weight):
    topology = toy_topology(LINE, [20, 50, 30], one_of_each(3, seed))
    task = task_record(of_task, user_node=user_node, quality_weight=quality_weight)
    speed_weight = float(task["speed_weight"])
    values = Continuation(topology).of_task(task, task["quality_weight"], speed_weight)
    assert values.shape == (len(of_task) + 1, 3)
    for first in range(len(of_task) + 1):
        for node in range(3):
            best = max(
                plan_value(topology, task, plan, node, first, speed_weight) for plan in plans(topology, task, first)
            )
            assert values[first, node] == pytest.approx(best, abs=1e-9)


@given(stages, st.integers(0, 2), st.integers(0, 10**6), st.floats(0.0, 1.0))
@settings(max_examples=25, deadline=None)
def test_a_lone_task_earns_the_value_of_its_plan_but_for_loading(of_task, user_node, seed, quality_weight):
    """The simulator agrees with the sum: on an empty network, without memory to load, a plan's utility is its value."""
    instances = [(*one[:4], 0.0, one[5]) for one in one_of_each(3, seed)]
    topology = toy_topology(LINE, [20, 50, 30], instances)
    task = task_record(of_task, user_node=user_node, quality_weight=quality_weight, deadline_ms=10**6)
    plan = [position % 3 * len(MODEL_TYPES) + int(task["stage_type"][position]) for position in range(len(of_task))]
    simulation = Simulation(topology, np.array([task]), CALM)
    simulation.start(0, 0)
    total = sum(simulation.step(simulation.seen.instances.tolist().index(number)) for number in plan)
    assert simulation.over
    speed_weight = float(task["speed_weight"])
    expected = max(0.0, speed_weight + plan_value(topology, task, plan, user_node, 0, speed_weight))
    assert total == pytest.approx(expected, abs=1e-9)


graphs = st.integers(2, 4).flatmap(
    lambda stages: st.tuples(
        *(
            st.tuples(st.sampled_from(MODEL_TYPES), st.integers(1, 3000), st.integers(0, (1 << stage) - 1))
            for stage in range(stages)
        )
    )
)


@given(graphs, st.integers(0, 10**6), st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_no_plan_of_a_graph_passes_its_bound(of_graph, seed, quality_weight):
    """Every plan of a lone task in an empty network without memory to load, simulated."""
    topology = toy_topology(LINE, [20, 50, 30], [(*one[:4], 0.0, one[5]) for one in one_of_each(3, seed)])
    outputs = np.random.default_rng(seed).uniform(0.0, 20.0, len(of_graph))
    task = graph_record(of_graph, outputs, user_node=seed % 3, quality_weight=quality_weight, deadline_ms=15_000.0)
    simulation = Simulation(topology, np.array([task]), CALM)
    best = max(earned(simulation, plan) for plan in itertools.product(range(3), repeat=len(of_graph)))
    assert best <= bound_of(Continuation(topology), task) + 1e-9


def earned(simulation, plan):
    """Utility of a task whose stages take these candidates, in the order of the decisions."""
    simulation.start(0, 0)
    for action in plan:
        if not simulation.over:
            simulation.step(action)
    assert simulation.over
    return simulation.state.progress["utility"][0]


@pytest.mark.parametrize("wanted", VARIED)
def test_no_agent_passes_the_bound_of_graphs_and_experts(regions, wanted):
    region = varied(regions["s1"], wanted)
    bounds = task_bounds(region, "test")
    assert (bounds <= 1.0).all()
    env = RouteEnv(region, split="test")
    for agent in (RandomValid(), GreedyEstimate(), Lookahead()):
        for window in range(env.windows):
            list(roll(env, agent, [(window, 3)]))
            progress = env._simulation.state.progress
            assert (progress["utility"] <= bounds[window * progress.size :][: progress.size] + 1e-9).all()


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("region", REGIONS)
def test_no_agent_passes_the_bound_on_any_task(regions, region, scenario):
    bounds = task_bounds(regions[region], "test")
    assert np.isfinite(bounds).all()
    env = RouteEnv(regions[region], scenario=scenario, split="test")
    for agent in (RandomValid(), GreedyEstimate(), Lookahead()):
        for window in range(env.windows):
            (metrics,) = roll(env, agent, [(window, 3)])
            progress = env._simulation.state.progress
            of_window = bounds[progress["row"]]
            assert (progress["utility"] <= of_window + 1e-9).all()
            assert metrics["utility"] <= of_window.mean()


@pytest.mark.parametrize("region", REGIONS)
def test_the_bound_is_within_what_a_utility_can_be(regions, region):
    bounds = task_bounds(regions[region], "test")
    assert (bounds >= 0.0).all()
    assert bounds.mean() > 0.0
    assert (bounds <= 1.0).all()
