"""Which task comes when: in flash crowds, from west to east, as the split says; and decisions that wait for ticks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from toy_network import one_of_each, rules_of, task_record, toy_topology

from edgebench.constants import CROWD_SPEEDUP, CROWD_TASKS, CROWDS, DRIFT_BLUR, WINDOW_TASKS
from edgebench.registry import REGIONS, SCENARIOS
from edgebench.sim import counter
from edgebench.tracks.route.simulation import Simulation


@pytest.fixture(scope="module")
def simulations(regions):
    """A simulation of the train split of s1 by scenario."""
    topology, tasks = regions["s1"].topology(), regions["s1"].task_arrays("train")
    return {name: Simulation(topology, tasks, rules_of(name)) for name in SCENARIOS}


def arrivals(simulation, window, seed):
    """Rows and times of an episode in the order of arrival, and the times of the split."""
    simulation.start(window, seed)
    progress = simulation.state.progress[: simulation.state.cursor[1]]
    of_split = simulation.tasks["arrival_ms"][window * WINDOW_TASKS :][: progress.size]
    return progress["row"].copy(), progress["born_ms"].copy(), of_split - of_split[0]


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name not in ("burst", "drift")])
def test_elsewhere_tasks_come_as_the_split_says(simulations, scenario):
    simulation = simulations[scenario]
    for window in range(simulation.windows):
        rows, born_ms, of_split = arrivals(simulation, window, window)
        np.testing.assert_array_equal(rows, window * WINDOW_TASKS + np.arange(WINDOW_TASKS))
        np.testing.assert_array_equal(born_ms, of_split)


# --- flash crowds --------------------------------------------------------------------------------


def followers(born_ms, of_split, speedup):
    """Which tasks follow another of their crowd; every gap is the split's or that divided by the speedup."""
    gaps, before = np.diff(born_ms), np.diff(of_split)
    is_fast = np.isclose(gaps, before / speedup, rtol=1e-6, atol=1e-6)
    assert (is_fast | np.isclose(gaps, before, rtol=1e-6, atol=1e-6)).all()
    return np.flatnonzero(is_fast & (before > 1e-3)) + 1


def test_in_burst_the_same_tasks_come_in_the_same_order_and_crowds_faster(simulations):
    simulation, share = simulations["burst"], WINDOW_TASKS // CROWDS
    for window in range(simulation.windows):
        rows, born_ms, of_split = arrivals(simulation, window, 100 + window)
        np.testing.assert_array_equal(rows, window * WINDOW_TASKS + np.arange(WINDOW_TASKS))
        fast = followers(born_ms, of_split, CROWD_SPEEDUP)
        assert fast.size == CROWDS * (CROWD_TASKS - 1)
        for crowd, members in enumerate(fast.reshape(CROWDS, CROWD_TASKS - 1)):
            np.testing.assert_array_equal(np.diff(members), 1)
            assert crowd * share < members[0]
            assert members[-1] < (crowd + 1) * share


def test_where_crowds_begin_is_spread_and_each_by_itself(simulations):
    begins = []
    for seed in range(600):
        _, born_ms, of_split = arrivals(simulations["burst"], 0, seed)
        fast = followers(born_ms, of_split, CROWD_SPEEDUP).reshape(CROWDS, CROWD_TASKS - 1)
        begins.append(fast[:, 0] - 1)
    begins, share = np.array(begins), WINDOW_TASKS // CROWDS
    places = share - CROWD_TASKS + 1
    for crowd in range(CROWDS):
        counts = np.bincount(begins[:, crowd] - crowd * share, minlength=places)
        assert counts.size == places
        assert stats.chisquare(counts).pvalue > 1e-3
    assert stats.spearmanr(begins[:, 0], begins[:, 1]).pvalue > 1e-3


LINE = [(0, 1, 2.0, 20.0), (1, 2, 5.0, 80.0), (2, 3, 5.0, 80.0)]
GAPS = st.lists(st.floats(0.01, 10_000.0), max_size=WINDOW_TASKS - 1)


def toy(gaps, rules, *, user_nodes=(0,)):
    """An episode of short tasks, so far apart, whose users' nodes take turns."""
    tasks = np.array([task_record([("text", 10, 0.0)], user_node=user_nodes[0])] * (len(gaps) + 1))
    tasks["arrival_ms"] = 1234.5 + np.concatenate(([0.0], np.cumsum(gaps)))
    tasks["user_node"] = np.resize(user_nodes, tasks.size)
    simulation = Simulation(toy_topology(LINE, [20] * 4, one_of_each(4)), tasks, rules)
    simulation.start(0, 7)
    return simulation


