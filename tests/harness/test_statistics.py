import math

import numpy as np
import pytest
import scipy.stats
from harness_toy import FakeReferences
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edgebench.errors import EdgeBenchError
from edgebench.harness.statistics import (
    Scores,
    holm,
    iqm,
    normalise,
    paired_difference,
    paired_differences,
    performance_profile,
    probabilities_of_improvement,
    probability_of_improvement,
    rank_intervals,
    region_score,
    shared_ranks,
    sign_flip_test,
    to_rliable,
    total_score,
    worst_region,
    worst_share,
)


def scores(**regions):
    """Scores from lists of episodes (or of runs of episodes) per region."""
    values = {name: np.atleast_2d(np.array(given, float)) for name, given in regions.items()}
    return Scores({name: tuple((0, seed) for seed in range(v.shape[1])) for name, v in values.items()}, values)


def noisy(mean, spread=0.1, episodes=20, regions=4, phase=0.0):
    wave = mean + spread * np.sin(np.arange(episodes) * 2.3 + phase)
    return scores(**{f"r{number}": wave + 0.05 * number for number in range(regions)})


def test_the_random_agent_scores_zero_and_the_bound_one():
    low, high = 0.1 + 0.2, 0.7
    both = normalise(np.array([low, high, (low + high) / 2]), FakeReferences(low, high))
    assert both[0] == 0.0 and both[1] == 1.0 and both[2] == pytest.approx(0.5)
    assert normalise(np.array([2.0]), FakeReferences(0.0, 1.0))[0] == 2.0


@pytest.mark.parametrize(("random", "bound"), [(0.5, 0.5), (0.6, 0.5), (math.nan, 1.0), (0.0, math.inf)])
def test_a_bound_not_above_random_is_refused(random, bound):
    with pytest.raises(EdgeBenchError, match="not above"):
        normalise(np.array([0.5]), FakeReferences(random, bound))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], 3.0),
        ([1.0, 2.0], 1.5),
        ([9.0, 1.0, 2.0], 4.0),
        ([0.0, 1.0, 3.0, 100.0], 2.0),
        ([8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 4.5),
    ],
)
def test_the_interquartile_mean_by_hand(values, expected):
    assert iqm(np.array(values)) == expected


@settings(deadline=None)
@given(npst.arrays(float, st.integers(1, 30), elements=st.floats(-1e6, 1e6)))
def test_the_interquartile_mean_is_scipys_trimmed_mean(values):
    assert iqm(values) == pytest.approx(scipy.stats.trim_mean(values, 0.25), abs=1e-6)


def test_totals_by_hand():
    agent = scores(a=[0.0, 0.2], b=[0.5, 0.5], c=[0.8, 1.0], d=[0.2, 0.4])
    assert region_score(agent, "a").value == pytest.approx(0.1)
    assert total_score(agent).value == pytest.approx((0.5 + 0.3) / 2)
    assert worst_region(agent) == ("a", pytest.approx(0.1))
    assert worst_share(agent) == 0.0
    assert worst_share(agent, 0.25) == pytest.approx(0.1)


def test_training_runs_count_one_by_one():
    agent = scores(a=[[0.0, 0.2], [0.4, 0.6]], b=[[0.7, 0.9], [1.0, 1.0]])
    assert total_score(agent).value == pytest.approx((0.5 + 0.8) / 2)


def test_an_interval_without_spread_is_a_point():
    estimate = total_score(scores(a=[0.3] * 5, b=[0.3] * 5))
    assert estimate.low == pytest.approx(0.3) == estimate.high == estimate.value


def test_the_interval_of_two_episodes_by_hand():
    # of two episodes 0 and 1 the resampled mean is 0, 1/2, 1 with chances 1/4, 1/2, 1/4
    estimate = region_score(scores(a=[0.0, 1.0]), "a")
    assert (estimate.low, estimate.value, estimate.high) == (0.0, 0.5, 1.0)


def test_the_interval_agrees_with_scipys_stratified_bootstrap():
    agent = noisy(0.4)
    samples = [agent.values[name][0] for name in agent.regions]

    def statistic(*drawn, axis):
        return iqm(np.stack([part.mean(axis=axis) for part in drawn], axis=-1))

    theirs = scipy.stats.bootstrap(
        samples, statistic, method="percentile", rng=np.random.default_rng(1), n_resamples=10_000, vectorized=True
    ).confidence_interval
    ours = total_score(agent)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)


def test_several_training_runs_widen_the_interval():
    one = scores(a=[[0.5] * 6])
    several = scores(a=[[0.3] * 6, [0.5] * 6, [0.7] * 6])
    assert total_score(several).value == pytest.approx(total_score(one).value)
    assert total_score(several).high - total_score(several).low > 0.1 > total_score(one).high - total_score(one).low


