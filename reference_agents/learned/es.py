"""Evolution strategy: a small policy whose weights are tried out, not its actions.

Source: Schaul, Glasmachers and Schmidhuber, "High dimensions and heavy tails for natural evolution strategies", GECCO
2011 (the separable strategy, SNES).

What is different: all weights that are tried in a round meet the same episodes, one of every region, so that what
differs between them is the weights alone; what they bring is compared within each region and then ranked. The policy is
bilinear: a row's score is linear in its features, and in products of such sums with sums over the context.

Parts: `context`. Without it a score is linear in the row's features alone.

Command: edgebench reproduce --table route-methods --rows es
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgebench.errors import EdgeBenchError
from edgebench.learning.actions import DISTRIBUTIONS
from edgebench.learning.inputs import Inputs, inputs_of
from edgebench.learning.method import Lesson, Method, Settings
from edgebench.learning.networks import PRIOR_WEIGHT
from edgebench.learning.seen import Form
from edgebench.learning.world import Practice

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class ESSettings(Settings):
    """Hyper-parameters of the strategy.

    Attributes:
        spread: Standard deviation with which weights are tried at first.
        products: How many products of a sum over the row and one over the context a score has.
        context: Whether it has any.
        narrowing: By how much of itself the spread has fallen at the end of the budget, beside what the strategy finds.
    """

    # Tried on val, seed 1: spread 0.1 to 2.0 and 24 to 64 trials at once, with and without narrowing. One setting for
    # all tracks, though a track's own best differs.
    each: int = 48
    replicas: int = 48
    spread: float = 1.0
    products: int = 2
    context: bool = True
    narrowing: float = 0.8


class Bilinear(nn.Module):
    """Weights of a policy and how widely each is tried.

    Args:
        form: Of the decisions.
        products: Of a sum over the row and one over the context.
        spread: At first.
        start: The sums over the context begin with its numbers.
    """

    def __init__(self, form: Form, products: int, spread: float, start: torch.Generator) -> None:
        super().__init__()
        rows, context = len(form.rows), len(form.context)
        self.products, self.sizes = products, (rows, products * rows, products * context)
        linear, of_rows = torch.zeros(rows), torch.zeros(products * rows)
        if form.prior:
            linear[form.rows.index(form.prior)] = PRIOR_WEIGHT
        of_context = torch.randn(products * context, generator=start) / math.sqrt(context)
        self.mean = nn.Parameter(torch.cat([linear, of_rows, of_context]), requires_grad=False)
        self.spread = nn.Parameter(torch.full_like(self.mean, spread), requires_grad=False)

    def scores(self, inputs: Inputs, weights: Tensor) -> Tensor:
        """Scores (D, R) by weights (D, P), or (1, P) for all."""
        linear, of_rows, of_context = torch.split(weights, list(self.sizes), -1)
        scores = torch.matmul(inputs.rows, linear[..., None]).squeeze(-1)
        if self.products:
            row = torch.matmul(inputs.rows, of_rows.reshape(len(weights), -1, self.products))
            context = torch.matmul(inputs.context[:, None], of_context.reshape(len(weights), -1, self.products))
            scores = scores + (row * torch.tanh(context)).sum(-1)
        return scores


class EvolutionStrategy(Method):
    """SNES over `Bilinear`.

    Raises:
        EdgeBenchError: `each` is odd or another number than `replicas`: every trial and its opposite play one episode
            of every region, the same for all.
    """

    faces: ClassVar[tuple[str, ...]] = ("route/single", "offload/team", "allocate/single", "place/single")
    settings_type: ClassVar[type[Settings]] = ESSettings
    settings: ESSettings

    def __init__(self, form: Form, settings: ESSettings, seed: int, device: torch.device) -> None:
        super().__init__(form, settings, seed, device)
        if settings.each % 2 or settings.replicas != settings.each:
            raise EdgeBenchError(
                f"each is {settings.each}, replicas {settings.replicas}", mend="give both the same even number"
            )
        products = settings.products if settings.context else 0
        self.policy = Bilinear(form, products, settings.spread, self.draws.torch).to(device)

    def modules(self) -> dict[str, nn.Module]:
        """The policy, with how widely it is tried."""
        return {"policy": self.policy}

    def practise(self, world: Practice) -> Lesson:
        """Try weights drawn about the mean, each on an episode of every region, and follow those that brought most."""
        drawn = self._drawn(world.count // len(self.grounds))
        weights = self.policy.mean + self._narrowed() * drawn
        decisions = 0
        world.begin(credited=False)
        while (seen := world.seen()).episode.size:
            inputs = inputs_of(seen, self.device)
            tried = torch.from_numpy(seen.episode % len(weights)).to(self.device)
            world.step(self._best(inputs, weights[tried]))
            decisions += len(seen.episode)
        scores = world.scores().reshape(len(self.grounds), -1)
        self._follow(drawn, utilities(compared(scores)).to(self.device))
        return Lesson(decisions, float(scores.mean()), {"spread": self.policy.spread.mean().item()})

    def best(self, inputs: Inputs) -> Tensor:
        """By the mean of the weights."""
        scores = self.policy.scores(inputs, self.policy.mean[None])
        return DISTRIBUTIONS[self.form.action](scores, inputs.mask).best()

    def _best(self, inputs: Inputs, weights: Tensor) -> Any:
        scores = self.policy.scores(inputs, weights)
        return DISTRIBUTIONS[self.form.action](scores, inputs.mask).best().cpu().numpy()

    def _narrowed(self) -> Tensor:
        """How widely weights are tried now: the spread found, ever less of it."""
        narrowed: Tensor = self.policy.spread * (1.0 - self.settings.narrowing * self.progress)
        return narrowed

    def _drawn(self, count: int) -> Tensor:
        """Standard normal numbers, (count, P), every one with its opposite."""
        half = torch.randn((count // 2, self.policy.mean.numel()), generator=self.draws.torch)
        return torch.cat([half, -half]).to(self.device)

    def _follow(self, drawn: Tensor, utility: Tensor) -> None:
        policy, weights = self.policy, self.policy.mean.numel()
        rate = (3.0 + math.log(weights)) / (5.0 * math.sqrt(weights))
        policy.mean.add_(self._narrowed() * (utility @ drawn))
        policy.spread.mul_(torch.exp(0.5 * rate * (utility @ (drawn.square() - 1.0))))


def compared(scores: Floats) -> Floats:
    """Mean over the regions of scores (regions, K) taken between those of the same region, (K,)."""
    deviation = np.maximum(scores.std(axis=1, keepdims=True), 1e-9)
    return np.asarray(((scores - scores.mean(axis=1, keepdims=True)) / deviation).mean(axis=0))


def utilities(scores: Floats) -> Tensor:
    """Weights of K trials by their ranks, best first by much, summing to 0, (K,)."""
    count = len(scores)
    ranked = np.maximum(0.0, np.log(count / 2.0 + 1.0) - np.log(np.arange(1, count + 1)))
    utility = np.empty(count)
    utility[np.argsort(-scores, kind="stable")] = ranked / ranked.sum() - 1.0 / count
    return torch.from_numpy(utility.astype(np.float32))


METHOD: Final = EvolutionStrategy
