"""Gymnasium and PettingZoo: their own checks, the same world behind each, what is refused."""

import random
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import edgebench  # noqa: F401  (registers)
from edgebench.errors import EdgeBenchError
from edgebench.registry import SCENARIOS
from edgebench.tracks.offload.env import OffloadEnv
from edgebench.tracks.offload.features import NEIGHBOUR, NODE
from edgebench.tracks.offload.parallel import OffloadParallelEnv
from edgebench.tracks.offload.policies import OTHERS
from edgebench.tracks.offload.track import TRACK
from edgebench.tracks.offload.workloads import WORKLOADS
from reference_agents.offload import random_valid

PIN = {"window": 2, "seed": 7}


def shares_at(observation, slot):
    """Random shares that depend on the slot alone."""
    agent = random_valid.Agent()
    agent.reset({"seed": slot})
    return agent.act(observation)


def play(env, options=PIN):
    """Observations and rewards of an episode."""
    observation, _ = env.reset(options=options)
    seen, rewards, over = [observation], [], False
    while not over:
        observation, reward, terminated, over, info = env.step(shares_at(observation, len(rewards)))
        assert not terminated
        assert (info["action_mask"] == observation["action_mask"]).all()
        assert env.observation_space.contains(observation)
        seen.append(observation)
        rewards.append(reward)
    return seen, rewards


@pytest.mark.parametrize("options", [{}, {"focal": 3}, {"physics": "serverless"}, {"privileged": True}], ids=str)
def test_gymnasiums_own_check_passes_without_a_warning(regions, built_home, options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make("EdgeBench/Offload-S1-v0", **options).unwrapped)


@pytest.mark.filterwarnings("ignore:The old environment creation API:DeprecationWarning")
def test_pettingzoos_parallel_tests_pass(regions):
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    parallel_api_test(OffloadParallelEnv(regions["s1"]), num_cycles=130)
    parallel_seed_test(lambda: OffloadParallelEnv(regions["s1"]))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_ends_inside_the_spaces_with_all_figures(regions, scenario):
    env = OffloadEnv(regions["s4"], scenario=scenario, privileged=True)
    _, rewards = play(env)
    figures = env.summary()
    assert figures.keys() == {metric.name for metric in TRACK.metrics} | {"reward", "decisions"}
    assert np.isfinite(list(figures.values())).all()
    for metric in TRACK.metrics:
        assert metric.least <= figures[metric.name] <= metric.most
    assert figures["decisions"] == len(rewards) == 120
    assert figures["reward"] == pytest.approx(sum(rewards))


def test_scenarios_workloads_splits_windows_and_seeds_all_differ(regions):
    made = [OffloadEnv(regions["s1"], scenario=scenario) for scenario in SCENARIOS]
    made += [OffloadEnv(regions["s1"], workload=workload) for workload in WORKLOADS if workload != "sinusoidal"]
    made += [OffloadEnv(regions["s1"], split=split) for split in ("val", "test")]
    runs = [tuple(play(env)[1]) for env in made]
    runs += [tuple(play(made[0], {"window": 1, "seed": 7})[1]), tuple(play(made[0], {"window": 2, "seed": 8})[1])]
    assert len(set(runs)) == len(runs)


def test_two_plays_are_equal_and_touch_no_global_generator(regions):
    env = OffloadEnv(regions["s1"])
    before = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    first, second = play(env), play(env)
    assert first[1] == second[1]
    for one, other in zip(first[0], second[0], strict=True):
        assert all((one[name] == other[name]).all() for name in one)
    assert random.getstate() == before[0]
    np.testing.assert_equal(np.random.get_state(legacy=True), before[1])  # noqa: NPY002


def test_seeded_resets_are_reproducible_and_go_on(regions):
    env, other = OffloadEnv(regions["s1"], seed=5), OffloadEnv(regions["s1"])
    rows = [env.reset()[0]["nodes"] for _ in range(3)]
    again = [other.reset(seed=5)[0]["nodes"], *(other.reset()[0]["nodes"] for _ in range(2))]
    assert all((one == two).all() for one, two in zip(rows, again, strict=True))
    assert not (rows[0] == rows[1]).all()


def test_what_is_returned_is_the_callers(regions):
    env = OffloadEnv(regions["s1"])
    observation, info = env.reset(options=PIN)
    kept = {name: values.copy() for name, values in observation.items()}
    for values in (*observation.values(), info["action_mask"]):
        values[:] = 1
    again, _ = env.reset(options=PIN)
    assert all((again[name] == kept[name]).all() for name in kept)