def test_the_same_data_give_the_same_interval_and_another_seed_another():
    agent = noisy(0.4)
    assert total_score(agent) == total_score(noisy(0.4))
    assert total_score(agent, seed=1) != total_score(agent, seed=2)


def test_the_order_of_regions_changes_nothing():
    agent = noisy(0.4)
    turned = Scores(dict(reversed(agent.episodes.items())), dict(reversed(agent.values.items())))
    assert total_score(turned) == total_score(agent)
    assert paired_difference(turned, noisy(0.3)) == paired_difference(agent, noisy(0.3))


def test_pairing_sees_what_the_spread_hides():
    better, worse = noisy(0.42, spread=0.4), noisy(0.40, spread=0.4)
    difference = paired_difference(better, worse)
    assert difference.total.value == pytest.approx(0.02)
    assert difference.total.low == pytest.approx(0.02) == difference.total.high
    assert set(difference.regions) == set(better.regions)
    assert difference.regions["r0"].value == pytest.approx(0.02)
    assert total_score(worse).high > total_score(better).low


def test_differences_are_antisymmetric():
    one, other = noisy(0.5, phase=1.0), noisy(0.4)
    there, back = paired_difference(one, other).total, paired_difference(other, one).total
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))


@pytest.mark.parametrize("other", [noisy(0.4, episodes=19), noisy(0.4, regions=3)])
def test_unequal_episodes_are_refused(other):
    for compare in (paired_difference, sign_flip_test):
        with pytest.raises(EdgeBenchError, match=r"same episodes[\s\S]*region r\d, window 0, seed \d"):
            compare(noisy(0.4), other)
    with pytest.raises(EdgeBenchError, match="same episodes"):
        shared_ranks({"a": noisy(0.4), "b": other})


@pytest.mark.parametrize(
    ("episodes", "values", "message"),
    [
        ({}, {}, "or of none"),
        ({"a": ((0, 0),)}, {"b": np.zeros((1, 1))}, "different regions"),
        ({"a": ((0, 0),)}, {"a": np.array([[math.nan]])}, "not a finite"),
        ({"a": ((0, 0),)}, {"a": np.zeros((1, 2))}, "training runs, episodes"),
        ({"a": ((0, 0),)}, {"a": np.zeros(1)}, "training runs, episodes"),
        ({"a": ()}, {"a": np.zeros((1, 0))}, "training runs, episodes"),
        ({"a": ((0, 1), (0, 0))}, {"a": np.zeros((1, 2))}, "rising order"),
        ({"a": ((0, 0), (0, 0))}, {"a": np.zeros((1, 2))}, "rising order"),
    ],
)
def test_scores_that_cannot_be_averaged_are_refused(episodes, values, message):
    with pytest.raises(EdgeBenchError, match=message):
        Scores(episodes, values)


def test_the_exact_permutation_test_by_hand():
    # differences 1, 1, 1 all of one sign: 2 of the 8 exchanges are as extreme
    assert sign_flip_test(scores(a=[1.0, 2.0, 3.0]), scores(a=[0.0, 1.0, 2.0])) == 0.25
    assert sign_flip_test(scores(a=[1.0, 2.0]), scores(a=[1.0, 2.0])) == 1.0


@pytest.mark.parametrize("episodes", [8, 40])
def test_the_permutation_test_agrees_with_scipy(episodes):
    one, other = noisy(0.42, episodes=episodes, regions=1, phase=0.9), noisy(0.4, episodes=episodes, regions=1)
    theirs = scipy.stats.permutation_test(
        (one.values["r0"][0], other.values["r0"][0]),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=9999,
        rng=np.random.default_rng(3),
    ).pvalue
    assert sign_flip_test(one, other) == pytest.approx(theirs, abs=0.02)


def test_the_permutation_test_is_never_zero():
    assert 0.0 < sign_flip_test(noisy(0.9), noisy(0.1)) < 0.001


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [([], []), ([0.5], [0.5]), ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]), ([0.9, 0.8], [1.0, 1.0])],
)
def test_holm_by_hand(p_values, expected):
    assert holm(p_values) == pytest.approx(expected)


def test_ranks_are_shared_with_the_leader_of_the_group():
    wave = np.sin(np.arange(20) * 2.3)
    agents = {
        "best": scores(a=0.60 + 0.0 * wave),
        "tied": scores(a=0.59 + 0.1 * wave),
        "below": scores(a=0.40 + 0.0 * wave),
        "with below": scores(a=0.39 + 0.1 * wave),
        "last": scores(a=0.10 + 0.0 * wave),
    }
    expected = {"best": 1, "tied": 1, "below": 3, "with below": 3, "last": 5}
    assert shared_ranks(agents) == expected
    assert list(shared_ranks(agents).items()) == list(expected.items())
    assert shared_ranks(dict(reversed(agents.items()))) == expected


