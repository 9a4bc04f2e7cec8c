"""The evolution strategy: it climbs, on the same episodes for all trials, and can be taken up again."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lessons import method_of, practice_of, score_of, weights_of, world_of

from edgebench.errors import EdgeBenchError
from reference_agents.learned.es import compared, utilities

SMALL = {"each": 16, "replicas": 16}
EPISODES = [(window, seed) for window in range(4) for seed in range(4)]


def practised(regions, rounds, **settings):
    world = practice_of("route", "single", [regions["s1"]], each=16, replicas=16)
    method = method_of("es", world, **{**SMALL, **settings})
    lessons = []
    for number in range(rounds):
        method.progress = number / rounds
        lessons.append(method.practise(world))
    return method, lessons, world


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40, unique=True))
def test_ranks_alone_weigh_and_the_weights_sum_to_nothing(scores):
    scores = np.array(scores)
    utility = utilities(scores)
    assert utility.sum().abs() < 1e-5
    assert torch.equal(utility, utilities(np.argsort(np.argsort(scores)).astype(float)))
    assert utility.argmax() == scores.argmax()


def test_a_region_of_large_scores_has_no_more_weight():
    scores = np.array([[1.0, 2.0, 3.0], [300.0, 200.0, 100.0]])
    np.testing.assert_allclose(compared(scores), 0.0, atol=1e-12)


def test_it_climbs(regions):
    world = world_of(regions, split="val", each=16)
    before = score_of(practised(regions, 0)[0], world, EPISODES)
    after = score_of(practised(regions, 15)[0], world, EPISODES)
    assert after > before + 0.005


def test_without_the_context_it_has_row_weights_alone(regions):
    method, _, world = practised(regions, 1, context=False)
    assert method.policy.mean.numel() == len(world.form.rows)


def test_the_spread_narrows_with_the_budget(regions):
    method, _, _ = practised(regions, 0, narrowing=0.5)
    wide = method._narrowed().clone()
    method.progress = 1.0
    torch.testing.assert_close(method._narrowed(), 0.5 * wide)


def test_taken_up_again_it_goes_on_as_it_would_have(regions):
    method, _, world = practised(regions, 2)
    other = method_of("es", world, seed=9, **SMALL)
    other.modules()["policy"].load_state_dict(method.modules()["policy"].state_dict())
    other.remember(copy.deepcopy(method.memory()))
    begun = world.begun
    for one in (method, other):
        world.begun = begun
        one.progress = 0.5
        one.practise(world)
    assert torch.equal(weights_of(method), weights_of(other))


@pytest.mark.parametrize("odd", [{"each": 7, "replicas": 7}, {"each": 8, "replicas": 4}])
def test_trials_without_their_opposites_or_on_other_episodes_are_refused(odd, regions):
    with pytest.raises(EdgeBenchError, match="same even number"):
        method_of("es", world_of(regions), **odd)


@pytest.mark.parametrize(("track", "face"), [("offload", "team"), ("allocate", "single"), ("place", "single")])
def test_it_learns_on_the_other_tracks(track, face, regions):
    world = practice_of(track, face, [regions["s1"]], each=4, replicas=4)
    method = method_of("es", world, each=4, replicas=4)
    before = weights_of(method).clone()
    lesson = method.practise(world)
    assert lesson.decisions > 0 and np.isfinite(lesson.score)
    assert not torch.equal(before, weights_of(method))
