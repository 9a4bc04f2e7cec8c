"""The compiled core beside the slow oracle, step by step: rewards, observations, masks, metrics."""

import importlib

import numpy as np
import pytest
from allocate_oracle import AllocateOracle
from grids import EVERY_CASE
from splitmix import bits

from edgebench.registry import SCENARIOS
from edgebench.tracks.allocate.env import AllocateEnv
from edgebench.tracks.allocate.features import JOB_FEATURES, QUEUE_FEATURES, SITE_FEATURES

RANDOM, DEFERRING, THINKING = "random", "often defers or is invalid", "priority-edf"


def choose(behaviour, observed, agent, draw):
    mask = observed["action_mask"]
    if behaviour == THINKING:
        return agent.act(observed)
    if behaviour == DEFERRING and draw % 3 == 0:
        return int((-1, mask.size - 1, 10**6, mask.argmin())[draw // 3 % 4])
    valid = np.flatnonzero(mask)
    return int(valid[draw % valid.size])


def assert_same_view(observed, seen):
    rows = [[min(site[row.name], row.high) for row in SITE_FEATURES] for site in seen["sites"]]
    np.testing.assert_allclose(observed["sites"], rows, rtol=1e-5, atol=1e-6)
    for name, features in (("job", JOB_FEATURES), ("queue", QUEUE_FEATURES)):
        entries = [min(seen[name][entry.name], entry.high) for entry in features]
        np.testing.assert_allclose(observed[name], entries, rtol=1e-5, atol=1e-6)
    assert observed["action_mask"].tolist() == seen["mask"]


def jobs_of(env):
    names = ("arrival_ms", "latest_ms", "duration_ms", "payload_mb", "demand", "origin", "priority")
    return [{name: job[name].tolist() for name in names} for job in env._simulation.jobs]


@pytest.mark.parametrize(("region", "behaviour"), [("s1", RANDOM), ("s1", DEFERRING), ("s4", THINKING)])
@pytest.mark.parametrize("scenario", SCENARIOS if EVERY_CASE else ["trap", "burst", "outage"])
def test_the_core_does_what_the_oracle_does(regions, region, behaviour, scenario):
    env = AllocateEnv(regions[region], scenario=scenario, split="test")
    seed = len(scenario)
    observed, info = env.reset(options={"window": 1, "seed": seed})
    agent = importlib.import_module("reference_agents.allocate.priority_edf").Agent()
    agent.reset({"seed": 0})
    oracle = AllocateOracle(regions[region], SCENARIOS[scenario], env._simulation.sites.capacity.tolist())
    seen, step, over = oracle.reset(jobs_of(env), seed), 0, False
    while not over:
        assert (info["job"], info["now_ms"]) == (oracle.asked, oracle.now)
        if step % 3 == 0 or step < 60:
            assert_same_view(observed, seen)
        action = choose(behaviour, observed, agent, bits(seed, 99, step, 0))
        observed, reward, over, truncated, info = env.step(action)
        expected, seen = oracle.step(action)
        assert reward == pytest.approx(expected, abs=1e-9)
        assert not truncated
        step += 1
    assert seen is None
    summary = env.summary()
    for name, value in oracle.metrics().items():
        assert summary[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
    assert summary["reward"] == pytest.approx(oracle.paid, abs=1e-9)
    assert summary["decisions"] == step
