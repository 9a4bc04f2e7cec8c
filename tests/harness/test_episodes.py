import numpy as np
import pytest
from harness_toy import DECISIONS, HEALTHY, METRICS, FakeEnv, FakeRegion

from edgebench.errors import EdgeBenchError
from edgebench.harness.episodes import STATUSES, EpisodeKey, Setting, run_episode
from edgebench.harness.process import AgentProcess, Budgets

SETTING = Setting(FakeRegion(), "route", "trap", "test")
SHORT = Budgets(decision_wall_s=0.4)

HOSTILE = {
    "returns NaN": ("return float('nan')", "invalid"),
    "returns a string": ("return 'first'", "invalid"),
    "returns nothing": ("return None", "invalid"),
    "out of range": ("return 32", "invalid"),
    "negative": ("return -1", "invalid"),
    "masked": ("return 9", "invalid"),
    "raises": ("raise ValueError('no')", "error"),
    "exits": ("sys.exit()", "error"),
    "exits hard": ("os._exit(0)", "error"),
    "sleeps for ever": ("time.sleep(1e6)", "timeout"),
}


def play(source, env=None, window=1, seed=2):
    with AgentProcess(source, SHORT) as agent:
        return run_episode(env or FakeEnv(), agent, SETTING, window=window, seed=seed)


def test_a_whole_episode_is_ok(agent_source):
    env = FakeEnv()
    result = play(agent_source(HEALTHY), env)
    assert (result.key, result.status, result.detail) == (EpisodeKey("toy", "trap", 1, 2), "ok", "")
    assert env.options == {"window": 1, "seed": 2} and env.actions == [4] * DECISIONS
    assert set(result.metrics) == set(METRICS)
    assert result.metrics["utility"] == pytest.approx(0.412)
    assert result.metrics["decision_cpu_ms"] >= 0.0


@pytest.mark.parametrize("name", HOSTILE)
def test_every_failure_ends_in_its_status_and_scores_the_floor(agent_source, name):
    statement, status = HOSTILE[name]
    result = play(agent_source(f"import os, sys, time\ndef act(observation, info):\n    {statement}\n"))
    assert result.status == status and status in STATUSES and result.detail
    assert (result.metrics["utility"], result.metrics["success"]) == (0.0, 0.0)
    assert all(result.metrics[metric] is None for metric in set(METRICS) - {"utility", "success"})


@pytest.mark.parametrize("statement", ["print('x' * 2**20)", "os.fork()"])
def test_rude_is_not_wrong(agent_source, statement):
    assert play(agent_source(f"import os\ndef act(observation, info):\n    {statement}\n    return 0\n")).status == "ok"


def test_one_bad_episode_leaves_the_others_alone(agent_source):
    source = agent_source("""
        import os
        class Agent:
            def reset(self, info):
                self.bad = info["seed"]
                self.first = True
            def act(self, observation):
                bad = self.bad % 3
                if bad == 0:
                    os._exit(1)
                if bad == 1:
                    return 31
                return 0
    """)
    with AgentProcess(source, SHORT) as agent:
        results = [run_episode(FakeEnv(), agent, SETTING, window=0, seed=seed) for seed in range(12)]
        again = [run_episode(FakeEnv(), agent, SETTING, window=0, seed=seed) for seed in range(12)]
    assert {result.status for result in results} == {"ok", "invalid", "error"}
    assert [result.status for result in again] == [result.status for result in results]


def test_the_agent_is_told_no_more_than_the_public_part(agent_source):
    source = agent_source("""
        class Agent:
            def reset(self, info):
                assert set(info) == {"track", "region", "edition", "scenario", "split", "seed", "topology"}, info
                assert set(info["topology"]) == {"nodes.compute", "links.latency_ms"}
            def act(self, observation, info):
                assert set(observation) == {"candidates", "task", "action_mask"}
                assert set(info) == {"action_mask", "instances", "node", "stage"}
                return 0
    """)
    assert play(source).status == "ok"


def test_an_environment_without_finite_figures_is_a_defect(agent_source):
    with pytest.raises(EdgeBenchError, match="no finite jain"):
        play(agent_source(HEALTHY), FakeEnv(wrong={"jain": np.nan}))
