"""The compiled core against the oracle: rewards, observations and metrics, step by step, in every scenario."""

import numpy as np
import pytest
from offload_oracle import OffloadOracle

from edgebench.registry import SCENARIOS
from edgebench.tracks.offload.draws import uniforms
from edgebench.tracks.offload.env import OffloadEnv
from reference_agents.offload import proportional, random_valid


def mixed_play(agents, observation, slot):
    """Random in one part of the episode, a heuristic in another, and rows that are not quite shares in between."""
    if slot < 40:
        return agents[0].act(observation)
    if slot < 100:
        return agents[1].act(observation)
    odd = uniforms(slot, 1, observation["action_mask"].size, 1).reshape(observation["action_mask"].shape)
    return np.where(odd < 0.3, 0.0, odd).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "scenario"), [*(("s1", scenario) for scenario in SCENARIOS), ("s4", "trap"), ("s4", "outage")]
)
def test_core_and_oracle_agree_step_by_step(regions, name, scenario):
    env = OffloadEnv(regions[name], scenario=scenario, split="test")
    oracle = OffloadOracle(regions[name], SCENARIOS[scenario], split="test", window=1, seed=3)
    agents = random_valid.Agent(), proportional.Agent()
    for agent in agents:
        agent.reset({"seed": 5})
    observation, _ = env.reset(options={"window": 1, "seed": 3})
    over = False
    while not over:
        if oracle.slot % 7 == 0:  # queues and telemetry of either parity
            check_observation(observation, oracle)
        action = mixed_play(agents, observation, oracle.slot)
        observation, reward, _, over, _ = env.step(action)
        assert reward == pytest.approx(oracle.step(action), abs=1e-9)
    check_observation(observation, oracle)
    figures = env.summary()
    assert figures == pytest.approx({**oracle.metrics(), "reward": figures["reward"], "decisions": 120.0}, abs=1e-9)
    assert figures["reward"] == pytest.approx(120.0 * figures["value"], abs=1e-6)


def check_observation(observation, oracle):
    rows = np.array([oracle.node_row(node) for node in range(oracle.size)])
    np.testing.assert_allclose(observation["nodes"], rows, rtol=1e-5, atol=1e-6)
    for node, columns in enumerate(oracle.columns):
        rows = np.array([oracle.neighbour_row(node, column) for column in columns])
        np.testing.assert_allclose(observation["neighbours"][node, : len(columns)], rows, rtol=1e-5, atol=1e-6)
        assert not observation["neighbours"][node, len(columns) :].any()
        assert observation["action_mask"][node].tolist() == [int(c <= len(columns) or c == 9) for c in range(10)]
