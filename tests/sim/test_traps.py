"""Trap links: how often and how long they are bad, what is measured of them, what is remembered when."""

import numpy as np
import pytest
from scipy import stats
from toy_network import one_of_each, task_record, toy_topology

from edgebench.constants import (
    HOP_MS,
    MEASURE_ALPHA,
    MEASURE_MEMORY_MS,
    TRAP_EXTRA_MS,
    TRAP_SLOT_MS,
    TRAP_SLOTS,
)
from edgebench.registry import REGIONS
from edgebench.sim.features import CANDIDATE
from edgebench.sim.simulation import Simulation
from edgebench.sim.state import MONITOR, new_state
from edgebench.sim.topology import TRAP_LINK
from edgebench.sim.traps import draw_traps, extra_now, measure, remembered

EPISODES = 200


@pytest.fixture(scope="module")
def drawn(regions):
    """A standard topology and its bad states over many episodes, (episodes, traps, slots)."""
    topology = regions["s1"].topology()
    state = new_state(topology)
    extras = []
    for seed in range(EPISODES):
        draw_traps(topology, state, seed, True)
        extras.append(state.extra_ms.copy())
    return topology, np.array(extras)


def bad_share(topology):
    return topology.trap["enter"] / (topology.trap["enter"] + topology.trap["leave"])


