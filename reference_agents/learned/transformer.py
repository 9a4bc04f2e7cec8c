"""Transformer policy: candidates look at each other and at how evenly the network's burdens lie.

Source: the Equity-Transformer policy among TopoFreeRL's comparisons, named after Son, Kim, Choi, Kim and Park,
"Equity-Transformer: solving NP-hard min-max routing problems as sequential generation with equity context", AAAI 2024.

What is different: tokens are the candidates of one decision, not states of the past, and nothing tells their
positions, so that a policy fits every region. The equity context says of each burden (queues, loading, memory, what is
remembered of traps) how large it is on the candidates at the least, on average and at the most, and how evenly it lies
(Jain's index). The paper's context is of vehicles whose longest tour counts; here nodes take that place.

Parts: `attention`, without which every token stays by itself; `equity`, without which there is no equity context.

Command: edgebench reproduce --table route-methods --rows transformer
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from edgebench.learning.attention import Layer, jain
from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Settings
from edgebench.learning.networks import ActorCritic, Pooled, pool
from edgebench.learning.ppo import PPOSettings, ProximalPolicy
from edgebench.learning.seen import Form

BURDENS: Final = ("queue_s", "loading_s", "stored", "measured_extra_s")
_STATISTICS: Final = 4


@dataclasses.dataclass(frozen=True)
class TransformerSettings(PPOSettings):
    """Hyper-parameters of the Transformer policy.

    Attributes:
        layers: Of attention.
        heads: Of each.
        attention: Whether tokens look at each other.
        equity: Whether there are tokens that tell how burdens lie.
    """

    # Tried at 0.3 M decisions on s1-s3, seed 1, by mean utility on val (s1-s4): learning rate 1e-3
    # .436, 2e-3 .425, 3e-3 .425. Minibatches of 512 in place of 2048 at 1 M, seed 0: on val (s1-s3) .442 at the end,
    # and still rising.
    learning_rate: float = 1e-3
    minibatch: int = 512
    layers: int = 1
    heads: int = 2
    attention: bool = True
    equity: bool = True


class TokenEncoder(nn.Module):
    """Candidates, the task and the burdens as tokens, then layers of attention."""

    def __init__(self, form: Form, settings: TransformerSettings) -> None:
        super().__init__()
        hidden = settings.hidden
        self.burdens = [form.rows.index(name) for name in BURDENS] if settings.equity else []
        self.of_row, self.of_task = nn.Linear(len(form.rows), hidden), nn.Linear(len(form.context), hidden)
        self.of_burden = nn.ModuleList(nn.Linear(_STATISTICS, hidden) for _ in self.burdens)
        mixes = settings.attention
        self.layers = nn.ModuleList(Layer(hidden, settings.heads, mixes=mixes) for _ in range(settings.layers))
        self.width = (3 + bool(self.burdens)) * hidden

    def forward(self, inputs: Inputs) -> Pooled:
        """(D, R, H) and (D, `width`)."""
        task = self.of_task(inputs.context)[:, None]
        others = [embed(self.equity(inputs, burden))[:, None] for embed, burden in self._embedded()]
        tokens = torch.cat([self.of_row(inputs.rows) + task, task, *others], 1)
        rows = inputs.mask.shape[1]
        mask = torch.cat([inputs.mask, inputs.mask.new_ones(len(tokens), tokens.shape[1] - rows)], 1)
        for layer in self.layers:
            tokens = layer(tokens, tokens, mask)
        tokens = torch.tanh(tokens)
        whole = [pool(tokens[:, :rows], inputs.mask), tokens[:, rows]]
        if self.burdens:
            whole.append(tokens[:, rows + 1 :].mean(1))
        return Pooled(tokens[:, :rows], torch.cat(whole, -1))

    def _embedded(self) -> list[tuple[nn.Module, int]]:
        return list(zip(self.of_burden, self.burdens, strict=True))

    @staticmethod
    def equity(inputs: Inputs, burden: int) -> Tensor:
        """How a burden lies on the candidates, (D, 4): least, mean, most and Jain's index."""
        amounts, mask = inputs.rows[..., burden], inputs.mask
        mean = (amounts * mask).sum(-1) / mask.sum(-1).clamp(min=1)
        least = torch.where(mask, amounts, torch.inf).amin(-1).nan_to_num(posinf=0.0)
        most = (amounts * mask).amax(-1)
        return torch.stack([least, mean, most, jain(amounts, mask)], -1)


class TransformerPPO(ProximalPolicy):
    """PPO over attending candidates."""

    faces: ClassVar[tuple[str, ...]] = ("route/single",)
    settings_type: ClassVar[type[Settings]] = TransformerSettings
    settings: TransformerSettings

    def make_network(self) -> nn.Module:
        """Scores and values from the tokens."""
        return ActorCritic(self.form, TokenEncoder(self.form, self.settings), self.settings.hidden)


METHOD: Final = TransformerPPO
