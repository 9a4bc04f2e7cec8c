"""What PPO needs where many act at once: rewards in units of their spread, and critics that see them all."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebench.learning.inputs import Inputs
from edgebench.learning.networks import VALUES, ActorCritic, Outputs, perceptron
from edgebench.learning.ppo import ProximalPolicy
from edgebench.learning.rollout import Experience
from edgebench.learning.seen import Form


class TeamPolicy(ProximalPolicy):
    """`ProximalPolicy` for one of many, whose part of the team's reward is small."""

    def rewards(self, experience: Experience) -> Tensor:
        """In units of their spread."""
        reward = super().rewards(experience)
        return reward / (reward.std() + 1e-8)


class CentralCritic(ActorCritic):
    """An actor that sees its own decision, and a critic that also sees `Form.whole`.

    Args:
        form: Of the decisions.
        encoder: Embeds them.
        hidden: H, the width of a row's embedding.
    """

    def __init__(self, form: Form, encoder: nn.Module, hidden: int) -> None:
        super().__init__(form, encoder, hidden)
        width = int(encoder.width)  # type: ignore[arg-type]
        self.critic = perceptron(width + len(form.whole), hidden, hidden, VALUES - 1)

    def forward(self, inputs: Inputs) -> Outputs:
        """Scores from the decision alone, values from all."""
        pooled = self.encoder(inputs)
        values = [self.critic(torch.cat([pooled.whole, inputs.whole], -1)), self.kind(inputs.context)]
        return Outputs(self.scores(inputs, pooled), torch.cat(values, -1))
