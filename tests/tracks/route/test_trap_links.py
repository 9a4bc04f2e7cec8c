"""Trap links: how often and how long they are bad, what is measured of them, what is remembered when."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from toy_network import rules_of, task_record, toy_topology
from varied_regions import BEHAVIOURS

from edgebench.constants import (
    DRIFT_MS,
    HOP_MS,
    MEASURE_ALPHA,
    MEASURE_MEMORY_MS,
    MODEL_TYPES,
    TRAP_EXTRA_MS,
    TRAP_SLOT_MS,
    TRAP_SLOTS,
)
from edgebench.registry import REGIONS
from edgebench.sim.compiled import compiled
from edgebench.sim.traps import MONITOR, is_armed, trap_schedule
from edgebench.tracks.route.features import CANDIDATE
from edgebench.tracks.route.monitors import extra_now, fade, is_bad_now, measure, settle
from edgebench.tracks.route.simulation import Simulation, unpack
from edgebench.tracks.route.state import TRAP

EPISODES = 200
SEED = 3
ALWAYS_BAD = {"enter": 1.0, "leave": 0.0}
NEVER_BAD = {"enter": 0.0, "leave": 1.0}


@compiled
def met(address, trap, megabytes, now_ms):
    """Whether a trap link is bad at a time, and its extra delay for so many megabytes."""
    topology, _, state, _, _ = unpack(address)
    extra_ms = extra_now(topology, state, trap, megabytes, now_ms)
    return is_bad_now(topology, state, trap, now_ms), extra_ms


@compiled
def armed(seed, trap, now_ms):
    """Whether a link is a trap at all, at every one of the times."""
    found = np.empty(now_ms.size, np.bool_)
    for number in range(now_ms.size):
        found[number] = is_armed(seed, trap, now_ms[number])
    return found


@compiled
def start_measuring(monitor, extra_ms, now_ms, known_at_ms):
    """Measure the only link of `monitor`, (1,) of MONITOR."""
    measure(monitor[0], extra_ms, now_ms, known_at_ms)


@compiled
def remembered(monitor, now_ms):
    """What is expected of it."""
    settle(monitor[0], now_ms)
    return monitor[0].weight_ms * fade(now_ms)


@pytest.fixture(scope="module")
def drawn(regions):
    """A standard topology and over many episodes whether its links are bad and how much: (episodes, traps, slots)."""
    topology = regions["s1"].topology()
    bad, extra_ms = zip(*(trap_schedule(topology.trap, seed, True, False) for seed in range(EPISODES)), strict=True)
    return topology, np.array(bad), np.array(extra_ms)


def bad_share(topology):
    return topology.trap["enter"] / (topology.trap["enter"] + topology.trap["leave"])


@pytest.mark.parametrize("slot", [0, 1, TRAP_SLOTS // 2, TRAP_SLOTS - 1])
def test_the_chain_is_stationary_from_its_first_slot_to_its_last(drawn, slot):
    topology, bad, _ = drawn
    expected = float(bad_share(topology).mean())
    assert stats.binomtest(int(bad[:, :, slot].sum()), bad[:, :, slot].size, expected).pvalue > 1e-3


def test_bad_spells_last_as_long_as_the_chance_to_leave_says(drawn):
    topology, bad, _ = drawn
    left = (bad[:, :, :-1] & ~bad[:, :, 1:]).sum()
    assert stats.binomtest(int(left), int(bad[:, :, :-1].sum()), float(topology.trap["leave"].mean())).pvalue > 1e-3
    entered = (~bad[:, :, :-1] & bad[:, :, 1:]).sum()
    assert (
        stats.binomtest(int(entered), int((~bad[:, :, :-1]).sum()), float(topology.trap["enter"].mean())).pvalue > 1e-3
    )


def test_traps_are_bad_independently_of_each_other(drawn):
    bad = drawn[1][:, :, 0]
    correlation = np.corrcoef(bad.T) - np.eye(bad.shape[1])
    assert np.abs(correlation).max() < 4.5 / np.sqrt(len(bad))


def test_extras_are_uniform_between_their_bounds(drawn):
    _, bad, extra_ms = drawn
    assert not extra_ms[~bad].any()
    extras = extra_ms[bad]
    least, most = TRAP_EXTRA_MS
    assert extras.min() >= least
    assert extras.max() <= most
    sample = extras[:: max(1, extras.size // 5000)]
    assert stats.kstest(sample, "uniform", args=(least, most - least)).pvalue > 1e-3


@pytest.mark.parametrize("name", REGIONS)
def test_every_region_has_traps_that_are_bad_at_times(regions, name):
    topology = regions[name].topology()
    bad, _ = trap_schedule(topology.trap, 1, True, False)
    assert topology.trap.size == int(regions[name].column("links", "is_trap").sum()) > 0
    assert 0.0 < bad.mean() < 1.0


# --- looked at now and then: a line of two trap links of 50 Mbit/s --------------------------------


def line(behaviour, scenario="trap"):
    """An episode of a task at one end whose models are at the other."""
    instances = [(2, kind, 0.5, 1.0, 0.0, 0.01) for kind in MODEL_TYPES]
    topology = toy_topology([(0, 1, 1.0, 50.0), (1, 2, 1.0, 50.0)], [20] * 3, instances, (0, 1), behaviour)
    tasks = np.array([task_record([("text", 10, 1.0)], answer_mb=1.0)])
    simulation = Simulation(topology, tasks, rules_of(scenario))
    simulation.start(0, SEED)
    return simulation


def named(behaviour):
    """Its parameters as a toy topology takes them."""
    return {name.removeprefix("trap_"): value for name, value in BEHAVIOURS[behaviour].items()}


TIMES = st.lists(st.floats(0.0, 1.2 * TRAP_SLOTS * TRAP_SLOT_MS), max_size=30).map(sorted)


@given(TIMES, st.integers(0, 2**63 - 1), st.sampled_from([None, *BEHAVIOURS]))
@settings(deadline=None)
def test_a_link_is_as_the_schedule_says_whenever_it_is_looked_at(times, seed, behaviour):
    simulation = line(behaviour and named(behaviour))
    simulation.start(0, seed)
    bad, extra_ms = trap_schedule(simulation.topology.trap, seed, True, False)
    slow_ms_per_mb = simulation.topology.trap["slow_ms_per_mb"]
    for now in times:
        slot = min(int(now / TRAP_SLOT_MS), TRAP_SLOTS - 1)
        for trap in range(2):
            expected = extra_ms[trap, slot] + bad[trap, slot] * 3.0 * slow_ms_per_mb[trap]
            assert met(simulation.address, trap, 3.0, now) == (bad[trap, slot], pytest.approx(expected, rel=1e-12))


@given(st.lists(st.integers(0, TRAP_SLOTS - 1), max_size=30).map(sorted), st.integers(0, 2**63 - 1))
@settings(deadline=None)
def test_in_drift_a_link_is_as_the_schedule_says_at_the_beginning_of_every_slot(slots, seed):
    simulation = line(None, "drift")
    simulation.start(0, seed)
    bad, extra_ms = trap_schedule(simulation.topology.trap, seed, True, True)
    for slot in slots:
        for trap in range(2):
            assert met(simulation.address, trap, 0.0, slot * TRAP_SLOT_MS) == (bad[trap, slot], extra_ms[trap, slot])


def test_calm_has_no_bad_link_and_no_extra():
    for behaviour in (None, *BEHAVIOURS):
        simulation = line(behaviour and named(behaviour), "calm")
        assert not any(part.any() for part in trap_schedule(simulation.topology.trap, SEED, False, False))
        assert all(met(simulation.address, 0, 5.0, slot * TRAP_SLOT_MS) == (False, 0.0) for slot in range(TRAP_SLOTS))


def test_an_episode_forgets_the_links_of_the_one_before():
    simulation = line(None)
    schedules = {seed: trap_schedule(simulation.topology.trap, seed, True, False)[1] for seed in (5, 6)}
    assert (schedules[5] != schedules[6]).any()
    for seed, extra_ms in schedules.items():
        simulation.start(0, seed)
        seen = [[met(simulation.address, trap, 0.0, slot * 1e3)[1] for slot in range(TRAP_SLOTS)] for trap in (0, 1)]
        np.testing.assert_array_equal(seen, extra_ms)


def test_a_slot_begins_at_its_start_and_the_last_one_holds():
    simulation = line({**ALWAYS_BAD, "extra_min_ms": 0.0, "extra_max_ms": 1000.0})
    extra_ms = trap_schedule(simulation.topology.trap, SEED, True, False)[1][0]
    assert np.unique(extra_ms).size == TRAP_SLOTS
    for now, slot in ((0.0, 0), (TRAP_SLOT_MS - 1e-6, 0), (TRAP_SLOT_MS, 1), (1e9, TRAP_SLOTS - 1)):
        assert met(simulation.address, 0, 0.0, now) == (True, extra_ms[slot])


# --- other behaviours ----------------------------------------------------------------------------


def test_a_flat_trap_is_always_bad_and_slow():
    simulation = line(named("flat"))
    bad, extra_ms = trap_schedule(simulation.topology.trap, SEED, True, False)
    assert bad.all()
    assert (extra_ms == 2000.0).all()
    expected = 2000.0 + 3.0 * (8000.0 - 8000.0 / 50.0)
    assert met(simulation.address, 1, 3.0, 1e5) == (True, pytest.approx(expected))


def test_a_coin_is_thrown_anew_in_every_slot():
    topology = line(named("coin")).topology
    bad, extra_ms = trap_schedule(topology.trap, SEED, True, False)
    assert set(np.unique(extra_ms)) == {100.0, 200.0}
    assert ((extra_ms == 200.0) == bad).all()
    assert stats.binomtest(int(bad.sum()), bad.size, 0.5).pvalue > 1e-3
    stays = (bad[:, 1:] == bad[:, :-1]).sum()
    assert stats.binomtest(int(stays), bad[:, 1:].size, 0.5).pvalue > 1e-3
    assert (topology.trap["slow_ms_per_mb"] == 0.0).all()


def test_lost_packets_are_sent_again_over_what_is_left():
    for parameters, is_bad in ((ALWAYS_BAD, True), (NEVER_BAD, False)):
        simulation = line(named("lossy") | parameters | {"extra_min_ms": 7.0, "extra_max_ms": 7.0})
        expected = 7.0 + 2.0 * (8000.0 / 5.0 / 0.8 - 8000.0 / 50.0) if is_bad else 0.0
        assert met(simulation.address, 0, 2.0, 0.0) == (is_bad, pytest.approx(expected))


@pytest.mark.parametrize(("scenario", "trap_ms"), [("trap", 400.0), ("calm", 0.0)])
def test_a_good_link_that_rests_is_no_hit_and_in_calm_does_nothing(scenario, trap_ms):
    simulation = line(named("coin") | NEVER_BAD, scenario)
    simulation.step(0)
    progress = simulation.state.progress[0]
    assert simulation.over
    assert progress["trap_hits"] == 0
    assert progress["parts_ms"][TRAP] == trap_ms


# --- links that are traps at times ----------------------------------------------------------------


def test_in_drift_every_link_is_a_trap_for_half_of_the_time_at_a_stretch():
    times = np.linspace(0.0, 3 * DRIFT_MS, 3 * 4000, endpoint=False)
    for trap in range(50):
        is_trap = armed(SEED, trap, times)
        assert is_trap.mean() == pytest.approx(0.5, abs=3 / times.size)
        assert (is_trap[1:] != is_trap[:-1]).sum() in (5, 6)
        np.testing.assert_array_equal(is_trap[:4000], is_trap[4000:8000])


def test_in_drift_links_take_turns_at_any_time():
    """When a link begins to be a trap is spread over the period, link by link and seed by seed."""
    times = np.linspace(0.0, DRIFT_MS, 1000, endpoint=False)
    for links in (((SEED, trap) for trap in range(300)), ((seed, 0) for seed in range(300))):
        found = [armed(seed, trap, times) for seed, trap in links]
        begins = [int(np.flatnonzero(is_trap & ~np.roll(is_trap, 1))[0]) for is_trap in found]
        assert stats.kstest(np.array(begins) / times.size, "uniform").pvalue > 1e-3


def test_in_drift_a_link_is_bad_where_it_is_a_trap_and_would_be_bad_in_trap(drawn):
    topology, bad, extra_ms = drawn
    starts = np.arange(TRAP_SLOTS) * TRAP_SLOT_MS
    for seed in range(20):
        is_trap = np.array([armed(seed, trap, starts) for trap in range(topology.trap.size)])
        drifting, drifting_ms = trap_schedule(topology.trap, seed, True, True)
        assert drifting.any()
        np.testing.assert_array_equal(drifting, bad[seed] & is_trap)
        np.testing.assert_array_equal(drifting_ms, np.where(is_trap, extra_ms[seed], 0.0))


# --- what is remembered --------------------------------------------------------------------------


@pytest.fixture
def monitor():
    """A link of which nothing is known."""
    return unknown()


def unknown():
    fresh = np.zeros(1, MONITOR)
    fresh["pending_at_ms"] = np.inf
    return fresh


def test_nothing_measured_is_nothing_remembered(monitor):
    assert remembered(monitor, 0.0) == remembered(monitor, 1e6) == 0.0


def test_a_measurement_is_known_on_arrival_and_fades(monitor):
    start_measuring(monitor, 1000.0, 100.0, 350.0)
    assert remembered(monitor, 349.9) == 0.0
    assert remembered(monitor, 350.0) == pytest.approx(MEASURE_ALPHA * 1000.0)
    later = 350.0 + MEASURE_MEMORY_MS
    assert remembered(monitor, later) == pytest.approx(MEASURE_ALPHA * 1000.0 / np.e)


def test_one_measurement_at_a_time_is_under_way(monitor):
    start_measuring(monitor, 1000.0, 100.0, 350.0)
    start_measuring(monitor, 7000.0, 200.0, 250.0)
    assert remembered(monitor, 260.0) == 0.0
    assert remembered(monitor, 350.0) == pytest.approx(MEASURE_ALPHA * 1000.0)


def test_a_later_measurement_is_averaged_with_the_faded_one(monitor):
    start_measuring(monitor, 1000.0, 0.0, 100.0)
    start_measuring(monitor, 3000.0, 200.0, 600.0)
    assert remembered(monitor, 400.0) == pytest.approx(MEASURE_ALPHA * 1000.0 * np.exp(-300.0 / MEASURE_MEMORY_MS))
    old = (1.0 - MEASURE_ALPHA) * MEASURE_ALPHA * 1000.0 * np.exp(-500.0 / MEASURE_MEMORY_MS)
    assert remembered(monitor, 600.0) == pytest.approx(old + MEASURE_ALPHA * 3000.0)


def test_a_good_measurement_lowers_what_is_remembered(monitor):
    start_measuring(monitor, 1000.0, 0.0, 100.0)
    before = remembered(monitor, 299.0)
    start_measuring(monitor, 0.0, 299.0, 300.0)
    faded = before * np.exp(-1.0 / MEASURE_MEMORY_MS)
    assert remembered(monitor, 300.0) == pytest.approx((1.0 - MEASURE_ALPHA) * faded)


EPOCH_MS = 400.0 * MEASURE_MEMORY_MS
"""Where the average is brought to another beginning, and nobody must notice."""


@pytest.mark.parametrize("epoch", [1, 2, 7])
def test_what_is_remembered_fades_across_the_boundary_of_an_epoch(monitor, epoch):
    start_measuring(monitor, 1000.0, epoch * EPOCH_MS - 900.0, epoch * EPOCH_MS - 500.0)
    for now in (-500.0, -1e-3, 0.0, 1e-3, 500.0, MEASURE_MEMORY_MS):
        expected = MEASURE_ALPHA * 1000.0 * np.exp(-(now + 500.0) / MEASURE_MEMORY_MS)
        assert remembered(monitor, epoch * EPOCH_MS + now) == pytest.approx(expected, rel=1e-9)


def test_a_measurement_under_way_at_the_boundary_of_an_epoch_is_known_on_arrival(monitor):
    start_measuring(monitor, 1000.0, EPOCH_MS - 100.0, EPOCH_MS + 100.0)
    assert remembered(monitor, EPOCH_MS + 99.0) == 0.0
    start_measuring(monitor, 0.0, EPOCH_MS + 99.0, EPOCH_MS + 99.5)
    assert remembered(monitor, EPOCH_MS + 100.0) == pytest.approx(MEASURE_ALPHA * 1000.0, rel=1e-9)


GAPS = st.one_of(st.floats(0.0, 4 * MEASURE_MEMORY_MS), st.floats(0.9 * EPOCH_MS, 1.1 * EPOCH_MS))


@given(st.lists(st.tuples(GAPS, st.floats(0.0, 10_000.0), st.floats(0.0, 9000.0)), max_size=20))
@settings(deadline=None)
def test_what_is_remembered_is_the_fading_average_of_all_that_is_known(measurements):
    """The plain formula over the whole history, in any number of epochs."""
    monitor, known, now = unknown(), [], 0.0
    for gap, extra_ms, delay in measurements:
        now += gap
        assert remembered(monitor, now) == pytest.approx(average(known, now), rel=1e-9, abs=1e-12)
        if all(known_at <= now for known_at, _ in known):
            known.append((now + delay, extra_ms))
        start_measuring(monitor, extra_ms, now, now + delay)


def average(known, now):
    value, since = 0.0, 0.0
    for known_at, extra_ms in known:
        if known_at <= now:
            value *= (1.0 - MEASURE_ALPHA) * np.exp((since - known_at) / MEASURE_MEMORY_MS)
            value, since = value + MEASURE_ALPHA * extra_ms, known_at
    return value * np.exp((since - now) / MEASURE_MEMORY_MS)


# --- in an episode: a trap link, bad for good, between the user and the only model ---------------

EXTRA_MS, SHORT_MS, LONG_MS = 2000.0, 100.0, 10_000.0
THERE_MS = EXTRA_MS + 1.0 + HOP_MS


@pytest.fixture
def across_a_trap():
    """Three tasks of two stages: a short one and a long one for the first, short ones for the others."""
    behaviour = {**ALWAYS_BAD, "extra_min_ms": EXTRA_MS, "extra_max_ms": EXTRA_MS}
    topology = toy_topology(
        [(0, 1, 1.0, 50.0)], [20, 20], [(1, kind, 0.5, 1.0, 0.0, 0.01) for kind in MODEL_TYPES], (0,), behaviour
    )
    tokens = {length: length * topology.node["speed"][1] for length in (SHORT_MS, LONG_MS)}
    stages = [
        [("text", tokens[length], 0.0) for length in (SHORT_MS, second)] for second in (LONG_MS, SHORT_MS, SHORT_MS)
    ]
    tasks = np.array([task_record(of_task, deadline_ms=60_000.0, answer_mb=0.0) for of_task in stages])
    tasks["arrival_ms"] = 0.0, THERE_MS + SHORT_MS / 2, THERE_MS + 10 * SHORT_MS
    simulation = Simulation(topology, tasks, rules_of("trap"))
    simulation.start(0, 0)
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
