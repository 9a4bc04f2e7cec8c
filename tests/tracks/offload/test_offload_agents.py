"""The reference agents: their shares are valid, they say what they do, and their order is that of the gate."""

import importlib
from pathlib import Path

import numpy as np
import pytest

import reference_agents.offload
from edgebench.harness.actions import action_problem
from edgebench.harness.rollout import reset_info, roll, takes_info
from edgebench.registry import SCENARIOS
from edgebench.tracks.offload.bound import episode_bounds
from edgebench.tracks.offload.env import OffloadEnv
from edgebench.tracks.offload.gate import PLAN

FILES = sorted(path.stem for path in Path(reference_agents.offload.__file__).parent.glob("[!_]*.py"))
AGENTS = [name for name in FILES if name != "sight"]
EPISODES = [(0, 0), (1, 3), (3, 7)]


def agent(name):
    return importlib.import_module(f"reference_agents.offload.{name.replace('-', '_')}").Agent()


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("region", ["s1", "s2", "s3", "s4"])
def test_every_action_is_valid_in_every_region(regions, region, name):
    env, player = OffloadEnv(regions[region], scenario="outage"), agent(name)
    assert not takes_info(player.act)
    player.reset(reset_info(regions[region], track="offload", scenario="outage", split="train", window=0, seed=1))
    observation, _ = env.reset(options={"window": 0, "seed": 1})
    for _ in range(30):
        shares = player.act(observation)
        assert shares.dtype == np.float32
        assert shares.shape == env.action_space.shape
        assert action_problem(env.action_space, observation["action_mask"], shares) is None
        assert shares.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
        assert not (shares * (observation["action_mask"] == 0)).any()
        observation, *_ = env.step(shares)


@pytest.mark.parametrize("name", AGENTS)
def test_every_file_names_its_command(name):
    module = importlib.import_module(f"reference_agents.offload.{name}")
    assert f"edgebench eval {name.replace('_', '-')} --track offload" in module.__doc__


@pytest.mark.parametrize("region", ["s1", "s4"])
def test_the_order_of_the_gate(regions, region):
    """In points of a score; the gate itself measures four regions and 60 episodes each."""
    env = OffloadEnv(regions[region], split="test")
    bound = episode_bounds(regions[region], scenario=SCENARIOS["trap"], split="test", episodes=EPISODES).mean()
    names = ("random-valid", *PLAN.trivial, *PLAN.heuristics)
    values = {name: np.mean([m["value"] for m in roll(env, agent(name), EPISODES)]) for name in names}
    lowest = values["random-valid"]
    points = {name: 100.0 * (value - lowest) / (bound - lowest) for name, value in values.items()}
    best = max(points[name] for name in PLAN.heuristics)
    assert 5.0 <= points["all-local"] <= best - 5.0 <= 90.0
    assert points["keep-then-forward"] > points["all-local"]


@pytest.mark.parametrize("name", PLAN.failing)
def test_failing_on_purpose_costs(regions, name):
    env = OffloadEnv(regions["s1"], split="test")
    values = [
        np.mean([metrics["value"] for metrics in roll(env, player, EPISODES[:1])])
        for player in (agent("proportional"), PLAN.failing[name](agent("proportional")))
    ]
    assert values[1] < values[0]
