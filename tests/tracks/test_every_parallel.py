"""PettingZoo's own tests on the parallel environment of every track, in every scenario."""

import warnings

import numpy as np
import pytest

from edgebench.envs import make_parallel_env
from edgebench.registry import SCENARIOS, TRACKS

pettingzoo_test = pytest.importorskip("pettingzoo.test")
NAMES = sorted(name for name, track in TRACKS.items() if track.parallel)
EVERY_TRACK = pytest.mark.parametrize("name", NAMES)
pytestmark = pytest.mark.usefixtures("built_home")


@EVERY_TRACK
def test_the_api_test_passes_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pettingzoo_test.parallel_api_test(make_parallel_env(name, "s1"), num_cycles=300)


@EVERY_TRACK
def test_the_seed_test_passes(name):
    pettingzoo_test.parallel_seed_test(lambda: make_parallel_env(name, "s1"), num_cycles=20)


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
@EVERY_TRACK
def test_every_scenario_is_played_inside_the_spaces(name, scenario):
    env = make_parallel_env(name, "s1", scenario=scenario)
    observed, infos = env.reset(seed=1)
    for number, agent in enumerate(env.possible_agents):
        env.action_space(agent).seed(number)
    total = 0.0
    while env.agents:
        assert set(observed) == set(infos) == set(env.agents)
        for agent in env.agents:
            assert env.observation_space(agent).contains(observed[agent])
        actions = {agent: _valid(env.action_space(agent), observed[agent]) for agent in env.agents}
        observed, rewards, *_, infos = env.step(actions)
        total += sum(rewards.values())
    assert np.isfinite(total)


def _valid(space, observation):
    mask = observation["action_mask"] if isinstance(observation, dict) else None  # of shares all are valid
    return space.sample(mask) if hasattr(space, "n") and mask.shape == (space.n,) else space.sample()