def test_equal_agents_share_a_rank_in_order_of_name():
    assert list(shared_ranks({"b": noisy(0.4), "a": noisy(0.4)}).items()) == [("a", 1), ("b", 1)]


def test_every_pair_is_the_paired_difference_of_the_two():
    agents = {"c": noisy(0.4, phase=1.0), "a": noisy(0.5), "b": noisy(0.45, spread=0.3)}
    found = paired_differences(agents)
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "c")]
    for (one, other), difference in found.items():
        assert difference == paired_difference(agents[one], agents[other])


def test_pairs_of_other_episodes_are_refused():
    with pytest.raises(EdgeBenchError, match="did not play the same episodes"):
        paired_differences({"a": noisy(0.5), "b": noisy(0.5), "c": noisy(0.5, episodes=19)})


def test_a_performance_profile_by_hand():
    found = performance_profile(scores(a=[0.1, 0.4], b=[0.2, 0.2, 0.9, 0.9]), np.array([0.0, 0.2, 0.5, 0.9]))
    assert found.tolist() == [1.0, 0.5, 0.25, 0.0]


def test_a_performance_profile_counts_every_training_run():
    assert performance_profile(scores(a=[[0.0, 1.0], [1.0, 1.0]]), np.array([0.5])).tolist() == [0.75]


def test_the_probability_of_improvement_by_hand():
    one, other = scores(a=[1.0, 3.0], b=[0.0, 0.0]), scores(a=[2.0, 3.0], b=[0.0, 1.0])
    # region a: 1 beats none, 3 beats 2 and ties 3: 1.5 of 4; region b: two ties of 4 pairs: 1 of 4
    assert probability_of_improvement(one, other).value == pytest.approx((1.5 / 4 + 1.0 / 4) / 2)
    assert probability_of_improvement(other, one).value == pytest.approx(1.0 - (1.5 / 4 + 1.0 / 4) / 2)
    assert probability_of_improvement(one, one).value == pytest.approx(0.5)


@settings(deadline=None, max_examples=20)
@given(npst.arrays(float, (2, 12), elements=st.floats(-1, 1).map(lambda value: round(value, 1))))
def test_the_probability_of_improvement_is_scipys_mann_whitney(values):
    one, other = scores(a=values[0]), scores(a=values[1])
    expected = scipy.stats.mannwhitneyu(values[0], values[1], method="asymptotic").statistic / 144.0
    found = probability_of_improvement(one, other)
    assert found.value == pytest.approx(expected)
    assert found.low <= found.value + 1e-9 and found.value <= found.high + 1e-9


def test_every_pair_has_its_probability_of_improvement():
    agents = {
        "c": noisy(0.4, phase=1.0),
        "a": noisy(0.5),
        "b": scores(**{f"r{n}": np.ones((2, 20)) * 0.55 for n in range(4)}),
    }
    found = probabilities_of_improvement(agents)
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "c")]
    for (one, other), estimate in found.items():
        assert estimate == probability_of_improvement(agents[one], agents[other])
    assert probabilities_of_improvement({"a": noisy(0.5)}) == {}
    with pytest.raises(EdgeBenchError, match="did not play the same episodes"):
        probability_of_improvement(noisy(0.5), noisy(0.5, episodes=19))


def test_the_interval_of_a_rank_is_wide_where_agents_are_alike():
    agents = {"best": noisy(0.9), "alike": noisy(0.5), "same": noisy(0.5, phase=1.0), "worst": noisy(0.1)}
    places = rank_intervals(agents)
    assert places["best"] == (1, 1) and places["worst"] == (4, 4)
    assert places["alike"] == places["same"] == (2, 3)
    assert places == rank_intervals(dict(reversed(agents.items())))


def test_scores_for_rliable_are_runs_by_regions():
    agent = scores(a=[[0.0, 1.0], [1.0, 2.0]], b=[[4.0, 4.0], [5.0, 6.0]])
    np.testing.assert_allclose(to_rliable({"x": agent})["x"], [[0.5, 4.0], [1.5, 5.5]])
    with pytest.raises(EdgeBenchError, match="same regions"):
        to_rliable({"x": agent, "y": scores(a=[1.0])})


def test_a_95_percent_interval_holds_the_truth_about_so_often():
    """Coverage: 150 data sets of a known mean, four regions of 20 episodes and 5 training runs each."""
    generator, held = np.random.default_rng(7), 0
    for _ in range(150):
        runs = generator.normal(0.0, 0.05, (4, 5, 1))
        values = 0.5 + runs + generator.normal(0.0, 0.2, (4, 1, 20))  # an episode is as hard for all runs
        estimate = total_score(scores(**{f"r{region}": values[region] for region in range(4)}))
        held += estimate.low <= 0.5 <= estimate.high
    assert 0.85 <= held / 150 <= 0.99
