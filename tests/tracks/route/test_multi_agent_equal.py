"""One simulation behind every face: what gateways meet is what the single environment meets, to the last bit."""

import copy

import numpy as np
import pytest
from random_play import play, valid_actions
from team_play import play_rounds, play_turns
from varied_regions import VARIED, varied

pytest.importorskip("pettingzoo", reason="needs pettingzoo: pip install edgebench[marl]")

from edgebench.registry import REGIONS, SCENARIOS
from edgebench.tracks.route.aec import RouteAecEnv
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.parallel import RouteParallelEnv
from edgebench.tracks.route.turns import play_round

EPISODE = {"window": 1, "seed": 7}


def wanted(regions, name):
    return regions[name] if name in regions else varied(regions["s1"], name)


def single(region, **settings):
    env = RouteEnv(region, **settings)
    return play(env, options=EPISODE, choose=valid_actions(5)), env.summary()


def assert_equal(ours, theirs):
    """Lists of (observation, reward, info): candidates, task and mask, who and where, what is earned."""
    for (seen, reward, info), (expected, earned, told) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(seen["candidates"], expected["candidates"])
        np.testing.assert_array_equal(seen["task"], expected["task"])
        np.testing.assert_array_equal(seen["action_mask"][:-1], expected["action_mask"])
        assert reward == earned
        for name in {"task", "stage", "node", "user_node"} & told.keys():
            assert info[name] == told[name]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("gateways", [1, 3, 8])
def test_gateways_in_turn_are_the_single_environment(regions, name, scenario, gateways):
    check_turns(regions[name], gateways=gateways, scenario=scenario)


@pytest.mark.parametrize("name", VARIED)
@pytest.mark.parametrize("observe", ["local", "global"])
def test_gateways_in_turn_are_the_single_environment_in_other_kinds_of_regions(regions, name, observe):
    check_turns(varied(regions["s1"], name), observe=observe)


def check_turns(region, *, scenario="trap", **settings):
    env = RouteAecEnv(region, scenario=scenario, **settings)
    turns = play_turns(env, options=EPISODE, choose=valid_actions(5))
    steps, summary = single(region, scenario=scenario)
    assert_equal([turn[1:] for turn in turns], steps)
    assert env.summary() == summary
    for agent, _, _, info in turns[:-1]:
        assert agent == f"gateway_{env.gateway_of[info['node']]}"


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", [*REGIONS, *VARIED])
def test_one_gateway_without_ticks_is_the_single_environment(regions, name, scenario):
    region = wanted(regions, name)
    env = RouteParallelEnv(region, gateways=1, tick_ms=0.0, scenario=scenario)
    rounds = play_rounds(env, options=EPISODE, choose=valid_actions(5))
    steps, summary = single(region, scenario=scenario)
    assert_equal([tuple(part["gateway_0"] for part in told) for told in rounds], steps)
    assert env.summary() == summary


def test_one_gateway_with_a_full_view_is_the_single_environment(regions):
    env = RouteParallelEnv(regions["s4"], gateways=1, tick_ms=0.0, view="full")
    rounds = play_rounds(env, options=EPISODE, choose=valid_actions(5))
    steps, _ = single(regions["s4"], view="full")
    assert_equal([tuple(part["gateway_0"] for part in told) for told in rounds], steps)


def test_unpinned_episodes_are_those_of_the_single_environment(regions):
    env, other = RouteParallelEnv(regions["s4"], gateways=1, tick_ms=0.0, seed=3), RouteEnv(regions["s4"], seed=3)
    for seed in (None, None, 9, None):
        seen, _ = env.reset(seed=seed)
        expected, _ = other.reset(seed=seed)
        np.testing.assert_array_equal(seen["gateway_0"]["candidates"], expected["candidates"])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_round_of_one_decision_is_a_turn(regions, scenario):
    """With one gateway and ticks the two faces take the same decisions in the same order."""
    settings = {"gateways": 1, "tick_ms": 500.0, "scenario": scenario}
    env, other = RouteParallelEnv(regions["s2"], **settings), RouteAecEnv(regions["s2"], **settings)
    rounds = play_rounds(env, options=EPISODE, choose=valid_actions(5))
    turns = play_turns(other, options=EPISODE, choose=valid_actions(5))
    for told, (_, seen, reward, info) in zip(rounds, turns, strict=True):
        observed, earned, told_info = (part["gateway_0"] for part in told)
        for name in seen:
            np.testing.assert_array_equal(observed[name], seen[name])
        assert (earned, told_info["now_ms"]) == (reward, info["now_ms"])
    assert env.summary() == other.summary()


def test_a_round_is_its_decisions_taken_one_after_another_in_the_order_of_tasks(regions):
    env, choose, compared = RouteParallelEnv(regions["s3"], gateways=8, tick_ms=1000.0), valid_actions(5), 0
    observed, infos = env.reset(options=EPISODE)
    while env.agents:
        due = sorted((info["task"], agent) for agent, info in infos.items() if "task" in info)
        actions = {agent: choose(observed[agent]["action_mask"]) for agent in env.agents}
        other, apart = copy.deepcopy(env), 0.0
        observed, rewards, *_, infos = env.step(actions)
        for task, agent in due:
            one = np.array([task]), np.array([actions[agent]])
            apart += play_round(other._simulation.address, *one)
        for name in ("progress", "ready_ms", "server", "busy_ms", "resident", "used_ms"):
            assert getattr(env._simulation.state, name).tobytes() == getattr(other._simulation.state, name).tobytes()
        assert rewards["gateway_0"] == apart
        compared += len(due) > 1
    assert compared > 10
