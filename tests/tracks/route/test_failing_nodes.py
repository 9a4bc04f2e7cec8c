"""Nodes that fail: how often and how long, what is lost, who fails, what is told of it when."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from toy_network import rules_of, task_record, toy_topology

from edgebench.constants import (
    HOP_MS,
    LOAD_GB_PER_S,
    MODEL_TYPES,
    OUTAGE_ENTER,
    OUTAGE_LEAVE,
    TELEMETRY_MS,
    TRAP_SLOT_MS,
    TRAP_SLOTS,
    WINDOW_TASKS,
)
from edgebench.registry import SCENARIOS
from edgebench.sim import counter
from edgebench.sim.outages import outage_schedule
from edgebench.tracks.route.features import CANDIDATE
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.simulation import Simulation
from edgebench.tracks.route.state import DONE, DOWN, INVALID, LOADING, QUEUEING, UTILITY

EPISODES, NODES = 200, 25
TOLD_EVERY = round(TELEMETRY_MS / TRAP_SLOT_MS)


@pytest.fixture(scope="module")
def down():
    """Whether nodes are down over many episodes, (episodes, nodes, slots)."""
    return np.array([outage_schedule(NODES, seed, OUTAGE_ENTER, OUTAGE_LEAVE) for seed in range(EPISODES)])


@pytest.mark.parametrize("slot", [0, 1, TRAP_SLOTS // 2, TRAP_SLOTS - 1])
def test_as_many_nodes_are_down_in_the_first_slot_as_in_the_last(down, slot):
    share = OUTAGE_ENTER / (OUTAGE_ENTER + OUTAGE_LEAVE)
    assert stats.binomtest(int(down[:, :, slot].sum()), EPISODES * NODES, share).pvalue > 1e-3


def test_nodes_fail_and_are_back_by_the_chances_of_the_scenario(down):
    before, after = down[:, :, :-1], down[:, :, 1:]
    assert stats.binomtest(int((before & ~after).sum()), int(before.sum()), OUTAGE_LEAVE).pvalue > 1e-3
    assert stats.binomtest(int((~before & after).sum()), int((~before).sum()), OUTAGE_ENTER).pvalue > 1e-3


def test_nodes_fail_independently_of_each_other():
    first = np.array([outage_schedule(NODES, seed, 0.5, 0.5)[:, 0] for seed in range(2000)])
    correlation = np.corrcoef(first.T) - np.eye(NODES)
    assert np.abs(correlation).max() < 4.5 / np.sqrt(len(first))


def test_other_scenarios_have_no_outage():
    assert [name for name, scenario in SCENARIOS.items() if scenario.outage_enter > 0.0] == ["outage"]
    assert not outage_schedule(NODES, 1, 0.0, 0.0).any()


# --- two nodes: the user's, and the one with the models ------------------------------------------

SERVER, LOAD_GB = 1, 4.0
THERE_MS = 1.0 + HOP_MS


def pair(tasks, seed, *, enter=0.3, leave=0.3, memory_gb=LOAD_GB):
    """An episode of tasks of one stage each, (arrival, service) in ms; what they send weighs nothing."""
    topology = toy_topology(
        [(0, SERVER, 1.0, 50.0)], [20, 20], [(SERVER, kind, 0.5, 1.0, memory_gb, 0.01) for kind in MODEL_TYPES]
    )
    speed = topology.node["speed"][SERVER]
    records = [task_record([("text", service * speed, 0.0)], deadline_ms=1e9, answer_mb=0.0) for _, service in tasks]
    of_split = np.array(records)
    of_split["arrival_ms"] = [arrival for arrival, _ in tasks]
    simulation = Simulation(topology, of_split, rules_of("outage", outage_enter=enter, outage_leave=leave))
    simulation.start(0, seed)
    return simulation


def seed_whose_server(is_down):
    """The first seed under which the server is down in the given slots, by slot."""
    slots = list(is_down)
    return next(
        seed
        for seed in itertools.count()
        if (outage_schedule(2, seed, 0.3, 0.3)[SERVER, slots] == list(is_down.values())).all()
    )


def test_a_stage_that_reaches_a_node_that_is_down_fails_its_task():
    simulation = pair([(0.0, 10.0)], seed_whose_server({0: True}))
    assert simulation.step(0) == 0.0
    progress = simulation.state.progress[0]
    assert simulation.over
    assert (progress["outcome"], progress["stages_run"], progress["utility"]) == (DOWN, 0, 0.0)
    assert not simulation.state.busy_ms.any()


def test_a_stage_under_way_when_its_node_fails_fails_its_task():
    seed = seed_whose_server({0: False, 1: False, 2: False, 3: True})
    load_ms = 1000.0 * LOAD_GB / LOAD_GB_PER_S
    for service_ms, outcome in ((2900.0 - load_ms, DONE), (3100.0 - load_ms, DOWN)):
        simulation = pair([(0.0, service_ms)], seed)
        earned = simulation.step(0)
        progress = simulation.state.progress[0]
        assert (progress["outcome"], earned > 0.0) == (outcome, outcome == DONE)
        assert earned == progress["utility"]
        assert not progress["earned"].any() or outcome == DONE


ARRIVAL_AND_SERVICE = st.tuples(st.floats(0.0, 300_000.0), st.floats(1.0, 20_000.0))


@given(ARRIVAL_AND_SERVICE, st.integers(0, 2**63 - 1), st.floats(0.01, 0.9), st.floats(0.01, 0.9))
@settings(deadline=None, max_examples=200)
def test_a_task_fails_if_its_node_is_down_between_arrival_and_end_and_only_then(of_task, seed, enter, leave):
    arrival_ms, service_ms = of_task
    simulation = pair([(0.0, 1.0), (arrival_ms, service_ms)], seed, enter=enter, leave=leave, memory_gb=0.0)
    simulation.step(-1)
    simulation.step(0)
    first, last = (
        min(int(when / TRAP_SLOT_MS), TRAP_SLOTS - 1)
        for when in (arrival_ms + THERE_MS, arrival_ms + THERE_MS + service_ms)
    )
    fails = outage_schedule(2, seed, enter, leave)[SERVER, first : last + 1].any()
    assert simulation.state.progress["outcome"][:2].tolist() == [INVALID, DOWN if fails else DONE]


BACK = {0: False, 1: False, 2: False, 3: False, 4: True, 5: False, 6: False, 7: False, 8: False, 9: False}
"""A server that fails for a second after four."""


def test_what_a_node_held_is_lost_with_it():
    """After its return the queue is empty, and a model that was loaded is loaded again."""
    tasks = [(0.0, 100.0), (2200.0, 100.0), (2300.0, 60_000.0), (2400.0, 100.0), (5500.0, 100.0)]
    simulation = pair(tasks, seed_whose_server(BACK))
    while not simulation.over:
        simulation.step(0)
    progress = simulation.state.progress[: len(tasks)]
    assert progress["outcome"].tolist() == [DONE, DONE, DOWN, DOWN, DONE], "the third ran, the fourth waited for it"
    load_ms = 1000.0 * LOAD_GB / LOAD_GB_PER_S
    assert progress["parts_ms"][[0, 1, 4], LOADING].tolist() == [load_ms, 0.0, load_ms]
    assert progress["parts_ms"][4, QUEUEING] == 0.0


def test_the_same_tasks_wait_where_no_node_fails():
    tasks = [(0.0, 100.0), (2200.0, 100.0), (2300.0, 60_000.0), (2400.0, 100.0), (5500.0, 100.0)]
    simulation = pair(tasks, 0, enter=0.0)
    while not simulation.over:
        simulation.step(0)
    progress = simulation.state.progress[: len(tasks)]
    assert (progress["outcome"] == DONE).all()
    assert progress["parts_ms"][4, QUEUEING] > 50_000.0
    assert progress["parts_ms"][4, LOADING] == 0.0


def test_what_a_node_lost_is_seen_once_telemetry_tells_of_it():
    """Down in the first slot of a period, told at its beginning: no queue, no model, nothing stored, long after."""
    tasks = [(0.0, 20_000.0), (2200.0, 1.0), (4200.0, 1.0), (6200.0, 1.0)]
    simulation = pair(tasks, seed_whose_server(BACK))
    names = ("queue_s", "loading_s", "stored", "down")
    rows = []
    while not simulation.over:
        rows.append([float(simulation.seen.candidates[CANDIDATE[name], 0]) for name in names])
        simulation.step(0 if len(rows) == 1 else -1)
    load_s = LOAD_GB / LOAD_GB_PER_S
    assert rows[0] == [0.0, load_s, 0.0, 0.0]
    assert rows[1][1:] == [0.0, pytest.approx(LOAD_GB / 20), 0.0]
    assert rows[1][0] > 15.0
    assert rows[2:] == [[0.0, load_s, 0.0, 1.0], [0.0, load_s, 0.0, 0.0]]


# --- whole episodes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def episodes(regions):
    """Episodes of s1 by seed, played at random: what was seen at every decision, and how it ended.

    A list of (simulation, schedule, decisions); a decision is (time in ms, nodes, `down`, `down_now`) of its
    candidates.
    """
    return [play(regions["s1"], seed) for seed in range(12)]


def play(region, seed):
    rules = make_rules(SCENARIOS["outage"].parameters(), privileged=True)
    simulation = Simulation(region.topology(), region.task_arrays("train"), rules)
    simulation.start(seed % simulation.windows, seed)
    decisions = []
    while not simulation.over:
        seen, now = simulation.seen, simulation.state.progress["ready_ms"][simulation.seen.place[1]]
        there = np.flatnonzero(seen.action_mask)
        nodes = simulation.topology.instance["node"][seen.instances[there]]
        told, labelled = seen.candidates[CANDIDATE["down"], there], seen.labels[2, there]
        decisions.append((float(now), nodes, told.copy(), labelled.copy()))
        simulation.step(there[int(counter.uniform(seed, 99, len(decisions), 0) * there.size)])
    return simulation, outage_schedule(simulation.topology.node.size, seed, OUTAGE_ENTER, OUTAGE_LEAVE), decisions


def test_telemetry_tells_late_who_is_down_and_labels_at_once(episodes):
    late = 0
    for _, schedule, decisions in episodes:
        for now, nodes, told, labelled in decisions:
            slot = min(int(now / TRAP_SLOT_MS), TRAP_SLOTS - 1)
            period = min(int(now / TELEMETRY_MS) * TOLD_EVERY, TRAP_SLOTS - TOLD_EVERY)
            np.testing.assert_array_equal(told, schedule[nodes, period])
            np.testing.assert_array_equal(labelled, schedule[nodes, slot])
            late += (told != labelled).sum()
    assert late > 100


def test_no_stage_is_done_on_a_node_that_is_down(episodes):
    for simulation, schedule, _ in episodes:
        for progress in simulation.state.progress[simulation.state.progress["outcome"] == DONE]:
            stages = simulation.tasks[progress["row"]]["stages"]
            nodes = simulation.topology.instance["node"][progress["sent_to"][:stages]]
            slots = np.minimum(progress["due_ms"][:stages] // TRAP_SLOT_MS, TRAP_SLOTS - 1).astype(int)
            assert not schedule[nodes, slots].any()


def test_nothing_is_earned_by_a_task_that_a_node_failed(episodes):
    failed = np.concatenate([simulation.state.progress for simulation, *_ in episodes])
    failed = failed[failed["outcome"] == DOWN]
    assert failed.size > WINDOW_TASKS
    assert (failed["stages_run"] > 0).any()
    assert not failed["earned"].any()
    assert not failed["utility"].any()


def test_rewards_sum_to_the_utilities_where_nodes_fail(regions):
    rules = make_rules(SCENARIOS["outage"].parameters() | {"outage_enter": 0.1})
    simulation = Simulation(regions["s4"].topology(), regions["s4"].task_arrays("val"), rules)
    for seed in range(5):
        simulation.start(0, seed)
        earned = []
        while not simulation.over:
            earned.append(simulation.step(int(simulation.seen.action_mask.argmax())))
            assert earned[-1] == simulation.state.earned[UTILITY]
        progress = simulation.state.progress
        assert (progress["outcome"] == DOWN).any()
        assert sum(earned) == pytest.approx(progress["utility"].sum(), abs=1e-9)


def test_the_last_slot_holds():
    """Tasks that come after the last slot meet its state; telemetry tells of the last period for ever."""
    ends = {TRAP_SLOTS - TOLD_EVERY: False, TRAP_SLOTS - 1: True}
    long_after = TRAP_SLOTS * TRAP_SLOT_MS + 123_456.0
    simulation = pair([(0.0, 1.0), (long_after, 1.0)], seed_whose_server(ends))
    simulation.step(-1)
    assert simulation.seen.candidates[CANDIDATE["down"], 0] == 0.0
    simulation.step(0)
    assert simulation.state.progress["outcome"][1] == DOWN
