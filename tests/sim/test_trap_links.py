"""Trap links: how often and how long they are bad, what is measured of them, what is remembered when."""

import numpy as np
import pytest
from scipy import stats
from toy_network import task_record, toy_topology
from varied_regions import BEHAVIOURS

from edgebench.constants import (
    HOP_MS,
    MEASURE_ALPHA,
    MEASURE_MEMORY_MS,
    MODEL_TYPES,
    TRAP_EXTRA_MS,
    TRAP_SLOT_MS,
    TRAP_SLOTS,
)
from edgebench.registry import REGIONS
from edgebench.sim.features import CANDIDATE
from edgebench.sim.simulation import Simulation
from edgebench.sim.state import MONITOR, TRAP, new_state
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
    assert (
        stats.binomtest(int(entered), int((~bad[:, :, :-1]).sum()), float(topology.trap["enter"].mean())).pvalue > 1e-3
    )


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
        assert extra_now(state, topology.trap[0], 0, 5.0, now) == slot


# --- other behaviours: a line of two trap links of 50 Mbit/s --------------------------------------


def line(behaviour):
    """The topology and the states of an episode."""
    parameters = {name.removeprefix("trap_"): value for name, value in BEHAVIOURS[behaviour].items()}
    instances = [(2, kind, 0.5, 1.0, 0.0, 0.01) for kind in MODEL_TYPES]
    topology = toy_topology([(0, 1, 1.0, 50.0), (1, 2, 1.0, 50.0)], [20] * 3, instances, (0, 1), parameters)
    state = new_state(topology)
    draw_traps(topology, state, 3, True)
    return topology, state


def test_a_flat_trap_is_always_bad_and_slow():
    topology, state = line("flat")
    assert state.is_bad.all()
    assert (state.extra_ms == 2000.0).all()
    assert extra_now(state, topology.trap[1], 1, 3.0, 1e5) == pytest.approx(2000.0 + 3.0 * (8000.0 - 8000.0 / 50.0))


def test_a_coin_is_thrown_anew_in_every_slot():
    topology, state = line("coin")
    assert set(np.unique(state.extra_ms)) == {100.0, 200.0}
    assert ((state.extra_ms == 200.0) == state.is_bad).all()
    assert stats.binomtest(int(state.is_bad.sum()), state.is_bad.size, 0.5).pvalue > 1e-3
    stays = (state.is_bad[:, 1:] == state.is_bad[:, :-1]).sum()
    assert stats.binomtest(int(stays), state.is_bad[:, 1:].size, 0.5).pvalue > 1e-3
    assert (topology.trap["slow_ms_per_mb"] == 0.0).all()


def test_lost_packets_are_sent_again_over_what_is_left():
    topology, state = line("lossy")
    slot = int(np.flatnonzero(state.is_bad[0])[0])
    more = extra_now(state, topology.trap[0], 0, 2.0, slot * TRAP_SLOT_MS) - state.extra_ms[0, slot]
    assert more == pytest.approx(2.0 * (8000.0 / 5.0 / 0.8 - 8000.0 / 50.0))
    good = int(np.flatnonzero(state.is_bad[0] == 0)[0])
    assert extra_now(state, topology.trap[0], 0, 2.0, good * TRAP_SLOT_MS) == 0.0


@pytest.mark.parametrize("scenario", [True, False])
def test_a_good_link_that_rests_is_no_hit_and_in_calm_does_nothing(scenario):
    topology, _ = line("coin")
    simulation = Simulation(topology, np.array([task_record([("text", 10, 1.0)], answer_mb=1.0)]))
    simulation.start(0, 3, scenario)
    simulation.state.is_bad[:] = 0
    simulation.state.extra_ms[:] = simulation.state.extra_ms.min()
    simulation.step(0)
    progress = simulation.state.progress[0]
    assert progress["trap_hits"] == 0
    assert progress["parts_ms"][TRAP] == (400.0 if scenario else 0.0)


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
    measure(monitor, 1000.0, 100.0, 350.0)
    assert remembered(monitor, 349.9) == 0.0
    assert remembered(monitor, 350.0) == pytest.approx(MEASURE_ALPHA * 1000.0)
    later = 350.0 + MEASURE_MEMORY_MS
    assert remembered(monitor, later) == pytest.approx(MEASURE_ALPHA * 1000.0 / np.e)


