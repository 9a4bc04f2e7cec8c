"""RLlib's PPO on its new API stack trains on Route as it is. Starting Ray is most of the time."""

import pytest
from weights import copied, same

# Every algorithm built after the first registers RLlib's own id `rllib-single-agent-env-v0` again.
pytestmark = pytest.mark.filterwarnings("ignore:.*Overriding environment rllib-:UserWarning")
STEPS = 256


@pytest.fixture
def module(example, ray_here):
    return example("rllib_ppo", "ray")


def test_training_moves_the_weights_takes_valid_actions_and_is_repeated_by_the_same_seed(module, taken, capsys):
    def trained(seed):
        algorithm = module.train("s4", STEPS, seed)
        weights = copied(algorithm.get_module())
        algorithm.stop()
        return weights

    def untrained(seed):
        algorithm = module.config("s4", STEPS, seed).build_algo()
        weights = copied(algorithm.get_module())
        algorithm.stop()
        return weights

    assert same(untrained(3), untrained(3)), "else the next comparison with trained weights says nothing"
    first, second, other = (trained(seed) for seed in (3, 3, 4))
    assert len(taken) == 3 * STEPS
    assert all(taken)
    assert not same(first, other)
    assert same(first, second)
    assert not same(first, untrained(3))
    module.main.callback(region="s1", steps=64, seed=0)
    printed = capsys.readouterr().out.split()
    assert {"trained", "random-valid"} <= set(printed)