@pytest.mark.parametrize("physics", ["queue", "serverless"])
def test_the_parallel_face_plays_the_same_world(regions, physics):
    env = OffloadEnv(regions["s1"], physics=physics)
    own, team = (OffloadParallelEnv(regions["s1"], reward=reward, physics=physics) for reward in ("own", "team"))
    whole, _ = env.reset(options=PIN)
    rows, _ = own.reset(options=PIN)
    team.reset(options=PIN)
    for slot in range(120):
        shares = shares_at(whole, slot)
        actions = dict(zip(own.possible_agents, shares, strict=True))
        whole, reward, _, over, _ = env.step(shares)
        rows, rewards, _, ends, _ = own.step(actions)
        assert sum(rewards.values()) == pytest.approx(reward, abs=1e-9)
        assert set(team.step(actions)[1].values()) == {reward}
        assert set(ends.values()) == {over}
        for number, row in enumerate(rows.values()):
            assert all((row[name] == whole[name][number]).all() for name in row)
    assert own.agents == []
    assert own.summary() == {name: env.summary()[name] for name in own.summary()}


@pytest.mark.parametrize("others", OTHERS)
def test_a_focal_site_is_one_row_of_the_whole(regions, others):
    site, focal = 4, OffloadEnv(regions["s1"], focal=4, others=others)
    env = OffloadParallelEnv(regions["s1"])
    row, _ = focal.reset(options=PIN)
    rows, _ = env.reset(options=PIN)
    for slot in range(120):
        whole = {name: np.stack([rows[agent][name] for agent in env.possible_agents]) for name in row}
        everyone, mine = OTHERS[others](whole), shares_at(whole, slot)[site]
        everyone[site] = mine
        row, reward, *_ = focal.step(mine)
        rows, rewards, *_ = env.step(dict(zip(env.possible_agents, everyone, strict=True)))
        assert reward == rewards[f"node_{site}"]
        assert all((row[name] == rows[f"node_{site}"][name]).all() for name in row)


def test_spare_others_serve_a_network_better_than_local_ones(regions):
    values = {}
    for others in OTHERS:
        env = OffloadEnv(regions["s1"], focal=0, others=others, split="test")
        env.reset(options=PIN)
        for _ in range(120):
            env.step(np.eye(10, dtype=np.float32)[0])
        values[others] = env.summary()["value"]
    assert values["spare"] > values["all-local"]


def test_labels_tell_what_no_one_is_told(regions):
    env = OffloadEnv(regions["s1"], scenario="outage", privileged=True)
    bad, down = 0.0, 0.0
    for observation in play(env)[0][:-1]:
        bad, down = bad + observation["labels"][..., 0].sum(), down + observation["labels"][..., 2].sum()
        assert ((observation["labels"][..., 0] == 0.0) | (observation["labels"][..., 1] >= 1.0)).all()
    assert bad > 0.0
    assert down > 0.0
    assert "labels" not in OffloadEnv(regions["s1"]).reset()[0]


def test_telemetry_of_neighbours_is_of_every_second_slot(regions):
    env = OffloadEnv(regions["s1"])
    seen = [observation["neighbours"][..., NEIGHBOUR["load"]] for observation in play(env)[0][:120]]
    own = [observation["nodes"][..., NODE["load"]] for observation in play(env)[0][:120]]
    assert all((seen[slot] == seen[slot + 1]).all() for slot in range(0, 118, 2))
    assert all(not (own[slot] == own[slot + 1]).all() for slot in range(0, 118, 2))


def test_a_step_or_a_summary_at_the_wrong_time_is_refused(regions):
    env, parallel = OffloadEnv(regions["s1"]), OffloadParallelEnv(regions["s1"])
    nothing = np.zeros((25, 10), np.float32)
    for call in (env.summary, parallel.summary, lambda: env.step(nothing), lambda: parallel.step({})):
        with pytest.raises(EdgeBenchError, match="over"):
            call()
    env.reset()
    with pytest.raises(EdgeBenchError, match="not over"):
        env.summary()
    play(env)
    with pytest.raises(EdgeBenchError, match="over"):
        env.step(nothing)


@pytest.mark.parametrize(
    "action",
    [None, 1.0, "local", np.zeros(10, np.float32), np.zeros((25, 9)), np.full((25, 10), "1"), [[1.0]]],
    ids=range(7),
)
def test_an_action_of_another_shape_or_kind_is_refused_and_changes_nothing(regions, action):
    env = OffloadEnv(regions["s1"])
    _, expected = play(env)
    observation, _ = env.reset(options=PIN)
    with pytest.raises(EdgeBenchError, match="the action is"):
        env.step(action)
    assert env.step(shares_at(observation, 0))[1] == expected[0]


def test_wrong_arguments_are_refused(regions):
    for wrong in (
        {"scenario": "trab"},
        {"split": "tset"},
        {"physics": "queues"},
        {"workload": "sinus"},
        {"others": "all"},
    ):
        with pytest.raises(EdgeBenchError, match="unknown"):
            OffloadEnv(regions["s1"], **wrong)
    for site in (-1, 25):
        with pytest.raises(EdgeBenchError, match=f"no site {site}"):
            OffloadEnv(regions["s1"], focal=site)
    with pytest.raises(EdgeBenchError, match="unknown reward"):
        OffloadParallelEnv(regions["s1"], reward="mine")
    env = OffloadParallelEnv(regions["s1"])
    env.reset()
    with pytest.raises(EdgeBenchError, match="not one action an agent"):
        env.step({"node_0": np.zeros(10)})
