"""What a policy is shown by a sight of the environment is what the world shows it of the same episode."""

import importlib

import gymnasium
import numpy as np
import pytest

import edgebench
from edgebench.learning.world import make_world
from edgebench.registry import track

EPISODE = (0, 7)


@pytest.mark.parametrize(("name", "region", "most"), [("route", "s1", 400), ("route", "s3", 60), ("place", "s1", 400)])
def test_world_and_sight_see_the_same(name, region, most):
    loaded = edgebench.load(region)
    world = make_world(name, "single", [loaded], each=1, split="val")
    world.begin([EPISODE])
    module = track(name).worlds["single"].partition(":")[0]
    sight = importlib.import_module(module).Sight(loaded.public())
    env = gymnasium.make(track(name).any_env_id, region=loaded, split="val").unwrapped
    observation, info = env.reset(options=dict(zip(("window", "seed"), EPISODE, strict=True)))
    sight.begin(info)
    draws, over, decisions = np.random.default_rng(5), False, 0

    def decide(seen):
        nonlocal decisions
        ours = world.seen()
        np.testing.assert_allclose(seen.rows, ours.rows, atol=1e-6)
        np.testing.assert_allclose(seen.context, ours.context, atol=1e-6)
        assert (seen.mask == ours.mask).all()
        assert (seen.nodes == ours.nodes).all()
        action = np.array([draws.choice(np.flatnonzero(seen.mask[0]))])
        world.step(action)
        decisions += 1
        return action

    while not over and decisions < most:
        observation, _, terminated, truncated, info = env.step(sight.decide(observation, info, decide))
        over = terminated or truncated
    assert decisions >= 60
    if over:
        assert world.scores()[0] == pytest.approx(env.summary()[track(name).metric])
