"""GNN-PPO: the graph-assisted method, rows that hear each other along the region's links.

Source: the graph-assisted PPO among the methods that TopoFreeRL compares itself with: two GINE layers of width 128 over
the 20 nearest servers, a scorer for every node, a critic on mean and maximum, PPO.

What is different: the graph is of the region's links, a link weighing by how quick it is, among the nodes of the rows
that may be chosen, in place of Euclidean neighbours with edges all alike; the same graph is used in training and
evaluation, in every region. A layer adds to what a row was. Widths are those of the other methods here, and so is the
update (`edgebench.learning.ppo`).

Parts: `links`. Without it the same net passes no messages.

Command: edgebench reproduce --table route-methods --rows gnn-ppo
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar, Final

import torch
from torch import nn

from edgebench.learning.graphs import GINELayer, averaged, node_weights
from edgebench.learning.inputs import Inputs
from edgebench.learning.networks import ActorCritic, Pooled, pool
from edgebench.learning.ppo import PPOSettings, ProximalPolicy
from edgebench.learning.seen import Form, Ground

_LAYERS: Final = 2


@dataclasses.dataclass(frozen=True)
class GNNSettings(PPOSettings):
    """As PPO.

    Attributes:
        links: Whether rows hear each other along links.
    """

    # Tried at 1 M decisions on s1-s3, seed 0, minibatches of 512, best mean utility on val: learning rate 3e-3 .426,
    # 1e-3 .422, 1e-3 where a layer adds to what a row was .441.
    learning_rate: float = 1e-3
    minibatch: int = 512
    links: bool = True


class LinkEncoder(nn.Module):
    """Embeds rows beside the context, then passes messages among them.

    Args:
        form: Of the decisions.
        hidden: Width of a row's embedding.
        links: Whether messages are passed.

    Attributes:
        grounds: Whose links they are.
    """

    def __init__(self, form: Form, hidden: int, *, links: bool) -> None:
        super().__init__()
        self.of_row = nn.Linear(len(form.rows), hidden)
        self.beside = nn.Linear(len(form.context), hidden)
        self.layers = nn.ModuleList(GINELayer(hidden, hidden) for _ in range(_LAYERS))
        self.context = nn.Linear(len(form.context), hidden)
        self.width, self._links = 3 * hidden, links
        self.grounds: Sequence[Ground] = ()

    def forward(self, inputs: Inputs) -> Pooled:
        """(D, R, H) and (D, 3 H)."""
        rows = torch.tanh(self.of_row(inputs.rows) + self.beside(inputs.context)[:, None])
        size = inputs.mask.shape[1]
        weights = averaged(node_weights(inputs, self.grounds)) if self._links else rows.new_zeros((1, size, size))
        for layer in self.layers:
            rows = rows + layer(rows, weights)
        whole = torch.cat([pool(rows, inputs.mask), torch.tanh(self.context(inputs.context))], -1)
        return Pooled(rows, whole)


class GNNPPO(ProximalPolicy):
    """PPO over `LinkEncoder`."""

    faces: ClassVar[tuple[str, ...]] = ("route/single",)
    settings_type: ClassVar[type[GNNSettings]] = GNNSettings
    settings: GNNSettings

    def make_network(self) -> nn.Module:
        """Scores rows that have heard each other."""
        hidden = self.settings.hidden
        self._encoder = LinkEncoder(self.form, hidden, links=self.settings.links)
        return ActorCritic(self.form, self._encoder, hidden)

    def enter(self, grounds: tuple[Ground, ...]) -> None:
        """The encoder's links are those of the grounds."""
        super().enter(grounds)
        self._encoder.grounds = grounds


METHOD: Final = GNNPPO
