"""The network that most methods share: every row is scored by the same small net, so size and region may change."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from edgebench.learning.actions import Levels
from edgebench.learning.inputs import Inputs
from edgebench.learning.seen import LEVELS, Form

OWN, OTHERS, KIND = range(3)
"""Columns of `Outputs.values`: of the stream's own decisions to come, of what comes to the others, and what a decision
of this kind brings, whatever the network is like."""
VALUES: Final = 3
PRIOR_WEIGHT: Final = 3.0
"""With how much of `Form.prior` a policy begins."""
_BARELY: Final = 0.01
_EDGE: Final = 0.02
"""Least and most of a level that is meant, so that its scores are finite."""
_FAR: Final = 1e9
"""Off a row that does not count, so that it is never the largest."""


class Outputs(NamedTuple):
    """What a network says of D decisions."""

    scores: Tensor  # (D, R), or (D, 2 x levels)
    values: Tensor  # (D, VALUES)


class Pooled(NamedTuple):
    """Rows as they are embedded, and what of them is common to a decision."""

    rows: Tensor  # (D, R, H)
    whole: Tensor  # (D, W)


def seeded(seed: int, make: Callable[[], nn.Module]) -> nn.Module:
    """A module whose first weights follow from `seed`; the process's own random numbers are left as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def pool(rows: Tensor, mask: Tensor) -> Tensor:
    """Mean and maximum over the rows that count, (D, 2 H); 0 where none does."""
    counted = mask.to(rows.dtype)
    counts = counted.sum(-1, keepdim=True)
    mean = torch.bmm((counted / counts.clamp(min=1.0))[:, None], rows).squeeze(1)
    most = (rows + (_FAR * (counted - 1.0))[..., None]).amax(1)  # a sum: its gradient costs nothing
    return torch.cat([mean, torch.where(counts > 0.0, most, 0.0)], -1)


def perceptron(*sizes: int) -> nn.Sequential:
    """Linear layers with tanh between them."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def begin_barely(last: nn.Linear) -> None:
    """Make a policy's last layer say little at first."""
    nn.init.orthogonal_(last.weight, _BARELY)


def levels_meant(form: Form, context: Tensor) -> Tensor:
    """What a decision's levels are at first, (D, levels) within (0, 1): `Form.level_priors`, a half without."""
    if not form.level_priors:
        return context.new_full((len(context), form.levels), 0.5)
    columns = [form.context.index(name) for name in form.level_priors]
    return context[:, columns].clamp(_EDGE, 1.0 - _EDGE)


def begun_with_prior(form: Form) -> nn.Linear:
    """A line from a row's features to its score that is `PRIOR_WEIGHT` times the prior at first, 0 without one."""
    line = nn.Linear(len(form.rows), 1, bias=False)
    nn.init.zeros_(line.weight)
    if form.prior:
        line.weight.data[0, form.rows.index(form.prior)] = PRIOR_WEIGHT
    return line


class KindCritic(nn.Module):
    """What decisions of a kind bring, from the context without what depends on earlier decisions, (D, 1)."""

    def __init__(self, form: Form, hidden: int) -> None:
        super().__init__()
        self._told = [number for number, name in enumerate(form.context) if name not in form.load]
        self.net = perceptron(len(self._told), hidden, 1)

    def forward(self, context: Tensor) -> Tensor:
        """Of contexts (D, C)."""
        brought: Tensor = self.net(context[:, self._told])
        return brought


class RowEncoder(nn.Module):
    """Embeds every row beside the context, then mean and maximum of them with the context's own embedding."""

    def __init__(self, form: Form, hidden: int) -> None:
        super().__init__()
        self.of_row = nn.Linear(len(form.rows), hidden)
        self.beside = nn.Linear(len(form.context), hidden)
        self.again = nn.Linear(hidden, hidden)
        self.context = nn.Linear(len(form.context), hidden)
        self.width = 3 * hidden

    def forward(self, inputs: Inputs) -> Pooled:
        """(D, R, H) and (D, 3 H)."""
        rows = torch.tanh(self.of_row(inputs.rows) + self.beside(inputs.context)[:, None])
        rows = torch.tanh(self.again(rows))
        whole = torch.cat([pool(rows, inputs.mask), torch.tanh(self.context(inputs.context))], -1)
        return Pooled(rows, whole)


class ActorCritic(nn.Module):
    """Scores and values from any encoder with `forward(inputs) -> Pooled` and `width`.

    Args:
        form: Of the decisions.
        encoder: Embeds them.
        hidden: H, the width of a row's embedding.
    """

    def __init__(self, form: Form, encoder: nn.Module, hidden: int) -> None:
        super().__init__()
        self.encoder = encoder
        width = int(encoder.width)  # type: ignore[arg-type]
        self.levels = form.levels if form.action == LEVELS else 0
        self.score = nn.Linear(width if self.levels else hidden, 2 * self.levels or 1)
        begin_barely(self.score)
        if self.levels:
            nn.init.zeros_(self.score.bias)
        self.form = form
        self.straight = begun_with_prior(form)
        self.critic = perceptron(width, hidden, hidden, VALUES - 1)
        self.kind = KindCritic(form, hidden)

    def forward(self, inputs: Inputs) -> Outputs:
        """Scores and values of the decisions."""
        pooled = self.encoder(inputs)
        return Outputs(self.scores(inputs, pooled), self.values(inputs, pooled))

    def values(self, inputs: Inputs, pooled: Pooled) -> Tensor:
        """(D, VALUES)."""
        return torch.cat([self.critic(pooled.whole), self.kind(inputs.context)], -1)

    def scores(self, inputs: Inputs, pooled: Pooled) -> Tensor:
        """(D, R), or (D, 2 x levels) from what is common."""
        if self.levels:
            meant = Levels.scores_of(levels_meant(self.form, inputs.context))
            scores: Tensor = self.score(pooled.whole) + meant
            return scores
        scored: Tensor = (self.score(pooled.rows) + self.straight(inputs.rows)).squeeze(-1)
        return scored
