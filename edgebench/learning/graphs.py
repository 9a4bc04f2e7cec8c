"""Layers that pass messages among the rows of a decision, and the graphs they pass along.

Every layer takes `weights`, (D, R, R): how strongly each row hears each other one. Rows may stand in any order, and
there may be any number of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edgebench.learning.inputs import Inputs
from edgebench.learning.networks import perceptron
from edgebench.learning.seen import Ground


class GINLayer(nn.Module):
    """`MLP((1 + eps) h + W h)`, eps learned: Xu, Hu, Leskovec and Jegelka, "How powerful are graph neural networks?",
    ICLR 2019, with weights on the edges.

    Args:
        before: Width of a row before.
        hidden: Width after.
    """

    def __init__(self, before: int, hidden: int) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.zeros(()))
        self.net = perceptron(before, hidden, hidden)

    def forward(self, rows: Tensor, weights: Tensor) -> Tensor:
        """(D, R, hidden)."""
        return torch.tanh(self.net((1.0 + self.own) * rows + weights @ rows))


class GINELayer(nn.Module):
    """`MLP((1 + eps) h + sum over heard rows of tanh(h' + edge))`, as Hu et al., "Strategies for pre-training graph
    neural networks", ICLR 2020: a message is a row with what its edge is like. Here the edge's own part is in
    proportion to its weight, so the sum is `W tanh(h')` and one matrix product, and the sum of weights is told beside.

    Args:
        before: Width of a row before.
        hidden: Width after.
    """

    def __init__(self, before: int, hidden: int) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.zeros(()))
        self.message = nn.Linear(before, before)
        self.edge = nn.Linear(1, before, bias=False)
        self.net = perceptron(before, hidden, hidden)

    def forward(self, rows: Tensor, weights: Tensor) -> Tensor:
        """(D, R, hidden)."""
        heard = weights @ torch.tanh(self.message(rows)) + self.edge(weights.sum(-1, keepdim=True))
        return torch.tanh(self.net((1.0 + self.own) * rows + heard))


def averaged(weights: Tensor) -> Tensor:
    """Weights that sum to 1 over what a row hears, or to 0 where it hears nothing."""
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-6)


def node_weights(inputs: Inputs, grounds: Sequence[Ground]) -> Tensor:
    """Closeness of the nodes that rows stand for, (D, R, R): by links, 1 on one node; 0 for rows without a node.

    A row does not hear itself, nor rows that may not be chosen.
    """
    weights = inputs.rows.new_zeros((*inputs.nodes.shape, inputs.nodes.shape[1]))
    for number, ground in enumerate(grounds):
        here = inputs.ground == number
        if here.any():
            closeness = torch.from_numpy(ground.closeness).to(inputs.rows)
            nodes = inputs.nodes[here].long().clamp(min=0)
            near = closeness[nodes[:, :, None], nodes[:, None, :]]
            weights[here] = torch.where(nodes[:, :, None] == nodes[:, None, :], 1.0, near)
    known = (inputs.nodes >= 0) & inputs.mask
    apart = ~torch.eye(inputs.nodes.shape[1], dtype=torch.bool, device=weights.device)
    return weights * (known[:, :, None] & known[:, None, :] & apart)