@given(GAPS, st.integers(1, 8), st.integers(1, 60), st.floats(1.5, 20.0))
@settings(deadline=None)
def test_crowds_of_any_size_in_windows_of_any_size_only_hurry_tasks(gaps, crowds, crowd_tasks, speedup):
    rules = rules_of("burst", crowds=crowds, crowd_tasks=crowd_tasks, crowd_speedup=speedup)
    rows, born_ms, of_split = arrivals(toy(gaps, rules), 0, 7)
    np.testing.assert_array_equal(rows, np.arange(len(gaps) + 1))
    assert born_ms[0] == 0.0
    fast = followers(born_ms, of_split, speedup)
    assert fast.size <= crowds * (crowd_tasks - 1)
    if (len(gaps) + 1) // crowds >= crowd_tasks:
        assert fast.size == crowds * (crowd_tasks - 1)


# --- drift ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGIONS)
def test_in_drift_the_same_tasks_come_at_the_same_times_from_west_to_east(regions, name):
    region = regions[name]
    simulation = Simulation(region.topology(), region.task_arrays("train"), rules_of("drift"))
    lon, correlations = region.column("nodes", "lon"), []
    for window in range(simulation.windows):
        rows, born_ms, of_split = arrivals(simulation, window, window)
        np.testing.assert_array_equal(born_ms, of_split)
        np.testing.assert_array_equal(np.sort(rows), window * WINDOW_TASKS + np.arange(WINDOW_TASKS))
        east = lon[simulation.tasks["user_node"][rows]]
        correlations.append(stats.spearmanr(np.arange(rows.size), east).statistic)
        plain = lon[simulation.tasks["user_node"][np.sort(rows)]]
        assert correlations[-1] > stats.spearmanr(np.arange(rows.size), plain).statistic
    assert min(correlations) > 0.3
    assert max(correlations) < 0.99


def test_in_drift_the_order_is_by_place_and_a_hashed_blur(simulations, regions):
    lon = regions["s1"].column("nodes", "lon")
    east = (lon - lon.min()) / np.ptp(lon)
    orders = []
    for seed in (1, 2):
        rows, *_ = arrivals(simulations["drift"], 3, seed)
        users = simulations["drift"].tasks["user_node"][rows]
        blur = [DRIFT_BLUR * counter.uniform(seed, counter.DRIFT_PLACE, row, 0) for row in rows]
        assert (np.diff(east[users] + blur) >= 0.0).all()
        orders.append(rows)
    assert (orders[0] != orders[1]).any()


@given(GAPS, st.lists(st.integers(0, 3), min_size=1, max_size=20))
@settings(deadline=None)
def test_in_drift_no_task_is_lost_in_windows_of_any_size(gaps, user_nodes):
    rows, born_ms, of_split = arrivals(toy(gaps, rules_of("drift"), user_nodes=user_nodes), 0, 7)
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(gaps) + 1))
    np.testing.assert_array_equal(born_ms, of_split)


# --- ticks ---------------------------------------------------------------------------------------


def decisions(simulation, seed):
    """When each decision is made and when it was due: at arrival, or when the last of the parents was done."""
    simulation.start(seed % simulation.windows, seed)
    times = []
    while not simulation.over:
        progress, stage = simulation.state.progress[simulation.seen.place[1]], simulation.seen.place[2]
        parents = simulation.tasks[progress["row"]]["parents"][stage]
        done_ms = [progress["due_ms"][other] for other in range(stage) if parents >> other & 1]
        times.append((progress["ready_ms"], max(done_ms, default=progress["born_ms"])))
        valid = np.flatnonzero(simulation.seen.action_mask)
        simulation.step(valid[int(counter.uniform(seed, 99, len(times), 0) * valid.size)])
    return np.array(times).T


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("tick_ms", [62.5, 250.0, 1000.0])
def test_decisions_wait_for_the_next_tick_and_no_longer(regions, scenario, tick_ms):
    region = regions["s1"]
    simulation = Simulation(region.topology(), region.task_arrays("train"), rules_of(scenario, tick_ms=tick_ms))
    for seed in range(3):
        made_ms, due_ms = decisions(simulation, seed)
        assert not (made_ms % tick_ms).any()
        assert (made_ms >= due_ms).all()
        assert (made_ms - due_ms < tick_ms).all()
        assert (np.diff(made_ms) >= 0.0).all()
        assert (np.diff(made_ms) == 0.0).any(), "decisions of one tick come one after the other"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_without_ticks_decisions_are_made_when_they_are_due(simulations, scenario):
    made_ms, due_ms = decisions(simulations[scenario], 4)
    np.testing.assert_array_equal(made_ms, due_ms)
    assert (np.diff(made_ms) >= 0.0).all()
