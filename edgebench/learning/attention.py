"""Attention over rows: whatever their number and order.

Vaswani and others, "Attention is all you need", NeurIPS 2017; normalised before each part as Xiong and others, "On
layer normalization in the transformer architecture", ICML 2020. Nothing tells a row's position.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Multi-head attention of some tokens to others.

    Args:
        width: H, of the tokens.
        heads: Among which the width is shared.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask, self.answer = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, asking: Tensor, told: Tensor, mask: Tensor) -> Tensor:
        """What every asking token (D, Q, H) takes from those told (D, K, H) that the mask (D, K) lets it see."""
        keys, values = (self._heads(part) for part in self.answer(told).chunk(2, -1))
        mixed = functional.scaled_dot_product_attention(
            self._heads(self.ask(asking)), keys, values, attn_mask=mask[:, None, None, :]
        )
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def _heads(self, tokens: Tensor) -> Tensor:
        return tokens.view(*tokens.shape[:2], self.heads, -1).transpose(1, 2)


class Layer(nn.Module):
    """Attention, then a perceptron of each token by itself, both added to what was there.

    Args:
        width: H, of the tokens.
        heads: Of the attention.
        mixes: Whether there is attention at all; else every token stays by itself.
    """

    def __init__(self, width: int, heads: int, *, mixes: bool = True) -> None:
        super().__init__()
        self.attention = Attention(width, heads) if mixes else None
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.alone = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, asking: Tensor, told: Tensor, mask: Tensor) -> Tensor:
        """Tokens (D, Q, H) after they have looked at those told (D, K, H) that the mask (D, K) lets them see."""
        if self.attention is not None:
            asking = asking + self.attention(self.before(asking), told, mask)
        added: Tensor = asking + self.alone(self.between(asking))
        return added


def jain(amounts: Tensor, mask: Tensor) -> Tensor:
    """Jain's index of the amounts (D, R) that count, (D,): 1 where all are alike, 1 of nothing.

    Jain, Chiu and Hawe, "A quantitative measure of fairness and discrimination for resource allocation in shared
    computer systems", DEC-TR-301, 1984.
    """
    counted = amounts * mask
    squares = counted.square().sum(-1) * mask.sum(-1)
    return torch.where(squares > 0.0, counted.sum(-1).square() / squares.clamp(min=1e-12), 1.0)
