"""The formulas one by one, worked by hand."""

import math

import numpy as np
import pytest

from edgebench.compat import mean_scores, topofreerl, vamappo


def rng():
    return np.random.default_rng(7)


def test_vamappo_time_and_reward():
    time = vamappo.stage_time(100.0, np.array([50.0]), np.array([0.8]), np.array([10.0]))
    assert time == pytest.approx([2.0 + 0.4 + 1.0 + 1.0])
    assert vamappo.stage_reward(0.25, 0.75, np.array([0.8]), time) == pytest.approx([0.2 + 0.75 * (1 - 0.0044)])
    assert vamappo.stage_reward(0.0, 1.0, np.array([0.8]), np.array([950.0])) == pytest.approx([0.1])


def test_vamappo_load():
    assert vamappo.load_after(0.2, 100.0, 50.0, last=False) == pytest.approx((0.2 + 0.2) * 0.9)
    assert vamappo.load_after(0.2, 100.0, 50.0, last=True) == pytest.approx(0.4)


def test_vamappo_distance_is_a_great_circle():
    km = vamappo.distance_km(47.0, 8.0, np.array([48.0, 47.0]), np.array([8.0, 8.0]))
    assert km == pytest.approx([6371.0 * math.pi / 180.0, 0.0])


def test_vamappo_greedy_earns_the_best_scores_and_a_full_server_ends_the_task(toy):
    """Stage 1 goes to c (score 1), 2 and 3 to b (0.9); a size that fills b leaves a for stage 3."""
    light = vamappo.score(toy("vamappo", sizes=(1.0,)), "greedy-reward", rng())
    assert light.success == 1.0 and light.earned == light.episode_return
    assert light.earned == pytest.approx(0.4 * (1.0 + 0.9 + 0.9) + 0.6 * 3, abs=0.02)
    heavy = vamappo.score(toy("vamappo", sizes=(400.0,)), "greedy-reward", rng())
    assert heavy.success == 1.0
    assert light.earned - heavy.earned == pytest.approx(0.4 * (0.9 - 0.5), abs=0.05)


def test_vamappo_pays_one_for_a_task_that_cannot_go_on(toy):
    data = toy("vamappo", sizes=(400.0,))
    data = data.with_table("models", data.models.filter(data.models["server"] == "b"))
    score = vamappo.score(data, "greedy-reward", rng())
    assert score.success == 0.0
    assert score.episode_return == pytest.approx(score.earned + 1.0)
    assert 0.8 < score.earned < 1.0


def test_topofreerl_compute_cost_and_reward():
    assert topofreerl.compute_ms(100.0, np.array([0.5])) == pytest.approx([100.0])
    assert topofreerl.cost_factor(np.array([47.0]), np.array([8.0]), np.array([0.25])) == pytest.approx([2.8])
    assert topofreerl.cost_factor(np.array([47.5]), np.array([8.0]), np.array([1.0])) == pytest.approx([0.5])
    assert topofreerl.reward(0.0, 0.0) == 0.0
    assert topofreerl.reward(2500.0, 0.00045) == pytest.approx(-0.9)
    assert topofreerl.reward(1e9, 1e9) == pytest.approx(-3.4)
    assert topofreerl.network_cost_usd(256.0, 100.0) == pytest.approx(0.015)


@pytest.mark.parametrize(("size", "tokens"), [(1.0, 0), (100.0, 100), (251.0, 250)])
def test_topofreerl_tokens(size, tokens):
    assert topofreerl.token_count(size) == tokens


@pytest.mark.parametrize(("km", "tokens", "least", "most"), [(0.1, 250, 5.015, 5.03), (10, 250, 5.07, 5.12),
                                                            (100, 250, 5.5, 5.65), (300, 250, 6.5, 6.9)])  # fmt: skip
def test_topofreerl_channel_means(km, tokens, least, most):
    drawn = topofreerl.channel_ms(np.full(20_000, float(km)), float(tokens), rng())
    assert least < drawn.mean() < most
    assert drawn.min() >= 5.0 + 0.005 * km


def test_topofreerl_link_and_trap_add_ons(toy, trap_b):
    plain, trapped = topofreerl.Model(toy("topofreerl")), topofreerl.Model(toy("topofreerl", traps=trap_b))
    servers = np.array([0, 1, 2])
    assert plain.add_on_ms(-1, servers, 100.0).tolist() == [0, 0, 0]
    assert plain.add_on_ms(0, servers, 100.0).tolist() == [0, 0.3, 0]
    assert trapped.add_on_ms(-1, servers, 100.0).tolist() == [0, 100, 0]
    assert trapped.add_on_ms(1, servers, 100.0).tolist() == [100, 100, 100]
    assert trapped.add_on_ms(0, servers, 200.0).tolist() == [0, 200, 0]


def test_topofreerl_prices_a_trap_by_its_own_multiplier(toy, trap_b):
    plain, trapped = topofreerl.Model(toy("topofreerl")), topofreerl.Model(toy("topofreerl", traps=trap_b))
    assert trapped.usd_per_token[3] == pytest.approx(0.0015e-3 * 1.2)
    assert trapped.usd_per_token[:3] == pytest.approx(plain.usd_per_token[:3])


def test_topofreerl_policies(toy, trap_b):
    data = toy("topofreerl", traps=trap_b)
    estimate = topofreerl.score(data, "greedy-estimate", rng())
    assert estimate.trap_rate == 0.0
    compute = topofreerl.score(data, "greedy-compute", rng())
    assert compute.trap_rate == 0.0
    random = topofreerl.score(data, "random-valid", rng())
    assert random.latency_ms > estimate.latency_ms


@pytest.mark.parametrize("system", ["vamappo", "topofreerl"])
def test_the_same_generator_gives_the_same_scores(toy, system):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (mean_scores(toy(system), "test", range(2)) for _ in range(2))
    assert first == second
    assert first["random-valid"] != mean_scores(toy(system), "test", range(2, 4))["random-valid"]
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
