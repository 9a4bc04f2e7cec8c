"""PPO on Route: it learns, it repeats, it goes without its mask, it can be taken up again."""

import copy

import pytest
import torch
from lessons import lessons, method_of, score_by_chance, score_of, weights_of, world_of


@pytest.fixture(scope="module")
def learned(regions):
    world = world_of(regions, each=16)
    return *lessons("ppo", world, 6, minibatch=256), world


def test_a_few_rounds_lift_the_policy_above_chance_and_above_its_beginning(learned, regions):
    method, rounds, practised = learned
    world = world_of(regions, split="val")
    episodes = [(window, 7) for window in range(4)]
    assert score_of(method, world, episodes) > score_by_chance(world, episodes) + 0.1
    practised.begun = 0
    assert method.practise(practised).score > rounds[0].score


def test_a_round_counts_its_decisions_and_tells_figures(learned):
    _, rounds, _ = learned
    assert all(lesson.decisions >= 16 * 50 for lesson in rounds)
    assert set(rounds[0].figures) == {"policy_loss", "value_loss", "entropy"}


def test_the_same_seed_gives_the_same_weights(regions):
    first, again, other = (weights_of(lessons("ppo", world_of(regions), seed=seed)[0]) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_its_mask_it_tries_what_it_may_not(regions):
    _, masked = lessons("ppo", world_of(regions), 1)
    _, free = lessons("ppo", world_of(regions), 1, mask=False)
    assert free[0].score < masked[0].score  # a stage sent to no candidate fails its task


def test_taken_up_again_it_goes_on_as_it_would_have(regions):
    world = world_of(regions)
    method, _ = lessons("ppo", world, 1)
    other = method_of("ppo", world, seed=9)
    for name, module in method.modules().items():
        other.modules()[name].load_state_dict(module.state_dict())
    other.remember(copy.deepcopy(method.memory()))
    for one in (method, other):
        one.practise(world_of(regions, seed=5))
    assert torch.equal(weights_of(method), weights_of(other))


def test_numbers_of_the_process_are_left_alone(regions):
    before = torch.random.get_rng_state()
    lessons("ppo", world_of(regions), 1)
    assert torch.equal(before, torch.random.get_rng_state())
