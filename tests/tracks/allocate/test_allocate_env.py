"""The Gymnasium form: what Gymnasium asks of it, what the harness asks of it, what is refused."""

import importlib
import math
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from edgebench.errors import EdgeBenchError
from edgebench.harness.rollout import roll
from edgebench.registry import REGIONS, SCENARIOS
from edgebench.tracks.allocate.env import AllocateEnv
from edgebench.tracks.allocate.features import JOB, SITE
from edgebench.tracks.allocate.track import TRACK

AGENTS = ("random_valid", "all_offer", "first_fit", "best_fit", "worst_fit", "priority_edf", "drf")


def agent_named(name):
    return importlib.import_module(f"reference_agents.allocate.{name}").Agent()


def played(env, choose, **options):
    """All observations, rewards and infos of an episode."""
    observed, info = env.reset(options=options)
    told, over = [(observed, 0.0, info)], False
    while not over:
        observed, reward, over, truncated, info = env.step(choose(observed))
        assert not truncated
        told.append((observed, reward, info))
    return told


def first_valid(observed):
    return int(observed["action_mask"].argmax())


@pytest.mark.usefixtures("built_home")
@pytest.mark.parametrize("name", REGIONS)
def test_gymnasiums_own_check_passes_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(TRACK.env_id(name)).unwrapped)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_play_stays_inside_the_spaces_and_the_summary_is_whole(regions, scenario):
    env = AllocateEnv(regions["s1"], scenario=scenario, privileged=True)
    told = played(env, first_valid, window=2, seed=8)
    for observed, _, info in told[:-1]:
        assert env.observation_space.contains(observed)
        assert observed["action_mask"][:-1].any(), "a job that no site could take is not asked about"
        assert observed["action_mask"][-1] == 1
        assert (observed["action_mask"] == info["action_mask"]).all()
    assert not any(part.any() for part in told[-1][0].values())
    summary = env.summary()
    assert set(summary) == {metric.name for metric in TRACK.metrics} | {"reward", "decisions"}
    for metric in TRACK.metrics:
        assert metric.least - 1e-9 <= summary[metric.name] <= metric.most + 1e-9, metric.name
        assert math.isfinite(summary[metric.name])
    assert summary["decisions"] == len(told) - 1
    assert summary["reward"] == pytest.approx(sum(reward for _, reward, _ in told), abs=1e-9)
    terms = (summary[f"points_{name}"] for name in ("violated", "latency", "imbalance", "waste"))
    assert summary["reward"] == pytest.approx(summary["points_done"] - sum(terms), abs=1e-9)
    assert summary["points_done"] == pytest.approx(100.0 * summary["completion"])


def test_one_episode_twice_is_one_and_another_is_another(regions):
    env = AllocateEnv(regions["s4"])
    first, same, other = (
        [(info.get("job"), reward) for _, reward, info in played(env, first_valid, window=1, seed=seed)]
        for seed in (5, 5, 6)
    )
    assert first == same != other
    one, two = (AllocateEnv(regions["s4"], seed=seed).reset()[0]["job"] for seed in (1, 2))
    assert (one != two).any()


def test_what_is_returned_is_the_callers(regions):
    env = AllocateEnv(regions["s1"])
    observed, info = env.reset(seed=3)
    for part in (*observed.values(), info["action_mask"]):
        part[:] = 1
    again, known = env.reset(seed=3)
    assert not (again["sites"] == 1).all()
    assert known["action_mask"][-1] == 1
    assert not (again["action_mask"][:-1] == 1).all() or len(again["action_mask"]) == 1


@pytest.mark.parametrize("action", [-1, 26, 10**30])
def test_an_invalid_action_defers_and_brings_nothing(regions, action):
    env = AllocateEnv(regions["s1"])
    env.reset(options={"window": 0, "seed": 1})
    over, rewards = False, []
    while not over:
        _, reward, over, _, _ = env.step(action)
        rewards.append(reward)
    assert max(rewards) <= 0.0
    assert env.summary()["completion"] == 0.0
    assert env.summary()["reward"] == pytest.approx(-50.0)


@pytest.mark.parametrize("action", [1.0, "1", None, np.float32(2)], ids=repr)
def test_an_action_that_is_no_whole_number_is_refused(regions, action):
    env = AllocateEnv(regions["s1"])
    env.reset(seed=0)
    with pytest.raises(TypeError):
        env.step(action)


def test_the_wrong_time_and_wrong_names_are_refused(regions):
    env = AllocateEnv(regions["s1"])
    with pytest.raises(EdgeBenchError, match="not over"):
        env.summary()
    with pytest.raises(EdgeBenchError, match="over"):
        env.step(0)
    env.reset(seed=0)
    with pytest.raises(EdgeBenchError, match="not over"):
        env.summary()
    for wrong in ({"scenario": "trab"}, {"split": "tset"}):
        with pytest.raises(EdgeBenchError, match="unknown"):
            AllocateEnv(regions["s1"], **wrong)
    for options in ({"window": -1}, {"seed": 1.0}, {"sede": 1}):
        with pytest.raises(EdgeBenchError):
            env.reset(options=options)


def test_feature_axes_are_the_same_in_every_region(regions):
    spaces = [AllocateEnv(region).observation_space for region in regions.values()]
    assert len({(space["sites"].shape[1], space["job"].shape, space["queue"].shape) for space in spaces}) == 1


def test_labels_are_told_to_no_one_who_did_not_ask(regions):
    observed, info = AllocateEnv(regions["s1"], scenario="outage").reset(seed=0)
    assert set(observed) == {"sites", "job", "queue", "action_mask"}
    assert set(info) == {"action_mask", "job", "origin", "now_ms"}


def test_agents_rank_as_they_should(regions):
    """On a few episodes only; the gate measures it on many."""
    env = AllocateEnv(regions["s1"], split="test")
    episodes = [(window, seed) for window in range(4) for seed in range(3)]
    reached = {
        name: np.mean([summary["completion"] for summary in roll(env, agent_named(name), episodes)]) for name in AGENTS
    }
    assert reached["random_valid"] < reached["first_fit"] < reached["priority_edf"]
    assert max(reached, key=reached.get) == "priority_edf"


def test_traps_that_are_remembered_matter(regions):
    """The best heuristic loses where measured extras are hidden from it."""
    agent = agent_named("priority_edf")

    class Forgetful:
        def reset(self, info):
            agent.reset(info)

        def act(self, observed):
            observed["sites"][:, SITE["measured_extra_s"]] = 0.0
            return agent.act(observed)

    env = AllocateEnv(regions["s4"], split="test")
    episodes = [(window, seed) for window in range(4) for seed in range(4)]
    knows, forgets = (
        np.mean([summary["completion"] for summary in roll(env, one, episodes)]) for one in (agent, Forgetful())
    )
    assert knows > forgets


def test_priority_and_slack_are_told(regions):
    observed, info = AllocateEnv(regions["s1"]).reset(seed=4)
    assert observed["job"][JOB["priority"]] in (1.0, 2.0, 3.0)
    assert observed["job"][JOB["slack_s"]] > 0.0
    assert observed["sites"][info["origin"], SITE["is_origin"]] == 1.0
    assert observed["sites"][:, SITE["is_origin"]].sum() == 1.0
