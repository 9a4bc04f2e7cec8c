"""The serverless physics: its model against published figures, its slots by hand, its bound against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offload_oracle import split
from offload_toy import nothing, toy_episode, toy_network
from scipy.linalg import null_space

from edgebench.registry import SCENARIOS
from edgebench.tracks.offload import physics, serverless
from edgebench.tracks.offload.constants import LOSS_COST, REJECT_COST
from edgebench.tracks.offload.draws import uniforms
from edgebench.tracks.offload.erlang import erlang_b, steady_state
from edgebench.tracks.offload.metrics import episode_metrics
from edgebench.tracks.offload.serverless import KIND, WORK, Tables
from edgebench.tracks.offload.serverless_bound import serverless_bound
from edgebench.tracks.offload.simulation import Simulation
from edgebench.tracks.offload.state import DROPPED, LATE, ON_TIME, OVERFLOW, REJECTED, C, blank_state


def test_the_published_example_of_the_model():
    """From the page of its authors' package on PyPI, pacsltk."""
    state = steady_state(np.array([100.0]), 2.0, 25.0, 600.0, 1000)
    assert state.servers == pytest.approx(251.043927, abs=1e-6)
    assert state.utilisation == pytest.approx(0.796622, abs=1e-6)
    assert state.response_s == pytest.approx(2.001488, abs=1e-6)
    assert state.cold == pytest.approx(6.5e-5, abs=1e-6)


@pytest.mark.parametrize(("load", "refused"), [(30, 0.01), (50, 2.3), (63, 8.3), (100, 38), (150, 86)])
def test_refusals_measured_on_the_earlier_system(load, refused):
    state = steady_state(np.array([10.0, load]), 0.3, 0.6, 30.0, 20)
    assert state.refused[1] == pytest.approx(refused, rel=0.4 if load == 30 else 0.02)


def test_erlangs_formula_by_its_sum():
    terms = np.cumprod([1.0, *(7.5 / k for k in range(1, 13))])
    assert erlang_b(np.array([7.5]), 12)[0] == pytest.approx(terms / np.cumsum(terms))


def test_the_chain_is_stationary():
    """The mean of the warm containers is that of the null space of the chain's generator."""
    arrivals, warm_s, cold_s, idle_s, most = 20.0, 0.4, 0.8, 5.0, 15
    busy = erlang_b(np.array([arrivals * warm_s]), most)[0]
    births = 1.0 / (1.0 / (arrivals * busy[:-1]) + cold_s)
    asked = arrivals * (busy[:-1] - busy[1:])
    horizon = idle_s + warm_s
    gap = (1.0 - np.exp(-asked * horizon)) / asked - horizon * np.exp(-asked * horizon)
    deaths = np.cumsum(1.0 / (idle_s + (np.exp(idle_s * asked) - 1.0) * gap))
    generator = np.diag(births, 1) + np.diag(deaths, -1)
    generator -= np.diag(generator.sum(axis=1))
    chances = null_space(generator.T)[:, 0]
    chances /= chances.sum()
    state = steady_state(np.array([arrivals]), warm_s, cold_s, idle_s, most)
    assert state.servers == pytest.approx(chances @ np.arange(most + 1))


def test_refusals_are_convex_with_slope_below_1(regions):
    refused = serverless.make_tables(Simulation(regions["s1"], SCENARIOS["trap"], "train").network).refused
    steps = np.diff(refused, axis=1)
    assert ((steps >= 0) & (steps <= 1)).all()
    assert np.diff(refused[:, ::20], 2, axis=1).min() >= -1  # rounding hides no more than a request
    assert (refused[:, -1] > 0).all()


def toy_tables(nodes, free, slope=1):
    """Every node serves so many requests and refuses all, or every second, of what comes on top."""
    loads = np.arange(40)
    refused = np.maximum(0, loads - free) // slope
    return Tables(np.tile(refused, (nodes, 1)), np.full((nodes, loads.size), 200.0))


def value_of(network, episode, tables, shares):
    state = blank_state(network.node.size)
    physics.start(network, episode, state)
    for slot in range(120):
        serverless.step(network, episode, state, shares if slot == 0 else nothing(network), tables)
    return episode_metrics(network, episode, state)["value"], state


