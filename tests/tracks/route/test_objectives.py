"""`reward="vector"`: three objectives that sum to the utility, in the convention of MO-Gymnasium, used unmodified."""

import os
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from random_play import play, valid_actions

from edgebench.constants import CANDIDATES, COST_REF_USD, COST_WEIGHT, WINDOW_TASKS
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.state import DONE, QUALITY, SPEED, THRIFT
from edgebench.tracks.route.vector import RouteVectorEnv

ROUTE = "EdgeBench/Route-S1-v0"
EXAMPLE = Path(__file__).parents[3] / "examples" / "objectives.py"
SCENARIOS = pytest.mark.parametrize("scenario", ["calm", "trap", "outage"])
pytestmark = pytest.mark.usefixtures("built_home")


@pytest.fixture(scope="module")
def mo():
    """The package, its game library silent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        return pytest.importorskip("mo_gymnasium", reason="mo-gymnasium is not installed")


def cheapest(observation):
    """The valid candidate that costs least."""
    return int(np.where(observation["action_mask"], observation["candidates"][7], np.inf).argmin())


@SCENARIOS
def test_of_a_task_neither_clipped_nor_dear_the_weighted_objectives_are_the_utility(regions, scenario):
    env, counted = RouteEnv(regions["s1"], scenario=scenario, reward="vector"), 0
    for window in range(4):
        for choose in (valid_actions(window), lambda mask: int(mask.argmax())):
            steps = play(env, options={"window": window, "seed": window}, choose=choose)
            progress = env._simulation.state.progress
            tasks = env._simulation.tasks[progress["row"]]
            quality, speed, thrift = (progress["earned"][:, objective] for objective in (QUALITY, SPEED, THRIFT))
            weighted = tasks["quality_weight"] * quality + tasks["speed_weight"] * speed - COST_WEIGHT * (1.0 - thrift)
            plain = (progress["outcome"] == DONE) & (progress["utility"] > 0.0) & (progress["cost_usd"] < COST_REF_USD)
            np.testing.assert_allclose(weighted[plain], progress["utility"][plain], rtol=0, atol=1e-12)
            assert not progress["earned"][progress["outcome"] != DONE].any()
            rewards = np.sum([reward for _, reward, _ in steps[1:]], axis=0)
            np.testing.assert_allclose(rewards, progress["earned"][:, 1:].sum(axis=0), rtol=0, atol=1e-4)
            counted += plain.sum()
    assert counted > WINDOW_TASKS


@SCENARIOS
def test_failing_pays_nothing_in_any_objective(regions, scenario):
    env = RouteEnv(regions["s1"], scenario=scenario, reward="vector")
    steps = play(env, seed=1, choose=lambda mask: CANDIDATES)
    assert all((reward == 0.0).all() for _, reward, _ in steps[1:])
    choose, decision = valid_actions(2), 0

    def gives_up_late(mask):
        nonlocal decision
        decision += 1
        return CANDIDATES if decision % 7 == 0 else choose(mask)

    play(env, seed=1, choose=gives_up_late)
    progress = env._simulation.state.progress
    failed = progress["outcome"] != DONE
    assert (progress["stages_run"][failed] > 0).any()
    assert not progress["earned"][failed].any()


@SCENARIOS
def test_the_vector_face_gives_the_numbers_of_single_environments(regions, scenario):
    names = {"scenario": scenario, "reward": "vector"}
    many = RouteVectorEnv(3, regions["s4"], seed=6, **names)
    singles = [RouteEnv(regions["s4"], seed=6 + row, **names) for row in range(3)]
    observed = [single.reset()[0] for single in singles]
    many.reset()
    for _ in range(150):
        actions = np.array([cheapest(observation) for observation in observed])
        steps = [single.step(action) for single, action in zip(singles, actions, strict=True)]
        rewards = many.step(actions)[1]
        assert rewards.shape == (3, 3) and rewards.dtype == np.float32
        np.testing.assert_array_equal(rewards, [step[1] for step in steps])
        observed = [step[0] for step in steps]


def test_mo_gymnasium_makes_it_with_its_reward_space(mo):
    env = mo.make(ROUTE, reward="vector")
    assert env.unwrapped.reward_space.shape == (3,)
    env.reset(seed=0)
    _, reward, *_ = env.step(0)
    assert isinstance(reward, np.ndarray) and env.unwrapped.reward_space.contains(reward)


def test_its_linear_reward_is_the_weighted_sum(mo):
    weight = np.array([0.6, 0.3, 0.1])
    linear = mo.wrappers.LinearReward(mo.make(ROUTE, reward="vector"), weight=weight)
    steps = play(linear, seed=2)
    assert all(reward == pytest.approx(info["vector_reward"] @ weight) for _, reward, info in steps[1:])
    assert linear.observation_space.contains(steps[0][0])


def test_its_statistics_are_the_sums_of_an_episode(mo):
    env = mo.wrappers.MORecordEpisodeStatistics(mo.make(ROUTE, reward="vector"), gamma=1.0)
    steps = play(env, seed=3)
    earned = env.unwrapped._simulation.state.progress["earned"][:, 1:].sum(axis=0)
    episode = steps[-1][2]["episode"]
    np.testing.assert_allclose(episode["r"], earned, rtol=0, atol=1e-4)
    assert episode["l"] == len(steps) - 1


def test_its_synchronous_vector_equals_ours_over_the_ends_of_episodes(mo):
    theirs = mo.wrappers.vector.MOSyncVectorEnv([lambda: mo.make(ROUTE, reward="vector")] * 2)
    ours = gymnasium.make_vec(ROUTE, 2, reward="vector")
    observed, _ = theirs.reset(seed=4)
    ours.reset(seed=4)
    ended = 0
    for _ in range(400):
        actions = observed["action_mask"].argmax(axis=1)
        observed, *expected, _ = theirs.step(actions)
        _, *got, _ = ours.step(actions)
        for part, other in zip(got, expected, strict=True):
            np.testing.assert_array_equal(part, other)
        ended += int(got[1].sum())
    assert ended >= 2


def test_its_statistics_take_our_vector_environment(mo):
    envs = mo.wrappers.vector.MORecordEpisodeStatistics(gymnasium.make_vec(ROUTE, 2, reward="vector"))
    observed, _ = envs.reset(seed=5)
    info, total = {}, np.zeros((2, 3), np.float32)
    while "episode" not in info:
        observed, rewards, *_, info = envs.step(observed["action_mask"].argmax(axis=1))
        total += rewards
    done = info["_episode"]
    np.testing.assert_allclose(info["episode"]["r"][done], total[done], rtol=0, atol=1e-4)


def test_the_example_prints_three_objectives(mo):
    environment = os.environ | {"PYTHONPATH": str(EXAMPLE.parents[1]), "PYGAME_HIDE_SUPPORT_PROMPT": "1"}
    result = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLE], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("{'quality': ")