@pytest.mark.parametrize("slot", [0, 1, TRAP_SLOTS // 2, TRAP_SLOTS - 1])
def test_the_chain_is_stationary_from_its_first_slot_to_its_last(drawn, slot):
    topology, extras = drawn
    bad = extras[:, :, slot] > 0.0
    expected = float(bad_share(topology).mean())
    assert stats.binomtest(int(bad.sum()), bad.size, expected).pvalue > 1e-3


def test_bad_spells_last_as_long_as_the_chance_to_leave_says(drawn):
    topology, extras = drawn
    bad = extras > 0.0
    left = (bad[:, :, :-1] & ~bad[:, :, 1:]).sum()
    assert stats.binomtest(int(left), int(bad[:, :, :-1].sum()), float(topology.trap["leave"].mean())).pvalue > 1e-3
    entered = (~bad[:, :, :-1] & bad[:, :, 1:]).sum()
    assert stats.binomtest(int(entered), int((~bad[:, :, :-1]).sum()), float(topology.trap["enter"].mean())).pvalue > 1e-3


def test_traps_are_bad_independently_of_each_other(drawn):
    bad = drawn[1][:, :, 0] > 0.0
    correlation = np.corrcoef(bad.T) - np.eye(bad.shape[1])
    assert np.abs(correlation).max() < 4.5 / np.sqrt(len(bad))


def test_extras_are_uniform_between_their_bounds(drawn):
    extras = drawn[1][drawn[1] > 0.0]
    least, most = TRAP_EXTRA_MS
    assert extras.min() >= least
    assert extras.max() <= most
    sample = extras[:: max(1, extras.size // 5000)]
    assert stats.kstest(sample, "uniform", args=(least, most - least)).pvalue > 1e-3


def test_calm_has_none_and_forgets_those_of_the_episode_before(regions):
    topology = regions["s1"].topology()
    state = new_state(topology)
    draw_traps(topology, state, 5, True)
    assert state.extra_ms.any()
    draw_traps(topology, state, 5, False)
    assert not state.extra_ms.any()


@pytest.mark.parametrize("name", REGIONS)
def test_every_region_has_traps_that_are_bad_at_times(regions, name):
    topology = regions[name].topology()
    state = new_state(topology)
    draw_traps(topology, state, 1, True)
    assert topology.trap.size == int(regions[name].column("links", "is_trap").sum()) > 0
    assert 0.0 < (state.extra_ms > 0.0).mean() < 1.0


def test_a_slot_begins_at_its_start_and_the_last_one_holds(regions):
    topology = regions["s1"].topology()
    state = new_state(topology)
    state.extra_ms[0] = np.arange(TRAP_SLOTS)
    for now, slot in ((0.0, 0), (TRAP_SLOT_MS - 1e-6, 0), (TRAP_SLOT_MS, 1), (1e9, TRAP_SLOTS - 1)):
        assert extra_now(state, 0, now) == slot


# --- what is remembered --------------------------------------------------------------------------


@pytest.fixture
def monitor():
    """A link of which nothing is known."""
    fresh = np.zeros(1, MONITOR)
    fresh["pending_at_ms"] = np.inf
    return fresh[0]


def test_nothing_measured_is_nothing_remembered(monitor):
    assert remembered(monitor, 0.0) == remembered(monitor, 1e6) == 0.0


def test_a_measurement_is_known_on_arrival_and_fades(monitor):
    monitor = measured(monitor, 1000.0, 100.0, 350.0)
    assert remembered(monitor, 349.9) == 0.0
    assert remembered(monitor, 350.0) == pytest.approx(MEASURE_ALPHA * 1000.0)
    later = 350.0 + MEASURE_MEMORY_MS
    assert remembered(monitor, later) == pytest.approx(MEASURE_ALPHA * 1000.0 / np.e)


def test_one_measurement_at_a_time_is_under_way(monitor):
    monitor = measured(monitor, 1000.0, 100.0, 350.0)
    monitor = measured(monitor, 7000.0, 200.0, 250.0)
    assert remembered(monitor, 260.0) == 0.0
    assert remembered(monitor, 350.0) == pytest.approx(MEASURE_ALPHA * 1000.0)


def test_a_later_measurement_is_averaged_with_the_faded_one(monitor):
    monitor = measured(monitor, 1000.0, 0.0, 100.0)
    monitor = measured(monitor, 3000.0, 200.0, 600.0)
    assert remembered(monitor, 400.0) == pytest.approx(MEASURE_ALPHA * 1000.0 * np.exp(-300.0 / MEASURE_MEMORY_MS))
    old = (1.0 - MEASURE_ALPHA) * MEASURE_ALPHA * 1000.0 * np.exp(-500.0 / MEASURE_MEMORY_MS)
    assert remembered(monitor, 600.0) == pytest.approx(old + MEASURE_ALPHA * 3000.0)


def test_a_good_measurement_lowers_what_is_remembered(monitor):
    monitor = measured(monitor, 1000.0, 0.0, 100.0)
    before = remembered(monitor, 300.0)
    monitor = measured(monitor, 0.0, 200.0, 300.0)
    assert remembered(monitor, 300.0) == pytest.approx((1.0 - MEASURE_ALPHA) * before)


def measured(monitor, *measurement):
    """`measure` writes into the record it is given; compiled code takes a copy of a lone record."""
    record = np.array([monitor], MONITOR)
    measure(record[0], *measurement)
    return record[0]


# --- in an episode: one trap link between the user and the only models ---------------------------


@pytest.fixture
def across_a_trap():
    """Two nodes, a trap link between them, all models on the far one; three tasks a second apart."""
    instances = [(1, kind, quality, work, memory, price) for _, kind, quality, work, memory, price in one_of_each(1)]
    topology = toy_topology([(0, 1, 1.0, 8000.0)], [20, 20], instances, traps=(0,))
    assert topology.trap.dtype == TRAP_LINK
    tasks = np.array([task_record([("text", 100, 1.0)] * 2, deadline_ms=60_000.0)] * 3)
    tasks["arrival_ms"] = 0.0, 1000.0, 60_000.0
    return Simulation(topology, tasks)


def test_an_answer_under_way_tells_nothing_before_it_has_arrived(across_a_trap):
    """The user's only link is bad for good; what the data met on its way there is known, the answer's is not yet."""
    simulation = across_a_trap
    simulation.start(0, 0, False)
    simulation.state.extra_ms[:] = 2000.0
    there = 2000.0 + 1.0 + HOP_MS + 1.0
    row = CANDIDATE["return_s"]
    network_s = (1.0 + HOP_MS + 1.0) / 1000.0
    simulation.step(0)  # task 0 leaves at 0
    assert simulation.seen.place[1] == 1
    assert simulation.seen.candidates[row, 0] == pytest.approx(network_s, rel=1e-5)
    simulation.step(0)  # task 1 leaves at 1000; task 0 decides again at its node, where both stages are at home
    assert simulation.seen.place[1] == 0
    now = float(simulation.state.progress["ready_ms"][0])
    extra_s = MEASURE_ALPHA * 2.0 * np.exp((there - now) / MEASURE_MEMORY_MS)
    assert now > there
    assert simulation.seen.candidates[row, 0] == pytest.approx(network_s + extra_s, rel=1e-5)
