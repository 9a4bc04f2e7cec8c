"""Every reference agent makes valid edits in every scenario, holds to its description and keeps within its budget."""

import importlib
import time

import numpy as np
import pytest

from edgebench.harness.process import Budgets
from edgebench.harness.rollout import reset_info, takes_info
from edgebench.registry import SCENARIOS
from edgebench.tracks.place.constants import EXPERTS, LAYERS
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.gate import PLAN
from reference_agents.place.planning import edit_towards, pack, replicate_greedily

AGENTS = ("random-valid", *PLAN.trivial, *PLAN.heuristics)


def play(env, name, seed, window=0):
    """Every edit of an episode with the mask it was made under; the longest decision in seconds of CPU time."""
    agent = importlib.import_module(f"reference_agents.place.{name.replace('-', '_')}").Agent()
    names = {"track": "place", "scenario": env.scenario.name, "split": env.split}
    agent.reset(reset_info(env.region, window=window, seed=seed, **names))
    observed, info = env.reset(options={"window": window, "seed": seed})
    made, longest, over = [], 0.0, False
    while not over:
        begun = time.process_time()
        edit = agent.act(observed, info) if takes_info(agent.act) else agent.act(observed)
        longest = max(longest, time.process_time() - begun)
        made.append((edit, observed["action_mask"]))
        observed, _, _, over, info = env.step(edit)
    return made, longest


@pytest.mark.parametrize("name", AGENTS)
def test_edits_are_valid_in_every_scenario_and_decisions_within_the_budget(regions, name):
    for number, scenario in enumerate(SCENARIOS):
        env = PlaceEnv(regions["s4" if number % 2 else "s1"], scenario=scenario, split="test")
        made, longest = play(env, name, seed=number)
        for edit, mask in made:
            assert edit.shape == (3,)
            assert edit.dtype == np.int64
            assert mask[np.ravel_multi_index(tuple(edit), (EXPERTS * LAYERS, 3, 8))]
        assert longest < Budgets().decision_cpu_s


@pytest.mark.parametrize("name", ["random-valid", "eplb", "affinity-annealing"])
def test_an_episode_played_twice_is_the_same(regions, name):
    env = PlaceEnv(regions["s4"], split="test")
    first, second = ([edit.tolist() for edit, _ in play(env, name, 5, window=2)[0]] for _ in range(2))
    assert first == second


def test_copies_go_to_the_highest_load_a_copy():
    loads = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1]])
    assert replicate_greedily(loads, 3, 8).tolist() == [[2, 1, 1], [2, 2, 1]]
    assert replicate_greedily(loads, 9, 2).max() == 2


def test_packing_balances_what_rows_cost():
    loads, room = np.array([[0.4, 0.3, 0.2, 0.1]]), np.array([3, 3])
    placement = pack(np.ones((1, 4), np.int64), loads, np.array([1.0, 1.0]), room)
    assert (loads[0] @ placement).tolist() == pytest.approx([0.5, 0.5])
    quick = pack(np.ones((1, 4), np.int64), loads, np.array([4.0, 1.0]), room)
    assert (loads[0] @ quick)[1] > (loads[0] @ quick)[0]
    assert (quick.sum(axis=0) <= room).all()


@pytest.mark.parametrize("seed", range(5))
def test_edits_reach_any_placement_without_copies_before_the_first_batch(regions, seed):
    """And every edit on the way is valid."""
    env = PlaceEnv(regions["s2"])
    observed, _ = env.reset(options={"window": 0, "seed": seed})
    rng = np.random.default_rng(seed)
    places = rng.permutation(np.repeat(np.arange(8), env._simulation.devices.room))[: EXPERTS * LAYERS]
    target = np.zeros_like(observed["placement"])
    target[np.arange(EXPERTS * LAYERS), places] = 1
    for _ in range(96):
        edit = edit_towards(target, observed, np.ones(EXPERTS * LAYERS))
        assert observed["action_mask"][np.ravel_multi_index(tuple(edit), (EXPERTS * LAYERS, 3, 8))]
        observed, *_ = env.step(edit)
    assert (observed["placement"] == target).all()
