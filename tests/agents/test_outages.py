"""What the reference agents make of nodes that telemetry calls down; without outages they decide as ever."""

import hashlib
import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebench.constants import CANDIDATES
from edgebench.envs import make_env
from edgebench.harness.rollout import reset_info, roll, takes_info
from edgebench.registry import REGIONS, SCENARIOS
from edgebench.tracks.route.features import CANDIDATE, F, T
from reference_agents.route.scoring import pick
from reference_agents.route.tuned import WEIGHTS, choose, read_weights
from reference_agents.route.tuned_search import TunedRuns

DECISIONS = {
    "fastest_node": "e0caa800b6047e0a406e092679710ab4f7fd5102848942d9abac1d575caff3df",
    "greedy_estimate": "6ca295811355f4c1e38bd3af70561c956265608a9e49442676986b84b92629d0",
    "highest_quality": "6c17d4132220e1d04125724a2bd3429d607b65ce1afb8411c80358f1f6192f23",
    "least_loaded": "8233f749483b8662b34950a51d0914d0c987d769808e9dec69eb610949119e54",
    "lookahead": "2b736523aecb8c3865cd25c3241a7747de8839aa8e1864d39ad9d0efbf3cdc69",
    "nearest": "7081ba3d8887be22551f56b5f50da675bda7dd02f40e9fcb150ac84fccbe387f",
    "random_valid": "f77d69528c218851dc8b827a5f5e45e28d8a140b2dbb10527557c24a33f5e6b0",
    "tuned": "ac5531512dd3510bb8d7ff660f562bfed1cdd0893119bb43e7b30944c5e8fe1b",
}
"""SHA-256 of every agent's actions in an episode of each scenario without outages, recorded before they knew of any."""
WITHOUT_OUTAGES = [name for name, scenario in SCENARIOS.items() if not scenario.outage_enter]
DOWN = CANDIDATE["down"]


def agent_of(name):
    return importlib.import_module(f"reference_agents.route.{name}").Agent()


def decisions(agent, region, scenario, *, window, seed):
    """Observation and action of every decision of an episode."""
    env, with_info = make_env("route", region, scenario=scenario, split="test"), takes_info(agent.act)
    agent.reset(reset_info(region, track="route", scenario=scenario, split="test", window=window, seed=seed))
    observation, info = env.reset(options={"window": window, "seed": seed})
    over = False
    while not over:
        action = int(agent.act(observation, info) if with_info else agent.act(observation))
        yield observation, action
        observation, _, over, _, info = env.step(action)


@pytest.mark.parametrize("name", DECISIONS)
def test_without_outages_every_decision_is_the_recorded_one(regions, name):
    taken, agent = hashlib.sha256(), agent_of(name)
    for scenario in WITHOUT_OUTAGES:
        for observation, action in decisions(agent, regions["s1"], scenario, window=1, seed=2):
            assert not observation["candidates"][DOWN].any()
            taken.update(bytes([action]))
    assert taken.hexdigest() == DECISIONS[name]


@pytest.mark.parametrize("name", sorted(DECISIONS.keys() - {"random_valid"}))
@pytest.mark.parametrize("region", REGIONS)
def test_a_node_that_is_known_to_be_down_is_left_alone(regions, name, region):
    met = 0
    for observation, action in decisions(agent_of(name), regions[region], "outage", window=0, seed=1):
        down, mask = observation["candidates"][DOWN], observation["action_mask"]
        assert mask[action]
        assert not down[action] or down[mask > 0].all()
        met += down.any()
    assert met > 0


def test_random_valid_draws_from_all_that_are_valid(regions):
    taken = list(decisions(agent_of("random_valid"), regions["s1"], "outage", window=0, seed=1))
    assert any(observation["candidates"][DOWN, action] for observation, action in taken)


masks = arrays(np.int8, CANDIDATES, elements=st.integers(0, 1)).filter(lambda mask: mask.any())
rows = arrays(np.float32, (F, CANDIDATES), elements=st.floats(0, 10, width=32))
downs = arrays(np.bool_, CANDIDATES) | st.just(np.ones(CANDIDATES, bool))


@given(rows=rows, mask=masks, down=downs)
def test_picking_and_choosing_go_by_one_rule(rows, mask, down):
    rows[DOWN] = down
    observation = {"candidates": rows, "action_mask": mask}
    quality = np.zeros(len(WEIGHTS))
    quality[0] = 1.0
    chosen = choose(rows, np.ones(T, np.float32), mask, np.zeros(CANDIDATES), quality)
    assert chosen == pick(rows[CANDIDATE["quality"]].astype(float), observation)
    assert mask[chosen] and (not down[chosen] or down[mask > 0].all())


def test_compiled_episodes_equal_the_environment_in_outages(regions):
    episodes, weights = [(0, 1), (3, 4)], read_weights("s1")
    env = make_env("route", regions["s1"], scenario="outage", split="test")
    rolled = [metrics["utility"] for metrics in roll(env, agent_of("tuned"), episodes)]
    compiled = TunedRuns(regions["s1"], "test", "outage").utility(weights, episodes)
    assert compiled == pytest.approx(np.mean(rolled), abs=1e-12)
