"""TorchRL's GymWrapper, ClipPPOLoss and MaskedCategorical train on Route as it is. Some 10 s on two loaded cores."""

import pytest
from weights import copied, same

# TorchRL defines classes on a base that it has deprecated itself: raised on import, whatever one imports.
pytestmark = pytest.mark.filterwarnings("ignore:Creating .* which inherits from WeightUpdaterBase:DeprecationWarning")
STEPS = 512


@pytest.fixture
def module(example):
    return example("torchrl_ppo", "torchrl")


def test_training_moves_the_weights_and_the_same_seed_repeats_it(module, taken):
    import torch

    first, second, other = (copied(module.train("s4", STEPS, seed)) for seed in (3, 3, 4))
    assert len(taken) == 3 * STEPS
    assert all(taken)
    assert same(first, second)
    assert not same(first, other)
    torch.manual_seed(3)
    assert not same(first, copied(module.make_actor()))


def test_the_wrapped_environment_keeps_its_specs(module):
    import gymnasium
    from torchrl.envs import ActionMask, GymWrapper, TransformedEnv, check_env_specs

    wrapped = GymWrapper(gymnasium.make("EdgeBench/Route-S4-v0"), categorical_action_encoding=True)
    check_env_specs(wrapped)
    rollout = TransformedEnv(wrapped, ActionMask()).rollout(100)
    assert (rollout["action_mask"].gather(1, rollout["action"].unsqueeze(-1)) == 1).all()


def test_the_example_prints_the_trained_policy_beside_random_valid(module, capsys):
    module.main.callback(region="s1", steps=64, seed=0)
    printed = capsys.readouterr().out.split()
    assert {"trained", "random-valid"} <= set(printed)
    assert 0.0 < float(printed[-1]) < 1.0
