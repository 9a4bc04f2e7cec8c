"""Imitation of `lookahead`: a scorer of candidates that learns which one the heuristic takes.

Source: STARK, the imitating scheduler among TopoFreeRL's comparisons, whose network is an encoder and decoder as Carion
and others, "End-to-end object detection with transformers", ECCV 2020; states are gathered as Ross, Gordon and Bagnell,
"A reduction of imitation learning and structured prediction to no-regret online learning", AISTATS 2011 (DAgger).

What is different: the expert is the lookahead heuristic, which sees what the policy sees but looks to the workflow's
end; STARK's looks one step ahead and does not see costs. The feature that would give the expert's answer away is kept
from the network. A share of the decisions, falling to none, is the expert's, the rest the policy's, and the expert is
asked about all of them. A round is learned from when it has been played and then let go (the online form of the method:
each step is one of an online learner), so that memory does not grow. The best checkpoint is chosen on `val`.

Parts: `aggregate`. Without it the expert takes every decision, so that the policy never learns of its own mistakes:
behaviour cloning.

Command: edgebench reproduce --table route-methods --rows imitation
"""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from typing import Any, ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebench.constants import COST_WEIGHT
from edgebench.learning.actions import Choice
from edgebench.learning.attention import Layer
from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Lesson, Method, Settings
from edgebench.learning.networks import seeded
from edgebench.learning.rollout import Tried, play
from edgebench.learning.seen import Form, Seen
from edgebench.learning.world import Practice

ANSWER: Final = "expected_utility"
_LAST: Final = 0.15
"""`stages_left` of a last stage is 0.1."""


@dataclasses.dataclass(frozen=True)
class ImitationSettings(Settings):
    """Hyper-parameters of imitation.

    Attributes:
        layers: Of the encoder and of the decoder.
        heads: Of each layer.
        epochs: How often a round's decisions are learned from.
        minibatch: Decisions of a step of AdamW.
        decay: Of AdamW's weights.
        alone: Share of the budget after which the expert takes no decision any more.
        aggregate: Whether the policy takes decisions too, so that its own states are learned from.
    """

    # Tried at 0.3 M decisions on s1-s3, seed 1, by mean utility on val (s1-s4): learning rate 1e-3
    # .440, 3e-3 .431, 2e-3 with 2 epochs .432.
    learning_rate: float = 1e-3
    layers: int = 1
    heads: int = 2
    epochs: int = 1
    minibatch: int = 512
    decay: float = 0.01
    alone: float = 0.5
    aggregate: bool = True


class Pointer(nn.Module):
    """An encoder of candidates; a decoder of one query, the task, whose likeness to a candidate is its score."""

    def __init__(self, form: Form, settings: ImitationSettings) -> None:
        super().__init__()
        hidden, heads = settings.hidden, settings.heads
        self.shown = [number for number, name in enumerate(form.rows) if name != ANSWER]
        self.of_row, self.of_task = nn.Linear(len(self.shown), hidden), nn.Linear(len(form.context), hidden)
        self.encoder = nn.ModuleList(Layer(hidden, heads) for _ in range(settings.layers))
        self.decoder = nn.ModuleList(Layer(hidden, heads) for _ in range(settings.layers))
        self.query, self.key = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)

    def forward(self, inputs: Inputs) -> Tensor:
        """Scores of the candidates, (D, R)."""
        task = self.of_task(inputs.context)[:, None]
        rows = self.of_row(inputs.rows[..., self.shown]) + task
        for layer in self.encoder:
            rows = layer(rows, rows, inputs.mask)
        for layer in self.decoder:
            task = layer(task, rows, inputs.mask)
        scores: Tensor = (self.key(rows) @ self.query(task).transpose(1, 2)).squeeze(-1)
        return scores / math.sqrt(rows.shape[-1])


