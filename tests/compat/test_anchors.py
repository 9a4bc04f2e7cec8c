"""What was measured on the original environments and data comes out of the formulas here."""

import pytest

from builders.importers.region import read_as_is
from edgebench.compat import mean_scores

RETURNS = {
    1: (4.77, 4.79, 3.97),
    2: (4.71, 4.74, 3.91),
    3: (4.71, 4.74, 3.79),
    4: (4.77, 4.79, 3.98),
}
"""Per topology: least and most return of the reward-greedy policy, and that of the random-valid one."""


@pytest.mark.parametrize("topology", list(RETURNS))
def test_vamappo_returns(originals, topology):
    least, most, random = RETURNS[topology]
    scores = mean_scores(read_as_is("vamappo", originals / "vamappo" / f"Server{topology}"), "test", range(5))
    assert least - 0.005 <= scores["greedy-reward"]["episode_return"] <= most + 0.005
    assert scores["random-valid"]["episode_return"] == pytest.approx(random, abs=0.05)


@pytest.fixture(scope="module")
def topofreerl_scores(originals):
    return mean_scores(read_as_is("topofreerl", originals / "topofreerl" / "Server1_Trap"), "test", range(3))


def test_topofreerl_greedy_estimate(topofreerl_scores):
    scores = topofreerl_scores["greedy-estimate"]
    assert scores["latency_ms"] == pytest.approx(719.9, abs=1.0)
    assert scores["compute_usd"] == pytest.approx(0.0200, abs=0.0001)
    assert scores["network_usd"] == pytest.approx(0.0040, abs=0.0001)
    assert scores["trap_rate"] == 0.0


def test_topofreerl_random_valid(topofreerl_scores):
    scores = topofreerl_scores["random-valid"]
    assert scores["latency_ms"] == pytest.approx(1327.5, rel=0.02)
    assert scores["compute_usd"] == pytest.approx(0.0498, rel=0.03)


def test_topofreerl_greedy_compute_always_meets_a_trap(topofreerl_scores):
    """The network's cost follows a coin of 100 or 200 ms, thrown 1,000 times a seed."""
    scores = topofreerl_scores["greedy-compute"]
    assert scores["trap_rate"] == 1.0
    assert scores["network_usd"] == pytest.approx(0.1188, rel=0.04)
    assert scores["latency_ms"] == pytest.approx(1424.8, rel=0.02)
    assert scores["compute_usd"] == pytest.approx(0.0294, rel=0.01)
