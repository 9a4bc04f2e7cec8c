"""A choice and the message that goes with it to others who decide."""

from __future__ import annotations

import torch
from torch import Tensor

from edgebench.learning.actions import Choice, Draws, Levels


class ToldChoice:
    """The index of a row, then M numbers from -1 to 1, as a face takes them whose form has messages.

    Args:
        scores: Of the rows, then two a number of the message, (D, R + 2 M).
        mask: Rows that may be chosen, (D, R).
    """

    def __init__(self, scores: Tensor, mask: Tensor) -> None:
        rows = mask.shape[1]
        self.choice, self.message = Choice(scores[:, :rows], mask), Levels(scores[:, rows:], mask)

    def sample(self, draws: Draws) -> Tensor:
        """Both drawn, (D, 1 + M)."""
        return _both(self.choice.sample(draws), self.message.sample(draws))

    def best(self) -> Tensor:
        """The row of the highest score and the mean message."""
        return _both(self.choice.best(), self.message.best())

    def log_prob(self, action: Tensor) -> Tensor:
        """Of both together, but for a constant: the message as numbers from 0 to 1."""
        return self.choice.log_prob(action[:, 0].long()) + self.message.log_prob((action[:, 1:] + 1.0) / 2.0)

    def entropy(self) -> Tensor:
        """Of the choice alone: a message need not be kept vague."""
        return self.choice.entropy()


class SilentChoice(Choice):
    """The same where nothing is told: all messages are 0.

    Args:
        scores: Of the rows, (D, R).
        mask: Rows that may be chosen, (D, R).
        messages: M.
    """

    def __init__(self, scores: Tensor, mask: Tensor, messages: int) -> None:
        super().__init__(scores, mask)
        self.nothing = scores.new_full((len(scores), messages), 0.5)

    def sample(self, draws: Draws) -> Tensor:
        """(D, 1 + M)."""
        return _both(super().sample(draws), self.nothing)

    def best(self) -> Tensor:
        """(D, 1 + M)."""
        return _both(super().best(), self.nothing)

    def log_prob(self, action: Tensor) -> Tensor:
        """Of the choice."""
        return super().log_prob(action[:, 0].long())


def _both(choice: Tensor, levels: Tensor) -> Tensor:
    return torch.cat([choice[:, None].to(levels.dtype), 2.0 * levels - 1.0], -1)
