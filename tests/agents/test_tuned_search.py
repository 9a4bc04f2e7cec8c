"""The search finds the kept weights again, and its compiled episodes are the environment's."""

from __future__ import annotations

import numpy as np
import pytest
from grids import EVERY_CASE, SELDOM

from edgebench.envs import make_env
from edgebench.harness.rollout import roll
from reference_agents.route.tuned import WEIGHTS, Agent, read_weights
from reference_agents.route.tuned_search import WITHOUT, TunedRuns, search


@pytest.mark.skipif(not EVERY_CASE, reason=SELDOM)
@pytest.mark.parametrize("name", ["s4"])
def test_the_kept_weights_are_found_again(regions, name: str) -> None:
    assert search(regions[name], "trap").tolist() == read_weights(name).tolist()


def test_compiled_episodes_equal_the_environment(regions) -> None:
    episodes = [(0, 0), (2, 3)]
    weights = read_weights("s2")
    env = make_env("route", regions["s2"], scenario="trap", split="test")
    rolled = [metrics["utility"] for metrics in roll(env, Agent(weights), episodes)]
    assert TunedRuns(regions["s2"], "test", "trap").utility(weights, episodes) == pytest.approx(
        np.mean(rolled), abs=1e-12
    )


@pytest.mark.parametrize("without", sorted(WITHOUT))
def test_a_blind_policy_decides_otherwise(regions, without: str) -> None:
    episodes, weights = [(0, 0), (1, 1)], read_weights("s3")
    whole = TunedRuns(regions["s3"], "test", "trap").utility(weights, episodes)
    assert TunedRuns(regions["s3"], "test", "trap", without).utility(weights, episodes) != whole


def test_a_region_without_weights_takes_the_mean(regions) -> None:
    mean = np.mean([read_weights(name) for name in regions], axis=0)
    assert read_weights("elsewhere") == pytest.approx(mean)
    assert mean.shape == (len(WEIGHTS),)
