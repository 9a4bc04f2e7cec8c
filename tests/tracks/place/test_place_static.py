"""One placement, one step: the same figures as editing up to it, and what an invalid matrix costs."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from edgebench.errors import EdgeBenchError
from edgebench.tracks.place.constants import ROUTER_LOST_MS, SLOTS
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.static import PlaceStaticEnv
from reference_agents.place import packing

PINNED = {"window": 1, "seed": 8}


@pytest.fixture(scope="module")
def env(regions):
    return PlaceStaticEnv(regions["s1"], split="test")


def test_gymnasiums_own_check_passes(env):
    check_env(env, skip_render_check=True)


def test_it_scores_as_editing_up_to_the_placement_does(regions, env):
    stepped, agent = PlaceEnv(regions["s1"], split="test"), packing.Agent()
    agent.reset({})
    observed, _ = stepped.reset(options=PINNED)
    over = False
    while not over:
        observed, _, _, over, _ = stepped.step(agent.act(observed))
    env.reset(options=PINNED)
    *_, reward, terminated, truncated, _ = env.step(observed["placement"])
    assert terminated
    assert not truncated
    expected = stepped.summary() | {"decisions": 1.0}
    assert env.summary() == pytest.approx(expected)
    assert reward == pytest.approx(expected["reward"])
    assert expected["relative_speed"] > 1.0


@pytest.mark.parametrize("fault", ["an expert is nowhere", "a device holds too many"])
def test_an_invalid_placement_is_refused_and_every_batch_waits(env, fault):
    observed, _ = env.reset(options=PINNED)
    placement = observed["placement"].copy()
    if fault == "an expert is nowhere":
        placement[3] = 0
    else:
        placement[:, 2] = 1
    env.step(placement)
    wrong = env.summary()
    env.reset(options=PINNED)
    env.step(observed["placement"])
    assert env.summary()["relative_speed"] == pytest.approx(1.0)
    assert wrong["latency_mean_ms"] == pytest.approx(env.summary()["latency_mean_ms"] + ROUTER_LOST_MS)
    assert wrong["success"] == 0.0
    assert wrong["reward"] < -0.1 * SLOTS


@pytest.mark.parametrize("action", [np.zeros((64, 7), int), np.full((64, 8), 2), np.full((64, 8), 0.5), None], ids=str)
def test_what_is_no_placement_is_an_error(env, action):
    env.reset(seed=0)
    with pytest.raises(EdgeBenchError, match="the action is"):
        env.step(action)


def test_a_second_step_and_an_early_summary_are_refused(regions):
    env = PlaceStaticEnv(regions["s4"])
    for call in (env.summary, lambda: env.step(np.zeros((64, 8), np.int8))):
        with pytest.raises(EdgeBenchError, match="over"):
            call()
    observed, _ = env.reset(seed=1)
    env.step(observed["placement"])
    with pytest.raises(EdgeBenchError, match="over"):
        env.step(observed["placement"])
