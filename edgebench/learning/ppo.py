"""Proximal policy optimisation, the update that most methods share.

Schulman, Wolski, Dhariwal, Radford and Klimov, "Proximal policy optimization algorithms", arXiv 1707.06347. Here it
learns from whole episodes, with advantages along each stream's own decisions and of what comes to the others
(`edgebench.learning.advantage`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from edgebench.learning.actions import DISTRIBUTIONS, Distribution
from edgebench.learning.advantage import others_returns, own_advantages, replica_means
from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Lesson, Method, Settings
from edgebench.learning.networks import KIND, OTHERS, OWN, ActorCritic, Outputs, RowEncoder, seeded
from edgebench.learning.rollout import Experience, Tried, play
from edgebench.learning.seen import Form, Seen
from edgebench.learning.world import Practice

PART: Final = 512
"""Decisions whose gradient is computed at once."""


@dataclasses.dataclass(frozen=True)
class PPOSettings(Settings):
    """Hyper-parameters of PPO.

    Attributes:
        epochs: How often a round's decisions are learned from.
        minibatch: Decisions of a step of Adam.
        clip: How far the ratio of new to old chance counts.
        discount: Of a stream's next decision.
        trace: Lambda of the generalised advantage.
        others: Weight of what comes to the others.
        others_discount: Of an episode's next decision where `edgebench.learning.seen.Ground.pace` is 1.
        entropy: Weight of the entropy at the beginning; it falls to 0.
        value: Weight of the critic's error.
        gradient: Largest norm of a gradient.
        mask: Whether rows that may not be chosen are left out; else the policy has to find out.
    """

    epochs: int = 2
    minibatch: int = 2048
    clip: float = 0.2
    discount: float = 1.0
    trace: float = 0.95
    others: float = 1.0
    others_discount: float = 0.99
    entropy: float = 0.001
    value: float = 0.5
    gradient: float = 0.5
    mask: bool = True


class Judged(NamedTuple):
    """What the critics learn and what the policy is told of n decisions."""

    advantage: Tensor  # (n,) the policy's
    targets: Tensor  # (n, VALUES) the critics'


def scaled(advantage: Tensor) -> Tensor:
    """Advantages of mean 0 and deviation 1."""
    return (advantage - advantage.mean()) / (advantage.std() + 1e-8)


class ProximalPolicy(Method):
    """PPO over an actor-critic; methods override what makes them themselves."""

    settings_type: ClassVar[type[Settings]] = PPOSettings
    settings: PPOSettings

    def __init__(self, form: Form, settings: PPOSettings, seed: int, device: torch.device) -> None:
        super().__init__(form, settings, seed, device)
        self.network = seeded(seed, self.make_network).to(device)

    @cached_property
    def optimiser(self) -> torch.optim.Optimizer:
        """Made when a method first learns: to play none is needed, and PyTorch's first takes seconds."""
        return torch.optim.Adam(self.network.parameters(), self.settings.learning_rate, eps=1e-5)

    def make_network(self) -> nn.Module:
        """The actor-critic, `forward(inputs) -> Outputs`."""
        hidden = self.settings.hidden
        return ActorCritic(self.form, RowEncoder(self.form, hidden), hidden)

    def modules(self) -> dict[str, nn.Module]:
        """The network."""
        return {"network": self.network}

    def practise(self, world: Practice) -> Lesson:
        """An episode of each of the world's, then `epochs` over their decisions."""
        experience = play(world, self.explore, self.device)
        figures = self.learn(experience, self.judge(experience, world))
        return Lesson(len(experience.episode), experience.score, figures)

    def explore(self, inputs: Inputs, seen: Seen) -> Tried:
        """Actions drawn from the policy."""
        outputs = self.outputs(inputs)
        distribution = self.distribution(inputs, outputs)
        action = distribution.sample(self.draws)
        return Tried(action, distribution.log_prob(action), outputs.values)

    def best(self, inputs: Inputs) -> Tensor:
        """The policy's most likely row, or its mean; only rows that may be chosen count."""
        scores = self.outputs(inputs).scores
        return DISTRIBUTIONS[self.form.action](scores, inputs.mask).best()

    def outputs(self, inputs: Inputs) -> Outputs:
        """What the network says."""
        outputs: Outputs = self.network(inputs)
        return outputs

    def distribution(self, inputs: Inputs, outputs: Outputs) -> Distribution:
        """What is explored; without its mask a policy may also choose what it may not."""
        mask = inputs.mask if self.settings.mask else torch.ones_like(inputs.mask)
        return DISTRIBUTIONS[self.form.action](outputs.scores, mask)

    def rewards(self, experience: Experience) -> Tensor:
        """What each decision is taken to have brought, (n,)."""
        return experience.reward[:, 0]

    def judge(self, experience: Experience, world: Practice) -> Judged:
        """Advantages and targets (`edgebench.learning.advantage`)."""
        reward, values = self.rewards(experience).cpu(), experience.tried.values.cpu()
        episode, stream = experience.episode.numpy(), experience.stream.numpy()
        settings = self.settings
        own = torch.from_numpy(
            own_advantages(
                episode, stream, world.streams, reward.numpy(), values[:, OWN].contiguous().numpy(),
                settings.discount, self.trace(),
            )
        )  # fmt: skip
        surprise = (reward - values[:, KIND]).contiguous().numpy()
        pace = np.array([ground.pace for ground in world.grounds], np.float32)[experience.inputs.ground.cpu().numpy()]
        others = torch.from_numpy(others_returns(episode, surprise, settings.others_discount ** (1.0 / pace)))
        expected = values[:, OTHERS].contiguous().numpy()
        usual = replica_means(episode, stream, world.streams, settings.replicas, others.numpy(), expected)
        advantage = own + settings.others * (others - torch.from_numpy(usual))
        targets = torch.stack([own + values[:, OWN], others, reward], -1)
        return Judged(advantage.to(self.device), targets.to(self.device))

    def learn(self, experience: Experience, judged: Judged) -> dict[str, float]:
        """Steps of Adam over minibatches; returns figures for the log."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        figures: dict[str, float] = {}
        for chosen in self.minibatches(len(judged.advantage)):
            figures = self.improve(
                experience.inputs.take(chosen),
                Tried(*(part[chosen] for part in experience.tried)),
                Judged(*(part[chosen] for part in judged)),
            )
        return figures

    def learning_rate(self) -> float:
        """Falls to a twentieth."""
        return self.settings.learning_rate * max(1.0 - self.progress, 0.05)

    def clip(self) -> float:
        """How far the ratio of new to old chance counts."""
        return self.settings.clip

    def trace(self) -> float:
        """Lambda of the generalised advantage."""
        return self.settings.trace

    def minibatches(self, decisions: int) -> Iterator[Tensor]:
        """Every decision `epochs` times, in an order drawn anew; a rest of less than half a minibatch is left out."""
        size = min(self.settings.minibatch, decisions)
        for _ in range(self.settings.epochs):
            order = torch.randperm(decisions, generator=self.draws.torch).to(self.device)
            for begin in range(0, decisions - size // 2, size):
                yield order[begin : begin + size]

    def improve(self, inputs: Inputs, tried: Tried, judged: Judged) -> dict[str, float]:
        """One step of Adam over n decisions, its gradient gathered part by part: a part's arrays fit a core's cache."""
        advantage, scale = scaled(judged.advantage), judged.targets.var(0).clamp(min=1.0)
        figures = dict.fromkeys(("policy_loss", "value_loss", "entropy"), 0.0)
        self.optimiser.zero_grad()
        for begin in range(0, len(advantage), PART):
            part = slice(begin, begin + PART)
            told = Judged(advantage[part], judged.targets[part])
            losses = self.losses(inputs.take(part), Tried(*(each[part] for each in tried)), told, scale)
            share = len(told.advantage) / len(advantage)
            (share * self.total(losses)).backward()  # type: ignore[no-untyped-call]
            figures = {name: figures[name] + share * losses[name].item() for name in figures}
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.gradient)
        self.optimiser.step()
        return figures

    def losses(self, inputs: Inputs, tried: Tried, judged: Judged, scale: Tensor) -> dict[str, Tensor]:
        """Policy loss, value loss and entropy, means over some decisions.

        Args:
            inputs: Of them.
            tried: What was done about them.
            judged: Its advantage is scaled.
            scale: As of `value_loss`.
        """
        outputs = self.outputs(inputs)
        distribution = self.distribution(inputs, outputs)
        ratio = (distribution.log_prob(tried.action) - tried.log_prob).exp()
        return {
            "policy_loss": self.policy_loss(ratio, judged.advantage),
            "value_loss": self.value_loss(outputs, judged.targets, scale),
            "entropy": distribution.entropy().mean(),
        }

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """What is minimised."""
        falling = self.settings.entropy * (1.0 - self.progress)
        return losses["policy_loss"] + self.settings.value * losses["value_loss"] - falling * losses["entropy"]

    def policy_loss(self, ratio: Tensor, advantage: Tensor) -> Tensor:
        """The clipped surrogate."""
        clip = self.clip()
        return -torch.minimum(ratio * advantage, ratio.clamp(1.0 - clip, 1.0 + clip) * advantage).mean()

    def value_loss(self, outputs: Outputs, targets: Tensor, scale: Tensor) -> Tensor:
        """Squared errors, each over its scale, (VALUES,): the spread of its target where that is more than 1."""
        return ((outputs.values - targets).square().mean(0) / scale).sum()

    def memory(self) -> dict[str, Any]:
        """The optimiser's too."""
        return super().memory() | {"optimiser": self.optimiser.state_dict()}

    def remember(self, memory: dict[str, Any]) -> None:
        """The optimiser's too."""
        super().remember(memory)
        self.optimiser.load_state_dict(memory["optimiser"])
