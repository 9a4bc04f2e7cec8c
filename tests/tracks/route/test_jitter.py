"""Ways that are late at times: how often, how much, of whom, and whatever is done before."""

import numpy as np
import pytest
from scipy import stats
from toy_network import one_of_each, rules_of, task_record, toy_topology

from edgebench.constants import HOP_MS, JITTER_CHANCE, JITTER_MS, TRAP_SLOT_MS
from edgebench.registry import SCENARIOS
from edgebench.sim.compiled import compiled
from edgebench.tracks.route.simulation import Simulation, unpack
from edgebench.tracks.route.state import DONE, PROPAGATION
from edgebench.tracks.route.transfers import jitter

NODES, SLOTS, SEED = 12, 60, 5


def late(simulation, slots=SLOTS):
    """What the way between each two nodes takes longer at the middle of each slot, in ms: [from, to, slot]."""
    return _late(simulation.address, slots)


@compiled
def _late(address, slots):
    topology, _, state, _, _ = unpack(address)
    nodes = topology.node.shape[0]
    found = np.empty((nodes, nodes, slots))
    for source in range(nodes):
        for target in range(nodes):
            for slot in range(slots):
                found[source, target, slot] = jitter(state, nodes, source, target, (slot + 0.5) * TRAP_SLOT_MS)
    return found


def late_at(simulation, source, target, now_ms):
    """The same of one way at a time."""
    return _late_at(simulation.address, source, target, now_ms)


@compiled
def _late_at(address, source, target, now_ms):
    topology, _, state, _, _ = unpack(address)
    return jitter(state, topology.node.shape[0], source, target, now_ms)


def line(scenario="jitter", **parameters):
    """An episode on a line of nodes with a task at the first whose only text model is on the last."""
    links = [(node, node + 1, 1.0, 50.0) for node in range(NODES - 1)]
    instances = [(NODES - 1, "text", 0.5, 1.0, 0.0, 0.01), *(one for one in one_of_each(NODES) if one[1] != "text")]
    tasks = np.array([task_record([("text", 10, 0.0)], deadline_ms=60_000.0, answer_mb=0.0)])
    simulation = Simulation(toy_topology(links, [20] * NODES, instances), tasks, rules_of(scenario, **parameters))
    simulation.start(0, SEED)
    return simulation


@pytest.fixture(scope="module")
def drawn():
    return late(line())


@pytest.fixture(scope="module")
def ways(drawn):
    """(ways between two different nodes, slots)."""
    return drawn[~np.eye(NODES, dtype=bool)]


def test_ways_are_late_as_often_as_the_scenario_says(ways):
    assert stats.binomtest(int((ways > 0.0).sum()), ways.size, JITTER_CHANCE).pvalue > 1e-3


def test_how_late_is_uniform_between_its_bounds(ways):
    lateness = ways[ways > 0.0]
    assert lateness.min() >= JITTER_MS[0]
    assert lateness.max() < JITTER_MS[1]
    assert stats.kstest(lateness, "uniform", args=(JITTER_MS[0], JITTER_MS[1] - JITTER_MS[0])).pvalue > 1e-3


def test_whether_and_how_late_are_independent_of_each_other_and_of_slot_and_way(ways):
    is_late = ways > 0.0
    both = is_late[:, 1:] & is_late[:, :-1]
    assert stats.binomtest(int(both.sum()), both.size, JITTER_CHANCE**2).pvalue > 1e-3
    assert stats.spearmanr(ways[:, 1:][both], ways[:, :-1][both]).pvalue > 1e-3
    by_way = stats.chisquare(is_late.sum(axis=1), np.full(len(ways), is_late.sum() / len(ways)))
    assert by_way.pvalue > 1e-3


def test_there_and_back_are_two_ways(drawn):
    there = drawn[np.triu_indices(NODES, 1)]
    back = drawn.transpose(1, 0, 2)[np.triu_indices(NODES, 1)]
    assert (there != back).mean() > 0.5
    both = (there > 0.0) & (back > 0.0)
    assert stats.binomtest(int(both.sum()), both.size, JITTER_CHANCE**2).pvalue > 1e-3


def test_on_the_node_itself_nothing_is_late(drawn):
    assert not drawn[np.arange(NODES), np.arange(NODES)].any()


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "jitter"])
def test_elsewhere_nothing_is_late(scenario):
    assert not late(line(scenario)).any()


def test_a_way_is_equally_late_throughout_a_slot_and_has_no_last_slot(drawn):
    simulation = line()
    for slot in range(SLOTS):
        for now in (slot * TRAP_SLOT_MS, (slot + 1) * TRAP_SLOT_MS - 1e-6):
            assert late_at(simulation, 0, 1, now) == drawn[0, 1, slot]
    after = [late_at(simulation, 0, 1, (1000 + slot) * TRAP_SLOT_MS) for slot in range(SLOTS)]
    assert len(set(after)) > 2


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_chances_of_nothing_and_of_everything(chance):
    found = late(line(jitter_chance=chance))[~np.eye(NODES, dtype=bool)]
    assert (found > 0.0).all() == (found > 0.0).any() == (chance == 1.0)


def test_a_task_pays_for_the_way_there_when_it_leaves_and_for_the_way_back_when_the_answer_does():
    simulation, last = line(), NODES - 1
    plain_ms = last * (1.0 + HOP_MS)
    for seed in range(30):
        simulation.start(0, seed)
        simulation.step(0)
        progress = simulation.state.progress[0]
        assert progress["outcome"] == DONE
        there_ms = late_at(simulation, 0, last, 0.0)
        back_ms = late_at(simulation, last, 0, progress["done_ms"])
        assert progress["parts_ms"][PROPAGATION] == pytest.approx(2 * plain_ms + there_ms + back_ms)
        assert progress["latency_ms"] == pytest.approx(progress["parts_ms"].sum())


def test_lateness_is_the_same_whatever_is_done_and_another_under_another_seed(regions):
    region = regions["s4"]
    simulation = Simulation(region.topology(), region.task_arrays("train"), rules_of("jitter"))
    tables = []
    for seed, slot in ((1, 0), (1, 1), (1, 31), (2, 0)):
        simulation.start(0, seed)
        while not simulation.over:
            simulation.step(slot if simulation.seen.action_mask[slot] else 0)
        tables.append(late(simulation, 5))
    np.testing.assert_array_equal(tables[0], tables[1])
    np.testing.assert_array_equal(tables[0], tables[2])
    assert (tables[0] != tables[3]).any()