def test_a_slot_by_hand():
    """Of 12 requests 6 stay, 4 go, 2 are rejected; the link carries 3; the neighbour has 5 of its own and serves 6."""
    network = toy_network([(0, 1)], capacity=(1000, 1000))
    episode = serverless.one_class(toy_episode(network, {(0, 0, KIND): 12, (0, 1, KIND): 5}, link_shares=3 * WORK + 5))
    shares = nothing(network)
    shares[0, [0, 1, 9]], shares[1, 0] = (0.5, 1 / 3, 1 / 6), 1.0
    _, state = value_of(network, episode, toy_tables(2, 6), shares)
    assert (state.node["tally"][0] // WORK).tolist() == [6 + 2, 2, 1, 1, 0]
    assert (state.node["tally"][1] // WORK).tolist() == [4, 0, 0, 1, 0]


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(0, 4), min_size=3, max_size=3), st.integers(0, 3), st.integers(0, 2), st.booleans())
def test_the_bound_is_the_best_of_all_whole_splits(counts, free, carried, is_down):
    """On a path of three nodes; refusals are convex, so the linear programme is exact."""
    network = toy_network([(0, 1), (1, 2)], capacity=(1000, 1000, 1000))
    arrivals = {(0, node, KIND): count for node, count in enumerate(counts)}
    down = [(0, 2)] if is_down else []
    episode = serverless.one_class(toy_episode(network, arrivals, link_shares=carried * WORK, down=down))
    tables = toy_tables(3, free)
    best = best_by_hand(counts, free, carried, is_down)
    assert serverless_bound(network, tables, episode) * max(sum(counts), 1) == pytest.approx(best, abs=1e-9)


def best_by_hand(counts, free, carried, is_down):
    """The most worth of all splits, in requests."""
    ways = [
        [parts for parts in itertools.product(range(count + 1), repeat=1 + degree) if sum(parts) <= count]
        for count, degree in zip(counts, (1, 2, 1), strict=True)
    ]
    if is_down:
        ways[2] = [(0, 0)]
    best = -np.inf
    for first, middle, last in itertools.product(*ways):
        loads = [first[0] + min(middle[1], carried), middle[0] + min(first[1], carried) + min(last[1], carried)]
        loads.append(last[0] + min(middle[2], carried) * (not is_down))
        done = sum(min(load, free) for load in loads)
        taken = sum(first) + sum(middle) + sum(last)
        doomed = counts[2] * is_down
        rejected = sum(counts) - taken - doomed
        best = max(best, done - LOSS_COST * (taken - done + doomed) - REJECT_COST * rejected)
    return best


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_request_ends_and_nothing_passes_the_bound(regions, scenario):
    simulation = Simulation(regions["s1"], SCENARIOS[scenario], "test", physics="serverless")
    simulation.start(1, 4)
    while not simulation.is_over:
        slot = int(simulation.state.slot[0])
        shares = uniforms(slot, 1, 25 * C, 1).reshape(25, C).astype(np.float32)
        shares[:, 0] += 3.0
        before = simulation.state.node["tally"].copy()
        simulation.step(shares)
        check_slot(simulation, slot, shares, simulation.state.node["tally"] - before)
    assert simulation.state.node["tally"].sum() == simulation.episode.total_work[0]
    bound = serverless_bound(simulation.network, simulation._tables, simulation.episode)
    assert simulation.metrics()["value"] < bound


def check_slot(simulation, slot, shares, ended):
    """What becomes of a slot's requests, a second time in plain Python."""
    network, episode, tables = simulation.network, simulation.episode, simulation._tables
    expected, sent = np.zeros((25, 5), np.int64), [[] for _ in range(25)]
    for node in range(25):
        count = int(episode.node[slot, node]["arrivals"][KIND])
        if episode.node[slot, node]["down"]:
            expected[node, DROPPED] += count
            continue
        parts = split(shares[node], int(network.node[node]["degree"]), count)
        expected[node, REJECTED] += parts[9]
        sent[node].append((0, node, parts[0], 0.0))
        for column in range(int(network.node[node]["degree"])):
            wire, now = network.link[node, column], episode.link[slot, node, column]
            way_ms = float(wire["latency_ms"] + now["extra_ms"])
            arrived = min(parts[1 + column], int(now["shares"]) // WORK) if way_ms < 3000.0 else 0
            expected[node, LATE] += parts[1 + column] - arrived
            if episode.node[slot, wire["neighbour"]]["down"]:
                expected[node, DROPPED] += arrived
            else:
                sent[wire["neighbour"]].append((int(wire["source"]), node, arrived, way_ms + wire["latency_ms"]))
    for node, batches in enumerate(sent):
        load = sum(count for *_, count, _ in batches)
        refused = int(tables.refused[node, load])
        row = np.zeros(C)
        for source, _, count, _ in batches:
            row[source] = count / 2**24
        shared = split(row, 8, refused) if load else [0] * C
        for source, origin, count, way_ms in batches:
            is_late = tables.response_ms[node, load] + way_ms > 3000.0
            expected[origin, OVERFLOW] += shared[source]
            expected[origin, LATE if is_late else ON_TIME] += count - shared[source]
    np.testing.assert_array_equal(ended, expected * WORK)
