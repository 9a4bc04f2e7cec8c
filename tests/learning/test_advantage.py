"""Advantages against sums written out in plain Python."""

import numpy as np
import pytest

from edgebench.learning.advantage import others_returns, own_advantages
from edgebench.learning.coordination import neighbours_mean

EPISODES, STREAMS, DECISIONS = 3, 4, 60


@pytest.fixture
def played():
    rng = np.random.default_rng(3)
    return {
        "episode": rng.integers(0, EPISODES, DECISIONS),
        "stream": rng.integers(0, STREAMS, DECISIONS),
        "reward": rng.normal(size=DECISIONS).astype(np.float32),
        "value": rng.normal(size=DECISIONS).astype(np.float32),
    }


def streams_of(played):
    """The decisions of every stream of every episode, in their order."""
    keys = list(zip(played["episode"].tolist(), played["stream"].tolist(), strict=True))
    return [[row for row, key in enumerate(keys) if key == wanted] for wanted in sorted(set(keys))]


@pytest.mark.parametrize(("discount", "trace"), [(1.0, 0.95), (0.9, 0.5), (0.99, 0.0), (1.0, 1.0)])
def test_own_advantages_are_sums_of_errors_to_come(played, discount, trace):
    wanted = np.zeros(DECISIONS)
    for rows in streams_of(played):
        values = [*played["value"][rows], 0.0]
        errors = [played["reward"][row] + discount * values[k + 1] - values[k] for k, row in enumerate(rows)]
        for k, row in enumerate(rows):
            wanted[row] = sum((discount * trace) ** (j - k) * errors[j] for j in range(k, len(rows)))
    got = own_advantages(
        played["episode"], played["stream"], STREAMS, played["reward"], played["value"], discount, trace
    )
    np.testing.assert_allclose(got, wanted, atol=1e-5)


@pytest.mark.parametrize("discount", [1.0, 0.9, 0.0])
def test_others_returns_are_of_later_decisions_of_the_same_episode(played, discount):
    discounts = np.full(DECISIONS, discount, np.float32)
    wanted = np.zeros(DECISIONS)
    for row in range(DECISIONS):
        later = [other for other in range(row + 1, DECISIONS) if played["episode"][other] == played["episode"][row]]
        wanted[row] = sum(discount ** (k + 1) * played["reward"][other] for k, other in enumerate(later))
    np.testing.assert_allclose(others_returns(played["episode"], played["reward"], discounts), wanted, atol=1e-5)


@pytest.mark.parametrize("reach", [1, 4, DECISIONS])
def test_neighbours_mean_is_over_other_streams_near_in_time_and_place(played, reach):
    rng = np.random.default_rng(4)
    node = rng.integers(-1, 5, DECISIONS)
    ground = played["episode"] % 2
    near = (rng.random((2, 5, 5)) * (rng.random((2, 5, 5)) < 0.5)).astype(np.float32)
    near = near + near.transpose(0, 2, 1)
    place = [np.sum(played["episode"][:row] == played["episode"][row]) for row in range(DECISIONS)]
    wanted = np.zeros(DECISIONS)
    for row in range(DECISIONS):
        weights = {
            other: near[ground[row], node[row], node[other]]
            for other in range(DECISIONS)
            if played["episode"][other] == played["episode"][row]
            and played["stream"][other] != played["stream"][row]
            and 0 < abs(place[other] - place[row]) <= reach
            and node[row] >= 0
            and node[other] >= 0
        }
        if sum(weights.values()) > 0:
            wanted[row] = sum(w * played["reward"][other] for other, w in weights.items()) / sum(weights.values())
    got = neighbours_mean(played["episode"], played["stream"], ground, node, played["reward"], near, reach)
    assert np.any(wanted != 0.0)
    np.testing.assert_allclose(got, wanted, atol=1e-5)
