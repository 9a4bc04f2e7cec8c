"""The compiled simulator beside the slow oracle, step by step."""

import numpy as np
import pytest
from grids import EVERY_CASE, SELDOM, grid
from oracle_network import Network
from route_oracle import RouteOracle
from splitmix import bits
from varied_regions import VARIED, varied

from builders.pipeline import build_region
from edgebench.constants import CANDIDATES
from edgebench.region import read_region
from edgebench.registry import REGIONS, REGISTERED, SCENARIOS
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.features import CANDIDATE_FEATURES, TASK_FEATURES

RANDOM, GREEDY, CROWDED, INVALID = "random", "greedy", "crowded", "sometimes invalid"
BEHAVIOURS = (RANDOM, GREEDY, CROWDED, INVALID)


def choose(behaviour, seen, draw):
    """An action of the behaviour for what the oracle sees; `draw` is 64 random bits."""
    offers = seen["candidates"]
    if behaviour == INVALID and draw % 16 == 0:
        return int((-1, CANDIDATES, len(offers), 10**6)[draw // 16 % 4])
    if behaviour == CROWDED:  # one fast node takes all it can: long queues, many evictions
        return max(range(len(offers)), key=lambda slot: (offers[slot]["speed"], slot))
    if behaviour == GREEDY:
        waits = ("propagation_s", "transmission_s", "measured_extra_s", "queue_s", "loading_s", "service_s")
        return min(range(len(offers)), key=lambda slot: sum(offers[slot][name] for name in waits))
    return draw % len(offers)


def assert_same_view(observed, info, seen):
    assert {name: info[name] for name in ("task", "stage", "node", "user_node")} == {
        name: seen[name] for name in ("task", "stage", "node", "user_node")
    }
    count = len(seen["instances"])
    assert info["instances"].tolist() == seen["instances"] + [-1] * (CANDIDATES - count)
    assert observed["action_mask"].tolist() == [1] * count + [0] * (CANDIDATES - count)
    columns = [[min(one[row.name], row.high) for one in seen["candidates"]] for row in CANDIDATE_FEATURES]
    np.testing.assert_allclose(observed["candidates"][:, :count], columns, rtol=1e-5, atol=1e-6)
    assert not observed["candidates"][:, count:].any()
    entries = [min(seen["features"][entry.name], entry.high) for entry in TASK_FEATURES]
    np.testing.assert_allclose(observed["task"], entries, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def oracles(regions):
    """Oracles by region and scenario, made when first asked for."""
    made = {}

    def find(region, scenario):
        if (region, scenario) not in made:
            made[region, scenario] = RouteOracle(regions[region], SCENARIOS[scenario], split="test")
        return made[region, scenario]

    return find


@pytest.mark.parametrize(("region", "scenario", "behaviour"), grid(REGIONS, SCENARIOS, BEHAVIOURS))
def test_every_step_agrees_with_the_oracle(regions, oracles, region, scenario, behaviour):
    env = RouteEnv(regions[region], scenario=scenario, split="test")
    case = (list(REGIONS).index(region), list(SCENARIOS).index(scenario), BEHAVIOURS.index(behaviour))
    assert_agree(env, oracles(region, scenario), behaviour, case)


@pytest.mark.parametrize(("wanted", "scenario", "behaviour"), grid(VARIED, SCENARIOS, BEHAVIOURS))
def test_graphs_experts_and_other_traps_agree_with_the_oracle(regions, wanted, scenario, behaviour):
    region = varied(regions["s1"], wanted)
    env = RouteEnv(region, scenario=scenario, split="test")
    oracle = RouteOracle(region, SCENARIOS[scenario], split="test")
    assert_agree(env, oracle, behaviour, (VARIED.index(wanted), BEHAVIOURS.index(behaviour), 7))


@pytest.fixture(scope="module")
def trap500(variants_home):
    """trap500, and its network for every oracle."""
    region = read_region(variants_home / "processed" / "sample" / "trap500")
    return region, Network(region)


@pytest.mark.parametrize("scenario", SCENARIOS if EVERY_CASE else ["trap", "outage"])
def test_a_network_of_hundreds_of_nodes_agrees_with_the_oracle(trap500, scenario):
    region, network = trap500
    oracle = RouteOracle(region, SCENARIOS[scenario], split="test", network=network)
    env = RouteEnv(region, scenario=scenario, split="test")
    assert_agree(env, oracle, RANDOM, (list(SCENARIOS).index(scenario), 0, 9))


@pytest.mark.skipif(not EVERY_CASE, reason=SELDOM)
@pytest.mark.parametrize("scenario", ["trap", "outage"])
def test_a_network_of_thousands_agrees_with_the_oracle(tmp_path, monkeypatch, scenario):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    build_region(REGISTERED["trap2000"])
    region = read_region(tmp_path / "processed" / "sample" / "trap2000")
    oracle = RouteOracle(region, SCENARIOS[scenario], split="test")
    assert_agree(
        RouteEnv(region, scenario=scenario, split="test"), oracle, RANDOM, (list(SCENARIOS).index(scenario), 0, 9)
    )


def assert_agree(env, oracle, behaviour, case):
    """Play one episode in both, chosen by hashing `case`."""
    window, seed = bits(1, *case) % env.windows, bits(2, *case) % 2**40
    seen = oracle.reset(window, seed)
    observed, info = env.reset(options={"window": window, "seed": seed})
    steps = 0
    while seen is not None:
        assert_same_view(observed, info, seen)
        action = choose(behaviour, seen, bits(3, *case, steps))
        expected, seen = oracle.step(action)
        observed, reward, over, truncated, info = env.step(action)
        assert reward == pytest.approx(expected, abs=1e-6)
        assert over == (seen is None)
        assert not truncated
        steps += 1
    assert not any(observed[name].any() for name in observed)
    assert env.summary() == pytest.approx(oracle.summary(), rel=1e-6, abs=1e-6)
