"""The PettingZoo form: its own checks, the broker's rule, when to offer less than everything."""

import numpy as np
import pytest
from allocate_toy import quiet_world, toy_job, toy_jobs, toy_sites

from edgebench.errors import EdgeBenchError
from edgebench.registry import SCENARIOS
from edgebench.sim.conditions import MAX_NEIGHBOURS, Neighbours
from edgebench.tracks.allocate.offer_features import P
from edgebench.tracks.allocate.parallel import AllocateParallelEnv
from edgebench.tracks.allocate.state import DONE, new_state
from edgebench.tracks.allocate.track import TRACK
from edgebench.tracks.allocate.turns import first_tick, take_tick

ALL = 1.0


def reward_of(units, jobs, offers, world=None):
    """Reward and status of an episode in which the sites offer `offers[tick]`, everything once those are used up."""
    sites, count = toy_sites(units), len(units)
    world = world or quiet_world(sites)
    state, rows = new_state(sites, jobs.size), np.zeros((count, P), np.float32)
    none = np.zeros((count, MAX_NEIGHBOURS))
    neighbours = Neighbours(none.astype(np.int64) - 1, none, none, none.astype(np.int64) - 1)
    first_tick(sites, world, jobs, state, neighbours, rows)
    reward, tick = 0.0, 0
    while state.tally["asked"][0] >= 0:
        shares = np.ones((count, 4)) * np.array(offers[tick] if tick < len(offers) else [ALL] * count)[:, None]
        reward += take_tick(sites, world, jobs, state, neighbours, rows, shares)
        tick += 1
    return reward, state.progress


def played(env, offer, **options):
    """Rewards of an episode in which every site offers `offer` of its observation."""
    observed, _ = env.reset(options=options)
    rewards = []
    while env.agents:
        observed, reward, terminated, truncated, _ = env.step({agent: offer(observed[agent]) for agent in env.agents})
        assert len(set(reward.values())) == 1
        assert not any(truncated.values())
        for agent in env.possible_agents:
            assert env.observation_space(agent).contains(observed[agent])
        rewards.append(reward["site_0"])
    assert all(terminated.values())
    return rewards


def share(value):
    return lambda observed: np.full(4, value, np.float32)


# PettingZoo's tests import an environment of its own by a way that it has deprecated.
@pytest.mark.filterwarnings("ignore:The old environment creation API:DeprecationWarning")
def test_pettingzoos_tests_pass(regions):
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    parallel_api_test(AllocateParallelEnv(regions["s1"]), num_cycles=100)
    parallel_seed_test(lambda: AllocateParallelEnv(regions["s1"]), num_cycles=100)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_play_ends_inside_the_spaces_and_rewards_sum(regions, scenario):
    env = AllocateParallelEnv(regions["s4"], scenario=scenario)
    rewards = played(env, share(ALL), window=1, seed=2)
    summary = env.summary()
    assert set(summary) == {metric.name for metric in TRACK.metrics} | {"reward", "decisions"}
    assert summary["decisions"] == len(rewards)
    assert sum(rewards) == pytest.approx(summary["reward"], abs=1e-9)
    assert summary["completion"] > 0.3


def test_offering_nothing_always_is_the_worst_that_can_be_done(regions):
    env = AllocateParallelEnv(regions["s1"])
    ends = {value: sum(played(env, share(value), window=0, seed=3)) for value in (0.0, 0.5, ALL)}
    assert ends[0.0] == pytest.approx(-50.0, abs=1e-6)
    assert ends[0.0] < ends[0.5] < ends[ALL]


def test_the_broker_takes_the_tightest_offer():
    job = toy_jobs(toy_job(0.5, payload_mb=0.5))
    assert reward_of([3.0, 2.0, 4.0], job, [])[1]["site"][0] == 1
    assert reward_of([3.0, 2.0, 4.0], job, [[ALL, 0.4, 0.3]])[1]["site"][0] == 2, "1.2 of 4 are less waste than 3 of 3"
    assert reward_of([3.0, 2.0], job, [[0.3, 0.4], [0.3, ALL]])[1]["tries"][0] == 0


def test_higher_priorities_are_given_out_first():
    jobs = toy_jobs(toy_job(0.2, slack_s=1.5), toy_job(0.4, slack_s=1.5, priority=3))
    status = reward_of([1.0], jobs, [])[1]["status"].tolist()
    assert [one == DONE for one in status] == [False, True]


def test_to_keep_back_is_right_where_the_broker_would_send_a_far_job_here():
    """Site 1 fits job 0 best, but 2 s away; its own job of priority 3, a tick later, would find no room."""
    jobs = toy_jobs(toy_job(0.5, payload_mb=2.0), toy_job(1.5, origin=1, priority=3, slack_s=1.2, payload_mb=9.0))
    generous, status = reward_of([2.0, 1.0], jobs, [])
    assert status["site"][0] == 1
    hoarding, status = reward_of([2.0, 1.0], jobs, [[ALL, 0.0]])
    assert status["site"].tolist() == [0, 1]
    assert hoarding > generous + 50.0


def test_a_site_that_is_down_offers_nothing():
    sites, job = toy_sites([1.0, 2.0]), toy_jobs(toy_job(0.5))
    assert reward_of([1.0, 2.0], job, [], quiet_world(sites, {0: (0, 9)}))[1]["site"][0] == 1


def test_state_is_what_all_see(regions):
    env = AllocateParallelEnv(regions["s1"])
    observed, _ = env.reset(seed=1)
    assert (env.state() == np.stack([observed[agent] for agent in env.agents])).all()
    assert env.state_space.contains(env.state())


@pytest.mark.parametrize("offer", [np.full(4, 1.1), np.full(4, np.nan), np.full(3, 0.5), None, "all"], ids=repr)
def test_a_wrong_offer_is_refused(regions, offer):
    env = AllocateParallelEnv(regions["s1"])
    env.reset(seed=0)
    with pytest.raises(EdgeBenchError, match="offer"):
        env.step({agent: offer for agent in env.agents})


def test_the_wrong_time_is_refused(regions):
    env = AllocateParallelEnv(regions["s1"])
    with pytest.raises(EdgeBenchError, match="over"):
        env.step({})
    with pytest.raises(EdgeBenchError, match="not over"):
        env.summary()
    env.reset(seed=0)
    with pytest.raises(EdgeBenchError, match="not one action an agent"):
        env.step({"site_0": np.ones(4)})
