"""Route's gateways as a world: the parallel environment's episodes, its rewards, its messages."""

import numpy as np
import pytest
from lessons import practice_of

import edgebench
from edgebench.learning.world import make_world
from edgebench.tracks.route.parallel import RouteParallelEnv
from edgebench.tracks.route.sight import CONTEXT, LOAD

EPISODE = (2, 5)


def pinned(region, **settings):
    """A world and an environment that have begun the same episode."""
    world = make_world("route", "team", [region], each=1, **settings)
    world.begin([EPISODE])
    env = RouteParallelEnv(region, **settings)
    observed, _ = env.reset(options=dict(zip(("window", "seed"), EPISODE, strict=True)))
    return world, env, observed


@pytest.mark.parametrize("messages", [0, 2])
def test_the_parallel_environment_step_by_step(messages):
    world, env, observed = pinned(edgebench.load("s1"), messages=messages)
    draws, reward, credit = np.random.default_rng(1), 0.0, 0.0
    while (seen := world.seen()).episode.size:
        due = [agent for agent in env.agents if observed[agent]["action_mask"][:-1].any()]
        assert (seen.mask == [observed[agent]["action_mask"][:-1] > 0 for agent in due]).all()
        row = np.array([draws.choice(np.flatnonzero(mask)) for mask in seen.mask])
        words = draws.uniform(-1.0, 1.0, (len(due), messages)).astype(np.float32)
        actions = dict.fromkeys(env.agents, env.observation_space(env.agents[0])["action_mask"].n - 1)
        actions |= dict(zip(due, row.tolist(), strict=True))
        if messages:
            told = dict(zip(due, words, strict=True))
            last = {agent: env._words[place].copy() for place, agent in enumerate(env.possible_agents)}
            actions = {
                agent: {"action": act, "message": told.get(agent, last[agent])} for agent, act in actions.items()
            }
        observed, brought, _, _, _ = env.step(actions)
        brought_here = world.step(np.concatenate([row[:, None], words], axis=1) if messages else row)
        assert brought_here.shape == (len(due), 1)
        credit += brought_here.sum()
        reward += next(iter(brought.values()))
    assert world.scores()[0] == pytest.approx(env.summary()["utility"])
    assert credit == pytest.approx(reward)


def test_what_is_told_arrives():
    world = make_world("route", "team", [edgebench.load("s1")], each=1, messages=1)
    world.begin([EPISODE])
    received = []
    while (seen := world.seen()).episode.size:
        received.append(seen.context[:, -1])
        world.step(np.concatenate([np.zeros((len(seen.rows), 1)), np.full((len(seen.rows), 1), 0.5)], axis=1))
    assert (received[0] == 0.0).all()
    assert max(part.max() for part in received) > 0.0
    assert max(part.max() for part in received) <= 0.5 + 1e-6


def test_the_same_shapes_everywhere_and_the_context_of_one_who_decides_alone_comes_first():
    regions = [edgebench.load("s1"), edgebench.load("s3")]
    world = practice_of("route", "team", regions, gateways=3)
    world.begin()
    seen = world.seen()
    assert world.form.context[: len(CONTEXT) + len(LOAD)] == (*CONTEXT, *LOAD)
    assert seen.context.shape[1] == len(world.form.context)
    assert seen.whole.shape[1] == len(world.form.whole)
    assert set(seen.episode.tolist()) == {0, 1}
    assert set(seen.ground.tolist()) == {0, 1}
    assert np.abs(seen.context).max() <= 10.0
