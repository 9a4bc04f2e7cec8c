"""The clairvoyant reference: above every policy played, no worse than the best placement of tiny cases; the best split
is no worse than any."""

import importlib
import itertools
from functools import partial

import numpy as np
import pytest
from grids import EVERY_CASE

from edgebench.harness.rollout import roll
from edgebench.registry import SCENARIOS
from edgebench.tracks.place import annealing
from edgebench.tracks.place.bound import clairvoyant_latency, episode_bounds, true_ways
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.gate import PLAN
from edgebench.tracks.place.physics import blank_outcome, blank_ways, serve
from edgebench.tracks.place.simulation import Simulation
from edgebench.tracks.place.split import split_latency
from edgebench.tracks.place.state import Devices

AGENTS = ("random-valid", *PLAN.trivial, *PLAN.heuristics)
EXPERTS, LAYERS, DEVICES, REQUESTS = 2, 2, 3, 2


def agent(name):
    return importlib.import_module(f"reference_agents.place.{name.replace('-', '_')}").Agent()


@pytest.mark.parametrize(("region", "scenario"), [("s1", "trap"), ("s4", "outage"), ("s1", "jitter"), ("s4", "calm")])
def test_no_policy_passes_the_bound(regions, region, scenario):
    episodes = [(0, 1), (2, 0)] if EVERY_CASE else [(2, 0)]  # annealing takes a second or two an episode
    env = PlaceEnv(regions[region], scenario=scenario, split="test")
    bounds = episode_bounds(regions[region], scenario=SCENARIOS[scenario], split="test", episodes=episodes)
    assert np.isfinite(bounds).all()
    for name in AGENTS:
        speeds = [metrics["relative_speed"] for metrics in roll(env, agent(name), episodes)]
        assert (np.array(speeds) < bounds).all(), name


def tiny(seed):
    """Three devices, two experts in each of two layers, two requests of four rows, ways drawn at random."""
    rng = np.random.default_rng(seed)
    devices = Devices(
        node=np.arange(DEVICES),
        row_ms=rng.uniform(5.0, 40.0, DEVICES),
        stream_ms=3.0,
        room=np.array([2, 2, 2]),
        memory_gb=np.full(DEVICES, 2.0),
        expert_gb=1.0,
        load_ms=1000.0,
        row_mb=0.1,
        path=np.zeros((DEVICES, DEVICES)),
    )
    ways = blank_ways(DEVICES, REQUESTS)
    size = DEVICES + REQUESTS
    ways.path_ms[:] = rng.uniform(5.0, 30.0, (size, size)) * ~np.eye(size, dtype=bool)
    ways.extra_ms[:] = rng.uniform(0.0, 300.0, (size, size)) * (rng.random((size, size)) < 0.3) * (ways.path_ms > 0.0)
    ways.row_ms[:] = rng.uniform(5.0, 30.0, (size, size)) * (ways.path_ms > 0.0)
    ways.known_ms[:] = ways.path_ms + ways.extra_ms
    return devices, ways, rng.integers(0, EXPERTS, (8, LAYERS)).astype(np.int16)


def placements(devices):
    """All that fit."""
    rows = [row for row in itertools.product((0, 1), repeat=DEVICES) if any(row)]
    for chosen in itertools.product(rows, repeat=EXPERTS * LAYERS):
        placement = np.array(chosen, np.int8)
        if (placement.sum(axis=0) <= devices.room).all():
            yield placement


@pytest.mark.parametrize("seed", range(5))
def test_annealing_and_split_are_no_worse_than_the_best_of_all_tiny_placements(seed):
    devices, ways, routes = tiny(seed)
    down = np.zeros((1, DEVICES), np.bool_)
    batches = annealing.Batches(annealing.stack_ways([ways]), routes[None], down)
    best = min(annealing.mean_latency(devices, batches, EXPERTS, placement) for placement in placements(devices))
    placement = next(placements(devices)).copy()
    found = annealing.anneal(devices, batches, EXPERTS, placement, seed, 3000, 0.3, 0.001)
    assert min(found, split_latency(devices, ways, routes, EXPERTS, placement)) <= best * (1.0 + 1e-9)
    assert found <= 1.02 * best
    assert (placement.sum(axis=0) <= devices.room).all()
    assert placement.any(axis=1).all()


def split_by_hand(devices, ways, routes, ends):
    """Latency when row r goes to device `ends[r][l]` for layer l, from the documentation."""
    rows, each = len(routes), len(routes) // REQUESTS
    at = [DEVICES + row // each for row in range(rows)]
    delays, transmission, compute = 0.0, 0.0, 0.0
    for layer in range(LAYERS):
        inflow, rows_at, read = np.zeros(DEVICES), np.zeros(DEVICES), [set() for _ in range(DEVICES)]
        for row in range(rows):
            end = ends[row][layer]
            delays += ways.path_ms[at[row], end] + ways.extra_ms[at[row], end]
            inflow[end] += ways.row_ms[at[row], end]
            rows_at[end] += 1
            read[end].add(routes[row, layer])
            at[row] = end
        transmission += inflow.max()
        compute += (rows_at * devices.row_ms + np.array([len(one) for one in read]) * devices.stream_ms).max()
    home = np.zeros(REQUESTS)
    for row in range(rows):
        delays += (ways.path_ms + ways.extra_ms)[at[row], DEVICES + row // each]
        home[row // each] += ways.row_ms[at[row], DEVICES + row // each]
    return delays / rows + transmission + home.max() + compute


@pytest.mark.parametrize("seed", range(6))
def test_the_best_split_is_no_worse_than_any_of_whole_rows(seed):
    devices, ways, routes = tiny(seed)
    routes = routes[::2].copy()
    placement = np.array([[1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1]], np.int8)
    holders = [[np.flatnonzero(placement[2 * layer + routes[row, layer]]) for layer in (0, 1)] for row in range(4)]
    every = itertools.product(*(itertools.product(*of_row) for of_row in holders))
    by_hand = [split_by_hand(devices, ways, routes, ends) for ends in every]
    best = split_latency(devices, ways, routes, EXPERTS, placement)
    assert len(by_hand) > 1
    assert best <= min(by_hand) + 1e-6
    assert best >= 0.5 * min(by_hand)
    outcome = blank_outcome(DEVICES, REQUESTS)
    nobody = np.zeros(DEVICES, np.bool_)
    assert any(
        value == pytest.approx(serve(devices, ways, routes, EXPERTS, placement, nobody, nobody, *outcome))
        for value in by_hand
    )


def test_with_one_copy_each_the_split_is_the_routers(regions):
    simulation = Simulation(regions["s4"], SCENARIOS["trap"], "test")
    simulation.start(1, 1)
    for slot in (0, 17, 63):
        split = partial(split_latency, simulation.devices, true_ways(simulation, slot), simulation.world.routes[slot])
        assert split(simulation.experts, simulation.contiguous) == pytest.approx(simulation.state.reference_ms[slot])


def test_the_clairvoyant_places_within_memory_and_repeats_itself(regions):
    simulation, found = Simulation(regions["s4"], SCENARIOS["outage"], "test"), []
    for _ in range(2):
        simulation.start(3, 2)
        placement = simulation.contiguous.copy()
        found.append([clairvoyant_latency(simulation, slot, placement) for slot in range(3)])
        assert (placement.sum(axis=0) <= simulation.devices.room).all()
        assert placement.any(axis=1).all()
    assert found[0] == found[1]
    assert (np.array(found[0]) < simulation.state.reference_ms[:3]).all()
