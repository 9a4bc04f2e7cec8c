"""MA-PPO: one agent picks the expert, the other what is done with it where, each on a graph of its own.

Source: the expert-and-device MA-PPO of the mixture-of-experts placement system (Dhw1233/ExperimentsForMoE, its formula
sheets and README): GIN-like encoders (Xu, Hu, Leskovec and Jegelka, ICLR 2019) of three layers over the graph of
experts, whose edges are affinity, and the graph of devices, whose edges are links; an expert decoder; then a device
decoder over place, replicate and delete on every device, told of the expert that was selected; PPO.

What is different: the reward is what batches save, not what they take. Both decoders' old chances are those of the
actions that were taken. Each decision has an advantage of its own, by critics on what the whole graph is like, where
the original gives both the same. Normalisation of batches is left out of the policy, since training and acting must
agree on a ratio; values are not normalised by episode. Masks are the track's. eps of each layer is learned. Decoders
add their score to a linear one that begins with the estimate of what an edit gains, as all methods here do.

Parts: `graph` (without it no messages are passed), `conditioned` (without it the device decoder is not told the
embedding of the expert).

The world has to be made with `graph=True` (`face_settings`).

Command: edgebench reproduce --table place-methods --rows ma-ppo
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Final

import torch
from torch import Tensor, nn

from edgebench.errors import EdgeBenchError
from edgebench.learning.graphs import GINLayer, averaged
from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Settings
from edgebench.learning.networks import VALUES, KindCritic, Outputs, begin_barely, begun_with_prior, perceptron, pool
from edgebench.learning.ppo import PPOSettings, ProximalPolicy
from edgebench.learning.seen import Form

_LAYERS: Final = 3


@dataclasses.dataclass(frozen=True)
class MAPPOSettings(PPOSettings):
    """As PPO, with what suits Place.

    Attributes:
        graph: Whether messages are passed.
        conditioned: Whether the device decoder is told the embedding of the expert.
    """

    each: int = 4
    minibatch: int = 512
    epochs: int = 3
    others: float = 0.1
    others_discount: float = 0.9
    entropy: float = 0.0003
    graph: bool = True
    conditioned: bool = True


class GraphTower(nn.Module):
    """Rows of one kind, embedded by messages among them.

    Args:
        form: Of the decisions.
        hidden: Width.
        graph: Whether messages are passed.
    """

    def __init__(self, form: Form, hidden: int, *, graph: bool) -> None:
        super().__init__()
        self.of_row = nn.Linear(len(form.rows), hidden)
        self.layers = nn.ModuleList(GINLayer(hidden, hidden) for _ in range(_LAYERS))
        self._graph = graph

    def forward(self, rows: Tensor, weights: Tensor) -> Tensor:
        """(D, R, H)."""
        embedded = torch.tanh(self.of_row(rows))
        weights = weights if self._graph else torch.zeros_like(weights)
        for layer in self.layers:
            embedded = layer(embedded, weights)
        return embedded


class ExpertAndDevice(nn.Module):
    """Two graph encoders, an expert decoder, a device decoder conditioned on the expert, and critics.

    Args:
        form: With `is_expert`, `is_picked` and edges.
        hidden: Width.
        graph: Whether messages are passed.
        conditioned: Whether the device decoder is told the embedding of the expert.
    """

    def __init__(self, form: Form, hidden: int, *, graph: bool, conditioned: bool) -> None:
        super().__init__()
        self._is_expert, self._is_picked = form.rows.index("is_expert"), form.rows.index("is_picked")
        self.experts, self.devices = (GraphTower(form, hidden, graph=graph) for _ in range(2))
        common = 4 * hidden + len(form.context)
        self.expert_decoder = perceptron(hidden + common, hidden, 1)
        self.device_decoder = perceptron(2 * hidden + common, hidden, 1)
        for decoder in (self.expert_decoder, self.device_decoder):
            last = decoder[-1]
            assert isinstance(last, nn.Linear)
            begin_barely(last)
        self.straight = nn.ModuleList(begun_with_prior(form) for _ in range(2))
        self.critic = perceptron(common, hidden, hidden, VALUES - 1)
        self.kind = KindCritic(form, hidden)
        self._conditioned = conditioned

    def forward(self, inputs: Inputs) -> Outputs:
        """Scores of all rows and values; the mask tells whose turn it is."""
        is_expert = inputs.rows[0, :, self._is_expert] > 0.0
        of_expert, of_device = inputs.rows[:, is_expert], inputs.rows[:, ~is_expert]
        edges = averaged(inputs.edges.to(inputs.rows.dtype))
        experts = self.experts(of_expert, edges[:, is_expert][:, :, is_expert])
        devices = self.devices(of_device, edges[:, ~is_expert][:, :, ~is_expert])
        everybody = torch.ones(1, 1, dtype=torch.bool, device=experts.device)
        pooled = [pool(rows, everybody.expand(rows.shape[:2])) for rows in (experts, devices)]
        common = torch.cat([*pooled, inputs.context], -1)
        picked = (of_expert[..., self._is_picked, None] * experts).sum(1) * float(self._conditioned)
        scores = inputs.rows.new_zeros(inputs.mask.shape)
        scores[:, is_expert] = self._decoded(0, self.expert_decoder, of_expert, experts, common)
        told = torch.cat([common, picked], -1)
        scores[:, ~is_expert] = self._decoded(1, self.device_decoder, of_device, devices, told)
        return Outputs(scores, torch.cat([self.critic(common), self.kind(inputs.context)], -1))

    def _decoded(self, which: int, decoder: nn.Sequential, rows: Tensor, embedded: Tensor, common: Tensor) -> Tensor:
        beside = common[:, None].expand(-1, rows.shape[1], -1)
        scores: Tensor = decoder(torch.cat([embedded, beside], -1)) + self.straight[which](rows)
        return scores.squeeze(-1)


class MAPPO(ProximalPolicy):
    """PPO over `ExpertAndDevice`."""

    faces: ClassVar[tuple[str, ...]] = ("place/single",)
    settings_type: ClassVar[type[MAPPOSettings]] = MAPPOSettings
    settings: MAPPOSettings

    @classmethod
    def face_settings(cls, settings: Settings, face: str) -> dict[str, Any]:
        """The graphs."""
        return {"graph": True}

    def make_network(self) -> nn.Module:
        """Both agents' networks; EdgeBenchError where decisions have no edges."""
        if not self.form.edges:
            raise EdgeBenchError("the decisions have no graph", mend="make the world with graph=True")
        settings = self.settings
        return ExpertAndDevice(self.form, settings.hidden, graph=settings.graph, conditioned=settings.conditioned)


METHOD: Final = MAPPO