class Imitation(Method):
    """Cross entropy to the expert's choices."""

    faces: ClassVar[tuple[str, ...]] = ("route/single",)
    settings_type: ClassVar[type[Settings]] = ImitationSettings
    settings: ImitationSettings

    def __init__(self, form: Form, settings: ImitationSettings, seed: int, device: torch.device) -> None:
        super().__init__(form, settings, seed, device)
        self.network = seeded(seed, lambda: Pointer(form, settings)).to(device)

    @cached_property
    def optimiser(self) -> torch.optim.Optimizer:
        """Made when the method first learns."""
        settings = self.settings
        return torch.optim.AdamW(self.network.parameters(), settings.learning_rate, weight_decay=settings.decay)

    def modules(self) -> dict[str, nn.Module]:
        """The scorer."""
        return {"network": self.network}

    def best(self, inputs: Inputs) -> Tensor:
        """The candidate of the highest score."""
        return Choice(self.network(inputs), inputs.mask).best()

    def practise(self, world: Practice) -> Lesson:
        """Play a round, ask the expert about all of it, learn its answers."""
        experience = play(world, self.explore, self.device)
        answers = expert(self.form, experience.inputs)
        agreed = (experience.tried.action == answers).float().mean().item()
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * self.progress))
        loss = self.follow(experience.inputs, answers)
        return Lesson(len(answers), experience.score, {"cross_entropy": loss, "agreed": agreed})

    def follow(self, inputs: Inputs, answers: Tensor) -> float:
        """Learn to choose the rows `answers`, (n,), of n decisions, whoever chose them; the last cross entropy."""
        loss, size = 0.0, self.settings.minibatch
        for _ in range(self.settings.epochs):
            order = torch.randperm(len(answers), generator=self.draws.torch).to(self.device)
            for begin in range(0, len(order), size):
                chosen = order[begin : begin + size]
                loss = self._improve(inputs.take(chosen), answers[chosen])
        return loss

    def experts_share(self) -> float:
        """Of the decisions of a round."""
        if not self.settings.aggregate:
            return 1.0
        return max(0.0, 1.0 - self.progress / self.settings.alone)

    def explore(self, inputs: Inputs, seen: Seen) -> Tried:
        """Each decision is the expert's or the policy's own by chance."""
        share = self.experts_share()
        own = self.best(inputs) if share < 1.0 else expert(self.form, inputs)
        asks = self.draws.uniform(inputs.context[:, 0]) < share
        action = torch.where(asks, expert(self.form, inputs), own)
        nothing = torch.zeros_like(inputs.context[:, 0])
        return Tried(action, nothing, nothing[:, None])

    def _improve(self, inputs: Inputs, answers: Tensor) -> float:
        scores = Choice(self.network(inputs), inputs.mask).scores
        loss = functional.cross_entropy(scores, answers)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return loss.item()

    def memory(self) -> dict[str, Any]:
        """The optimiser's too."""
        return super().memory() | {"optimiser": self.optimiser.state_dict()}

    def remember(self, memory: dict[str, Any]) -> None:
        """The optimiser's too."""
        super().remember(memory)
        self.optimiser.load_state_dict(memory["optimiser"])


def expert(form: Form, inputs: Inputs) -> Tensor:
    """The rows that `reference_agents.route.lookahead` takes, (D,), as far as the decisions show it.

    Before the last stage that is the best expected utility. On the last, lookahead counts the way back with what is
    remembered of its traps. Rows on nodes that telemetry calls down are taken only if all are. Where times are past
    what rows show, two deadlines, the two may differ.
    """

    def row(name: str) -> Tensor:
        return inputs.rows[..., form.rows.index(name)]

    def of_task(name: str) -> Tensor:
        return inputs.context[:, form.context.index(name)][:, None]

    speed = of_task("speed_weight")
    gain, cost = row("quality_gain") / 5.0, COST_WEIGHT * torch.expm1(row("cost")) / 10.0
    at_last = gain - cost - speed * (row("stage_time") + row("return_s"))
    scores = torch.where(of_task("stages_left") < _LAST, at_last, row(ANSWER))
    up = inputs.mask & (row("down") == 0.0)
    allowed = torch.where(up.any(-1, keepdim=True), up, inputs.mask)
    return Choice(scores, allowed).best()


METHOD: Final = Imitation
