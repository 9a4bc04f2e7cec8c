"""The compiled core beside the slow oracle, step by step, in every scenario."""

import numpy as np
import pytest
from grids import grid
from oracle_network import Network
from place_oracle import PlaceOracle
from splitmix import bits

from edgebench.registry import SCENARIOS
from edgebench.tracks.place.constants import EXPERTS, LAYERS, PLAN_EDITS, SLOTS
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.features import (
    DEVICE_FEATURES,
    EXPERT_FEATURES,
    LABEL_FEATURES,
    LINK_FEATURES,
    PROGRESS_FEATURES,
)
from reference_agents.place import eplb

TABLES = {
    "experts": EXPERT_FEATURES,
    "devices": DEVICE_FEATURES,
    "links": LINK_FEATURES,
    "labels": LABEL_FEATURES,
    "progress": PROGRESS_FEATURES,
}
CHECKED = {0, 1, PLAN_EDITS - 1, PLAN_EDITS, *range(PLAN_EDITS + 1, PLAN_EDITS + SLOTS + 1, 17), PLAN_EDITS + SLOTS}
"""Edits after which whole views are compared; rewards are after every one."""


@pytest.fixture(scope="module")
def networks(regions):
    return {name: Network(regions[name]) for name in ("s1", "s4")}


def as_array(values, features):
    if isinstance(values, dict):
        return [min(values[feature.name], feature.high) for feature in features]
    return [as_array(value, features) for value in values]


def assert_same_view(observed, oracle, seen):
    for name, features in TABLES.items():
        np.testing.assert_allclose(observed[name], as_array(seen[name], features), rtol=1e-5, atol=1e-5, err_msg=name)
    copies = [[device in oracle.copies[expert] for device in range(8)] for expert in range(EXPERTS * LAYERS)]
    assert (observed["placement"] == copies).all()
    affinity = np.zeros_like(observed["affinity"])
    for step, share in oracle.affinity.items():
        affinity[step] = share
    np.testing.assert_allclose(observed["affinity"], affinity, atol=1e-6)
    mask = observed["action_mask"].reshape(-1, 3, 8)
    expected = [
        [[oracle.is_valid(e, verb, device) for device in range(8)] for verb in range(3)] for e in range(len(mask))
    ]
    assert (mask == expected).all()


def random_edit(observed, drawn):
    """Now and then invalid, else one of the mask."""
    if drawn % 11 == 0:
        return np.array([(-1, 64, 3)[drawn % 3], drawn % 4, 10**12 if drawn % 2 else 0])
    valid = np.flatnonzero(observed["action_mask"])
    return np.array(np.unravel_index(valid[drawn % valid.size], (EXPERTS * LAYERS, 3, 8)))


@pytest.mark.parametrize(("region", "scenario", "heuristic"), grid(["s1", "s4"], SCENARIOS, [False, True]))
def test_rewards_views_and_metrics_are_the_oracles(regions, networks, region, scenario, heuristic):
    env = PlaceEnv(regions[region], scenario=scenario, split="test", privileged=True)
    oracle = PlaceOracle(regions[region], SCENARIOS[scenario], split="test", network=networks[region])
    observed, _ = env.reset(options={"window": 1, "seed": 5})
    seen, agent, over = oracle.reset(1, 5), eplb.Agent(), False
    agent.reset({})
    while not over:
        if oracle.edits in CHECKED:
            assert_same_view(observed, oracle, seen)
        drawn = bits(9, 9, oracle.edits, 0)
        edit = agent.act(observed) if heuristic and drawn % 8 else random_edit(observed, drawn)
        observed, reward, _, over, _ = env.step(edit)
        expected, seen = oracle.step(*map(int, edit))
        assert reward == pytest.approx(expected, abs=1e-9)
    assert_same_view(observed, oracle, seen)
    summary, metrics = env.summary(), oracle.metrics()
    assert summary.keys() == metrics.keys()
    for name, value in metrics.items():
        assert summary[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
