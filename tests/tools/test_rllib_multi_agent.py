"""RLlib's PPO trains one policy for several gateways through its own PettingZoo wrapper."""

import pytest
from weights import copied, same

# Every algorithm built after the first registers RLlib's own id `rllib-multi-agent-env-v0` again.
pytestmark = pytest.mark.filterwarnings("ignore:.*Overriding environment rllib-:UserWarning")
STEPS = 128


@pytest.fixture
def module(example, ray_here):
    pytest.importorskip("pettingzoo", reason="needs pettingzoo: pip install edgebench[marl]")
    return example("rllib_multi_agent", "ray")


@pytest.fixture
def rounds(monkeypatch):
    """Of every round played in this process, whether each gateway's action was valid."""
    from edgebench.tracks.route.parallel import RouteParallelEnv

    record, step = [], RouteParallelEnv.step

    def recording_step(self, actions):
        masks = {agent: self._info(row)["action_mask"] for row, agent in enumerate(self.agents)}
        record.append([bool(masks[agent][int(action)]) for agent, action in actions.items()])
        return step(self, actions)

    monkeypatch.setattr(RouteParallelEnv, "step", recording_step)
    return record


def test_training_moves_the_weights_takes_valid_actions_and_is_repeated_by_the_same_seed(module, rounds, capsys):
    def weights(seed, make):
        algorithm = make("s4", STEPS, seed)
        kept = copied(algorithm.get_module(module.POLICY))
        algorithm.stop()
        return kept

    def untrained(*arguments):
        return module.config(*arguments).build_algo()

    assert same(weights(3, untrained), weights(3, untrained)), "else the next comparison says nothing"
    first, second, other = (weights(seed, module.train) for seed in (3, 3, 4))
    assert len(rounds) >= 3 * STEPS
    assert all(len(valid) == module.GATEWAYS and all(valid) for valid in rounds)
    assert same(first, second)
    assert not same(first, other)
    assert not same(first, weights(3, untrained))
    module.main.callback(region="s1", steps=64, seed=0)
    printed = capsys.readouterr().out.split()
    assert {"trained", "random-valid"} <= set(printed)
    assert 0.0 < float(printed[-1]) < 1.0