def test_one_measurement_at_a_time_is_under_way(monitor):
    measure(monitor, 1000.0, 100.0, 350.0)
    measure(monitor, 7000.0, 200.0, 250.0)
    assert remembered(monitor, 260.0) == 0.0
    assert remembered(monitor, 350.0) == pytest.approx(MEASURE_ALPHA * 1000.0)


def test_a_later_measurement_is_averaged_with_the_faded_one(monitor):
    measure(monitor, 1000.0, 0.0, 100.0)
    measure(monitor, 3000.0, 200.0, 600.0)
    assert remembered(monitor, 400.0) == pytest.approx(MEASURE_ALPHA * 1000.0 * np.exp(-300.0 / MEASURE_MEMORY_MS))
    old = (1.0 - MEASURE_ALPHA) * MEASURE_ALPHA * 1000.0 * np.exp(-500.0 / MEASURE_MEMORY_MS)
    assert remembered(monitor, 600.0) == pytest.approx(old + MEASURE_ALPHA * 3000.0)


def test_a_good_measurement_lowers_what_is_remembered(monitor):
    measure(monitor, 1000.0, 0.0, 100.0)
    before = remembered(monitor, 300.0)
    measure(monitor, 0.0, 200.0, 300.0)
    assert remembered(monitor, 300.0) == pytest.approx((1.0 - MEASURE_ALPHA) * before)


# --- in an episode: a trap link, bad for good, between the user and the only model ---------------

EXTRA_MS, SHORT_MS, LONG_MS = 2000.0, 100.0, 10_000.0
THERE_MS = EXTRA_MS + 1.0 + HOP_MS


@pytest.fixture
def across_a_trap():
    """Three tasks of two stages: a short one and a long one for the first, short ones for the others."""
    topology = toy_topology(
        [(0, 1, 1.0, 50.0)], [20, 20], [(1, kind, 0.5, 1.0, 0.0, 0.01) for kind in MODEL_TYPES], (0,)
    )
    tokens = {length: length * topology.node["speed"][1] for length in (SHORT_MS, LONG_MS)}
    stages = [
        [("text", tokens[length], 0.0) for length in (SHORT_MS, second)] for second in (LONG_MS, SHORT_MS, SHORT_MS)
    ]
    tasks = np.array([task_record(of_task, deadline_ms=60_000.0, answer_mb=0.0) for of_task in stages])
    tasks["arrival_ms"] = 0.0, THERE_MS + SHORT_MS / 2, THERE_MS + 10 * SHORT_MS
    simulation = Simulation(topology, tasks)
    simulation.start(0, 0, False)
    simulation.state.extra_ms[:] = EXTRA_MS
    return simulation


def test_what_was_measured_is_known_when_the_data_has_arrived_and_not_before(across_a_trap):
    """Task 0 measures on its way there; task 1 measures anew, and task 2 decides while task 1 is under way.

    Meanwhile task 0's last stage has begun: its answer, which leaves later, must not have stirred the measurement.
    """
    arrivals = across_a_trap.tasks["arrival_ms"]
    decisions = [(0, 0.0), (1, arrivals[1]), (0, THERE_MS + SHORT_MS), (2, arrivals[2])]
    known = []
    for number, now in decisions:
        assert across_a_trap.seen.place[1] == number
        known.append(across_a_trap.seen.candidates[CANDIDATE["return_s"], 0] * 1000.0 - 1.0 - HOP_MS)
        faded = MEASURE_ALPHA * EXTRA_MS * np.exp((THERE_MS - now) / MEASURE_MEMORY_MS) if now >= THERE_MS else 0.0
        assert known[-1] == pytest.approx(faded, abs=0.01)
        across_a_trap.step(0)
    assert known[0] < 0.01 < known[-1]
