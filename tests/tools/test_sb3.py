"""Stable-Baselines3 PPO and sb3-contrib MaskablePPO train on Route as it is. Some 10 s each on two loaded cores."""

import numpy as np
import pytest
from weights import copied, same

STEPS = 256
CASES = [("sb3_ppo", "stable_baselines3"), ("maskable_ppo", "sb3_contrib")]


@pytest.fixture(params=CASES, ids=[package for _, package in CASES])
def module(request, example):
    return example(*request.param)


def test_training_moves_the_weights_and_the_same_seed_repeats_it(module, taken):
    first, second, other = (module.train("s1", STEPS, seed) for seed in (3, 3, 4))
    assert len(taken) == 3 * STEPS == 3 * first.num_timesteps
    assert same(copied(first.policy), copied(second.policy))
    assert not same(copied(first.policy), copied(other.policy))
    untrained = type(first)("MultiInputPolicy", first.get_env(), seed=3, device="cpu")
    assert not same(copied(first.policy), copied(untrained.policy))


def test_maskable_ppo_takes_valid_actions_only(example, taken):
    model = example("maskable_ppo", "sb3_contrib").train("s4", STEPS, 0)
    assert len(taken) == STEPS
    assert all(taken)
    masks = model.rollout_buffer.action_masks.reshape(STEPS, -1)
    assert masks.min() == 0
    assert np.take_along_axis(masks, model.rollout_buffer.actions.reshape(STEPS, 1).astype(int), axis=1).all()


def test_ppo_without_masks_meets_invalid_actions(example, taken):
    example("sb3_ppo", "stable_baselines3").train("s1", STEPS, 0)
    assert not all(taken)


def test_an_example_prints_the_trained_policy_beside_random_valid(example, capsys):
    example("maskable_ppo", "sb3_contrib").main.callback(region="s1", steps=64, seed=0)
    printed = capsys.readouterr().out.split()
    assert {"trained", "random-valid"} <= set(printed)
    assert 0.0 < float(printed[-1]) < 1.0
