"""Distributions of actions: chances sum to 1, samples follow them, entropies are right, masks hold."""

import math

import pytest
import torch

from edgebench.learning.actions import Choice, Draws, Levels, Shares
from edgebench.learning.noise import coloured_noise, uniform_of

SCORES = torch.tensor([[0.5, -1.0, 2.0, 0.0, 1.0]])
MASK = torch.tensor([[True, True, False, True, True]])
MANY = 40_000


def many(distribution, scores, mask):
    return distribution(scores.repeat(MANY, 1), mask.repeat(MANY, 1))


def test_chances_of_choices_sum_to_one_and_leave_out_the_masked():
    chances = torch.stack([Choice(SCORES, MASK).log_prob(torch.tensor([row])).exp() for row in range(5)]).squeeze()
    assert chances.sum().item() == pytest.approx(1.0, abs=1e-6)
    assert chances[2].item() == 0.0
    allowed = SCORES[0][MASK[0]].exp()
    torch.testing.assert_close(chances[MASK[0]], allowed / allowed.sum())


def test_choices_come_as_often_as_their_chances():
    choice = many(Choice, SCORES, MASK)
    drawn = torch.bincount(choice.sample(Draws(1)), minlength=5) / MANY
    torch.testing.assert_close(drawn, choice.log_probs[0].exp(), atol=0.01, rtol=0.0)


def test_entropy_of_a_choice():
    chances = Choice(SCORES, MASK).log_probs[0][MASK[0]].exp()
    assert Choice(SCORES, MASK).entropy().item() == pytest.approx(-(chances * chances.log()).sum().item(), abs=1e-5)


@pytest.mark.parametrize(("distribution", "scores"), [(Shares, SCORES + 3.0), (Levels, SCORES[:, :4])])
def test_entropy_is_the_mean_of_minus_the_log_density(distribution, scores):
    drawn_from = many(distribution, scores, MASK)
    drawn = drawn_from.log_prob(drawn_from.sample(Draws(2)))
    assert drawn_from.entropy()[0].item() == pytest.approx(
        -drawn.mean().item(), abs=4 * drawn.std().item() / math.sqrt(MANY) + 0.02
    )


def test_density_of_two_shares_integrates_to_one():
    share = (torch.arange(1000) + 0.5) / 1000
    scores, mask = torch.tensor([[2.0, 9.0, 3.0]]), torch.tensor([[True, False, True]])
    at = torch.stack([share, torch.zeros(1000), 1.0 - share], -1)
    density = Shares(scores.repeat(1000, 1), mask.repeat(1000, 1)).log_prob(at).exp()
    assert density.mean().item() == pytest.approx(1.0, abs=2e-3)


def test_density_of_a_level_integrates_to_one():
    level = ((torch.arange(1000) + 0.5) / 1000)[:, None]
    density = Levels(torch.tensor([[1.0, 0.2]]).repeat(1000, 1), MASK).log_prob(level).exp()
    assert density.mean().item() == pytest.approx(1.0, abs=2e-3)


def test_shares_sum_to_one_over_the_rows_that_may_have_one():
    shares = many(Shares, SCORES, MASK)
    for drawn in (shares.sample(Draws(3)), shares.best()):
        torch.testing.assert_close(drawn.sum(-1), torch.ones(MANY))
        assert not drawn[:, 2].any()
    mean = shares.concentration[0] / shares.concentration[0].sum()
    torch.testing.assert_close(shares.sample(Draws(3)).mean(0), mean, atol=0.01, rtol=0.0)


def test_levels_lie_within_0_and_1_and_nothing_is_likelier_than_the_best():
    levels = many(Levels, SCORES[:, :4], MASK)
    drawn = levels.sample(Draws(4))
    assert ((drawn > 0.0) & (drawn < 1.0)).all()
    assert (levels.log_prob(levels.best()) >= levels.log_prob(drawn)).all()
    torch.testing.assert_close(drawn.mean(0), levels.best()[0], atol=0.01, rtol=0.0)


def test_the_best_levels_are_those_whose_scores_were_asked_for():
    wanted = torch.tensor([[0.02, 0.5, 0.98]])
    torch.testing.assert_close(Levels(Levels.scores_of(wanted), MASK).best(), wanted, atol=1e-3, rtol=0.0)


@pytest.mark.parametrize("distribution", [Choice, Shares])
def test_the_best_action_is_allowed(distribution):
    best = distribution(SCORES, MASK).best()
    assert best.item() == 4 if distribution is Choice else best[0, 2] == 0.0


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0])
def test_coloured_noise_is_standard_normal_and_hangs_together_as_its_colour(beta):
    noise = coloured_noise((400, 256), beta, torch.Generator().manual_seed(5))
    assert noise.var(0).mean().item() == pytest.approx(1.0, abs=0.05)
    assert noise.mean().item() == pytest.approx(0.0, abs=0.1)
    power = torch.fft.rfft(noise).abs().square().mean(0)
    slope = torch.log(power[64] / power[4]) / math.log(16.0)
    assert slope.item() == pytest.approx(-beta, abs=0.25)


def test_choices_by_coloured_noise_have_the_chances_of_the_policy():
    noise = coloured_noise((5, 500, 256), 1.0, torch.Generator().manual_seed(6))
    numbers = uniform_of(noise).permute(1, 2, 0).reshape(-1, 5)
    choice = Choice(SCORES.repeat(len(numbers), 1), MASK.repeat(len(numbers), 1))
    drawn = torch.bincount(choice.chosen_by(numbers), minlength=5) / len(numbers)
    torch.testing.assert_close(drawn, choice.log_probs[0].exp(), atol=0.02, rtol=0.0)
