"""Every registered id of the Route track; what holds of every track is swept in `tests/tracks`."""

import copy
import os
import pickle
import random
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from random_play import digest, play, valid_actions
from varied_regions import VARIED, varied

import edgebench  # noqa: F401  (registers)
from edgebench.constants import CANDIDATES, WINDOW_TASKS
from edgebench.errors import EdgeBenchError
from edgebench.registry import DEFAULT_SCENARIO, REGIONS, SAMPLE_EDITION, SCENARIOS, TRACKS
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.features import CANDIDATE
from edgebench.tracks.route.state import DONE, INVALID, TRAP

IDS = sorted(TRACKS["route"].env_id(region) for region in REGIONS)
"""The ids of the regions that the tests build; those of the trap scales differ in size alone."""
EVERY_ID = pytest.mark.parametrize("name", IDS)
OTHERS = [name for name in SCENARIOS if name != DEFAULT_SCENARIO]
EVERY_KIND = pytest.mark.parametrize("name", [*IDS, *VARIED, *OTHERS])
"""And regions of the kinds that the registered ones are not, and the scenarios that are not the default."""
pytestmark = pytest.mark.usefixtures("built_home")


@pytest.fixture(scope="module")
def made(regions_home, regions):
    """Every id's environment as `gymnasium.make` gives it, one of every kind of region and scenario; made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(regions_home))
        environments = {name: gymnasium.make(name) for name in IDS}
    environments |= {wanted: RouteEnv(varied(regions["s1"], wanted)) for wanted in VARIED}
    environments |= {scenario: RouteEnv(regions["s1"], scenario=scenario) for scenario in OTHERS}
    yield environments
    for environment in environments.values():
        environment.close()


def test_made_in_a_fresh_process_without_importing_edgebench():
    code = f"""if True:
        import gymnasium, sys
        assert "edgebench" not in sys.modules
        for name in {IDS}:
            env = gymnasium.make("edgebench:" + name)
            env.reset(seed=0)
            print(env.spec.id)"""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, env=os.environ
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == IDS


@EVERY_KIND
def test_random_valid_play_ends_and_stays_inside_the_spaces(made, name):
    env = made[name].unwrapped
    steps = play(env, seed=3)
    for observation, _, _ in steps:
        assert env.observation_space.contains(observation)
    assert not any(part.any() for part in steps[-1][0].values())
    assert env.summary()["decisions"] == len(steps) - 1 <= WINDOW_TASKS * 10


@EVERY_KIND
def test_the_mask_leaves_a_valid_action_at_every_decision(made, name):
    env = made[name].unwrapped
    choose, decisions = valid_actions(4), 0
    observation, info = env.reset(seed=4)
    while "task" in info:
        mask = observation["action_mask"]
        assert mask.any()
        assert (mask == info["action_mask"]).all()
        assert (mask == env.action_masks()).all()
        assert ((info["instances"] >= 0) == mask).all()
        observation, *_, info = env.step(choose(mask))
        decisions += 1
    assert decisions > WINDOW_TASKS


@EVERY_ID
def test_the_wrappers_of_make_change_nothing(made, name):
    options = {"window": 1, "seed": 5}
    wrapped = play(made[name], options=options, choose=valid_actions(1))
    assert digest(wrapped) == digest(play(made[name].unwrapped, options=options, choose=valid_actions(1)))


@EVERY_KIND
def test_two_plays_of_one_seed_are_equal_and_of_two_are_not(made, name):
    env = made[name].unwrapped
    assert digest(play(env, seed=11)) == digest(play(env, seed=11)) != digest(play(env, seed=12))


@EVERY_KIND
def test_no_step_touches_a_global_generator(made, name):
    before = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    play(made[name].unwrapped, seed=5)
    after = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    assert before[0] == after[0]
    np.testing.assert_equal(before[1], after[1])


@EVERY_KIND
def test_rewards_sum_to_the_utilities_of_the_tasks(made, name):
    env = made[name].unwrapped
    for seed in range(5):
        rewards = [reward for _, reward, _ in play(env, seed=seed)]
        utilities = env._simulation.state.progress["utility"]
        assert (utilities >= 0.0).all()
        assert (utilities <= 1.0).all()
        assert sum(rewards) == pytest.approx(utilities.sum(), abs=1e-9)
        assert env.summary()["reward"] == pytest.approx(WINDOW_TASKS * env.summary()["utility"], abs=1e-9)


@EVERY_KIND
@pytest.mark.parametrize("stage", range(5))
def test_failing_on_purpose_pays_nothing_at_any_stage(made, name, stage):
    """A task failed on purpose ends at utility 0 whatever it earned before, and none that goes on ends below 0."""
    env = made[name].unwrapped
    options, choose = {"window": 2, "seed": 9}, valid_actions(stage)
    _, info = env.reset(options=options)
    over, total = False, 0.0
    while not over:
        doomed = info["task"] % 2 == 0 and info["stage"] == min(stage, info["stages"] - 1)
        _, reward, over, _, info = env.step(CANDIDATES if doomed else choose(info["action_mask"]))
        total += reward
    progress = env._simulation.state.progress
    doomed = progress[::2]
    assert (doomed["utility"] == 0.0).all()
    assert (doomed["outcome"] != DONE).all()
    assert (doomed["outcome"] == INVALID).any()
    assert (progress["utility"] >= 0.0).all()
    assert (progress[1::2]["outcome"] == DONE).any()
    assert total == pytest.approx(progress["utility"].sum(), abs=1e-9)


@EVERY_KIND
@pytest.mark.parametrize("action", [-1, CANDIDATES, 10**30], ids=("negative", "one too many", "huge"))
def test_invalid_actions_alone_earn_nothing(made, name, action):
    env = made[name].unwrapped
    env.reset(seed=1)
    rewards, over = [], False
    while not over:
        _, reward, over, _, _ = env.step(action)
        rewards.append(reward)
    assert rewards == [0.0] * WINDOW_TASKS
    assert env.summary()["success"] == env.summary()["utility"] == 0.0


@EVERY_KIND
def test_an_action_of_mask_0_is_invalid(made, name):
    env = made[name].unwrapped
    choose, over = valid_actions(8), False
    _, info = env.reset(seed=8)
    while info["action_mask"].all():
        *_, over, _, info = env.step(choose(info["action_mask"]))
        assert not over, "no decision of this region has fewer candidates than actions"
    task = info["task"]
    env.step(int(info["action_mask"].argmin()))
    assert env._simulation.state.progress["outcome"][task] == INVALID


@EVERY_ID
@pytest.mark.parametrize("action", [1.0, float("nan"), "1", None, np.float32(2)], ids=repr)
def test_an_action_that_is_no_whole_number_is_refused_and_changes_nothing(made, name, action):
    env = made[name].unwrapped
    env.reset(seed=2)
    unasked = env.step(np.int64(0))
    env.reset(seed=2)
    with pytest.raises(TypeError):
        env.step(action)
    observation, reward, *_, info = env.step(np.int64(0))
    assert digest([(observation, reward, info)]) == digest([(unasked[0], unasked[1], unasked[4])])


def met_on_first_ways(env, choose):
    """What every first stage meets when all go the same way at the same time, and all else is left to `choose`.

    By task: propagation, transmission and trap extras of its way in ms, and which candidates were told to be down.
    """
    observation, info = env.reset(options={"window": 0, "seed": 17})
    met, over = {}, False
    while not over:
        task, mask, told = info["task"], info["action_mask"], observation["candidates"][CANDIDATE["down"]]
        is_first = info["stage"] == 0
        goes_on = info["stages"] > 1  # else its answer may leave before the next decision
        observation, _, over, _, info = env.step(task % mask.sum() if is_first else choose(mask))
        if is_first and goes_on:
            met[task] = (*env._simulation.state.progress["parts_ms"][task, : TRAP + 1], *told)
    return met


@EVERY_KIND
def test_masked_and_unmasked_agents_meet_the_same_whatever_they_did_before(made, name):
    env, unmasked = made[name].unwrapped, valid_actions(3)
    met = met_on_first_ways(env, valid_actions(1))
    assert len(met) > WINDOW_TASKS // 2
    assert any(of_task[TRAP] > 0.0 for of_task in met.values()) == (env.scenario.name != "calm")
    for choose in (valid_actions(2), lambda mask: unmasked(np.ones_like(mask)), lambda mask: CANDIDATES):
        assert met_on_first_ways(env, choose) == met


@pytest.mark.parametrize("name", [*IDS, *VARIED])
def test_calm_has_no_trap_in_its_bad_state(made, name):
    env = type(made[name].unwrapped)(made[name].unwrapped.region, scenario="calm")
    play(env, seed=1)
    assert env.summary()["trap_ms"] == env.summary()["trap_hits"] == 0.0
    play(made[name].unwrapped, seed=1)
    assert made[name].unwrapped.summary()["trap_ms"] > 0.0


@EVERY_KIND
def test_a_copy_goes_on_as_the_original_and_apart_from_it(made, name):
    """Both `copy` and `pickle` give an environment of its own, in the midst of an episode."""
    original = made[name].unwrapped
    for duplicate in (copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))):  # noqa: S301
        original.reset(seed=6)
        for _ in range(40):
            original.step(0)
        copied = duplicate(original)
        tails = []
        for env in (copied, original):
            choose, info, over, tail = valid_actions(6), {"action_mask": env.action_masks()}, False, []
            while not over:
                observation, reward, over, _, info = env.step(choose(info["action_mask"]))
                tail.append((observation, reward, info))
            tails.append(digest(tail))
        assert tails[0] == tails[1]
        assert copied.summary() == original.summary()


@EVERY_KIND
def test_what_is_returned_is_the_callers(made, name):
    """Kept observations and infos do not change, and writing into them changes nothing."""
    env = made[name].unwrapped
    steps = play(env, seed=13)
    kept = digest(steps)
    env.reset(seed=14)
    assert digest(steps) == kept
    observation, info = env.reset(seed=13)
    for part in (*observation.values(), *(value for value in info.values() if isinstance(value, np.ndarray))):
        part[:] = 1
    again, known = env.reset(seed=13)
    assert digest([(again, 0.0, known)]) == digest(steps[:1])
    assert (known["stage_tokens"] == steps[0][2]["stage_tokens"]).all()


@EVERY_ID
def test_every_window_can_be_pinned_and_wrong_names_are_refused(made, name):
    env = made[name].unwrapped
    first = {tuple(env.reset(options={"window": window, "seed": 0})[0]["task"]) for window in range(env.windows)}
    assert len(first) > env.windows // 2
    for wrong in ({"scenario": "trab"}, {"split": "tset"}):
        with pytest.raises(EdgeBenchError, match="unknown"):
            type(env)(env.region, **wrong)
    with pytest.raises(EdgeBenchError, match="seed is -1"):
        type(env)(env.region, seed=-1)


@EVERY_ID
def test_a_summary_or_a_step_at_the_wrong_time_is_refused(made, name):
    env = type(made[name].unwrapped)(made[name].unwrapped.region)
    with pytest.raises(EdgeBenchError, match="not over"):
        env.summary()
    with pytest.raises(EdgeBenchError, match="over"):
        env.step(0)
    env.reset(seed=0)
    with pytest.raises(EdgeBenchError, match="not over"):
        env.summary()
    play(env, seed=0)
    assert env.summary()["decisions"] > 0
    with pytest.raises(EdgeBenchError, match="over"):
        env.step(0)


def test_a_region_that_is_not_built_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    with pytest.raises(EdgeBenchError, match=f"edition '{SAMPLE_EDITION}' is not built"):
        gymnasium.make(IDS[0])
