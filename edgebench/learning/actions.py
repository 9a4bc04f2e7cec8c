"""From what a network says to actions and their log-probabilities, of each kind of action."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Beta
from torch.nn import functional

from edgebench.learning.seen import CHOICE, LEVELS, SHARES

_NEVER: Final = -1e9
_LEAST: Final = 1e-4
"""Least concentration and least share: densities are finite there."""

_SHARPNESS: Final = 10.0
"""Concentration of a unit of weight: so that what is drawn is near what is meant at scores of some units."""
_LEVEL_SHARPNESS: Final = 40.0
"""The same of levels: Allocate's sites offer what fits, and with 10 what they try out fits too seldom."""


class Draws:
    """A method's own random numbers: a generator of each library, both from one seed."""

    def __init__(self, seed: int) -> None:
        self.torch = torch.Generator().manual_seed(seed)
        self.numpy = np.random.Generator(np.random.PCG64(seed))

    def uniform(self, like: Tensor) -> Tensor:
        """Numbers within (0, 1), of the shape and on the device of `like`."""
        drawn = torch.rand(like.shape, generator=self.torch, dtype=like.dtype)
        return drawn.clamp(1e-7, 1.0 - 1e-7).to(like.device)

    def normal(self, like: Tensor) -> Tensor:
        """Standard normal numbers, of the shape and on the device of `like`."""
        return torch.randn(like.shape, generator=self.torch, dtype=like.dtype).to(like.device)

    def gamma(self, concentration: Tensor) -> Tensor:
        """Gamma numbers of these concentrations."""
        drawn = self.numpy.standard_gamma(concentration.detach().cpu().numpy())
        return torch.from_numpy(np.maximum(drawn, 1e-12)).to(concentration)


class Distribution(Protocol):
    """Actions of D decisions and their chances."""

    def sample(self, draws: Draws) -> Tensor:
        """Actions drawn, (D,) or (D, n)."""

    def best(self) -> Tensor:
        """The actions to take when nothing is to be tried out."""

    def log_prob(self, action: Tensor) -> Tensor:
        """(D,)."""

    def entropy(self) -> Tensor:
        """(D,)."""


class Choice:
    """The index of a row: a softmax over those that may be chosen."""

    def __init__(self, scores: Tensor, mask: Tensor) -> None:
        self.scores = scores.masked_fill(~mask, _NEVER)
        self.log_probs = torch.log_softmax(self.scores, -1)

    def sample(self, draws: Draws) -> Tensor:
        """By the Gumbel trick."""
        return self.chosen_by(draws.uniform(self.scores))

    def chosen_by(self, uniform: Tensor) -> Tensor:
        """The rows that numbers within (0, 1) choose, one a row, (D, R): drawn right if those of a decision are."""
        return (self.scores - torch.log(-torch.log(uniform))).argmax(-1)

    def best(self) -> Tensor:
        """The row of the highest score, the first where several have it."""
        return self.scores.argmax(-1)

    def log_prob(self, action: Tensor) -> Tensor:
        """(D,)."""
        return self.log_probs.gather(-1, action[:, None]).squeeze(-1)

    def entropy(self) -> Tensor:
        """(D,)."""
        return -(self.log_probs.exp() * self.log_probs.clamp(min=-50.0)).sum(-1)


class Shares:
    """A share of every row that may have one: a Dirichlet distribution over them, none of its concentrations below 1.

    Below 1 the density of a share that is nearly 0 has no bound, and the chances of all others drown in it.
    """

    def __init__(self, scores: Tensor, mask: Tensor) -> None:
        self.mask = mask
        self.weight = (functional.softplus(scores) + _LEAST) * mask
        self.concentration = (_SHARPNESS * self.weight + 1.0) * mask
        self._gamma = torch.where(mask, self.concentration, torch.ones_like(scores))

    def sample(self, draws: Draws) -> Tensor:
        """Gamma numbers over their sum."""
        drawn = draws.gamma(self._gamma) * self.mask
        return self._inside(drawn / drawn.sum(-1, keepdim=True))

    def best(self) -> Tensor:
        """The mode: shares in proportion to what the concentrations are above 1."""
        mode: Tensor = self.weight / self.weight.sum(-1, keepdim=True)
        return mode

    def log_prob(self, action: Tensor) -> Tensor:
        """Over the rows that may have a share."""
        total = self.concentration.sum(-1)
        of_row = (self._gamma - 1.0) * torch.log(action.clamp(min=_LEAST)) - torch.lgamma(self._gamma)
        return torch.lgamma(total) + (of_row * self.mask).sum(-1)

    def entropy(self) -> Tensor:
        """Of the Dirichlet over the rows that may have a share."""
        total, rows = self.concentration.sum(-1), self.mask.sum(-1)
        of_row = torch.lgamma(self._gamma) - (self._gamma - 1.0) * torch.digamma(self._gamma)
        return (of_row * self.mask).sum(-1) - torch.lgamma(total) + (total - rows) * torch.digamma(total)

    def _inside(self, shares: Tensor) -> Tensor:
        lifted = shares.clamp(min=_LEAST) * self.mask
        inside: Tensor = lifted / lifted.sum(-1, keepdim=True)
        return inside


class Levels:
    """Numbers from 0 to 1, each of a beta distribution, none of whose concentrations is below 1, as of `Shares`.

    `scores` are two a number: of what it takes, and of what it leaves.
    """

    def __init__(self, scores: Tensor, mask: Tensor) -> None:
        self.taken, self.left = (functional.softplus(part) + _LEAST for part in scores.chunk(2, -1))
        concentrations = _LEVEL_SHARPNESS * self.taken + 1.0, _LEVEL_SHARPNESS * self.left + 1.0
        self._beta = Beta(*concentrations, validate_args=False)

    @staticmethod
    def scores_of(levels: Tensor) -> Tensor:
        """The scores, (D, 2 n), of which levels (D, n) within (0, 1) are the best."""
        return torch.cat([levels, 1.0 - levels], -1).expm1().log()

    def sample(self, draws: Draws) -> Tensor:
        """From two gamma numbers each."""
        one, other = draws.gamma(self._beta.concentration1), draws.gamma(self._beta.concentration0)
        return (one / (one + other)).clamp(_LEAST, 1.0 - _LEAST)

    def best(self) -> Tensor:
        """The modes."""
        mode: Tensor = self.taken / (self.taken + self.left)
        return mode

    def log_prob(self, action: Tensor) -> Tensor:
        """Of all numbers together."""
        chances: Tensor = self._beta.log_prob(action)  # type: ignore[no-untyped-call]
        return chances.sum(-1)

    def entropy(self) -> Tensor:
        """Of all numbers together."""
        entropies: Tensor = self._beta.entropy()  # type: ignore[no-untyped-call]
        return entropies.sum(-1)


DISTRIBUTIONS: Final[dict[str, type[Choice] | type[Shares] | type[Levels]]] = {
    CHOICE: Choice,
    SHARES: Shares,
    LEVELS: Levels,
}
"""The distribution of each kind of action."""
