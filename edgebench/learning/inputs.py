"""Decisions as tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from edgebench.learning.seen import Seen


class Inputs(NamedTuple):
    """What a network is shown of D decisions (`edgebench.learning.seen.Seen`)."""

    rows: Tensor  # (D, R, F)
    context: Tensor  # (D, C)
    mask: Tensor  # (D, R) bool
    whole: Tensor  # (D, W)
    nodes: Tensor  # (D, R)
    ground: Tensor  # (D,)
    edges: Tensor  # (D, R, R), or (D, 0, 0) where rows have none

    def take(self, chosen: Tensor | slice) -> Self:
        """Some of the decisions."""
        return type(self)(*(part[chosen] for part in self))


def inputs_of(seen: Seen, device: torch.device) -> Inputs:
    """The tensors of what is seen; on a CPU they share its memory."""
    edges = np.zeros((len(seen.rows), 0, 0), np.float16) if seen.edges is None else seen.edges
    parts = (seen.rows, seen.context, seen.mask, seen.whole, seen.nodes, seen.ground, edges)
    return Inputs(*(torch.from_numpy(part).to(device) for part in parts))


def joined(many: Iterable[Inputs]) -> Inputs:
    """All decisions of several steps, rows padded to the most that one has."""
    steps = list(many)
    most = max(step.rows.shape[1] for step in steps)
    return Inputs(*(torch.cat(parts) for parts in zip(*(_padded(step, most) for step in steps), strict=True)))


def _padded(inputs: Inputs, rows: int) -> Inputs:
    missing = rows - inputs.rows.shape[1]
    if not missing:
        return inputs
    pad = torch.nn.functional.pad
    return inputs._replace(
        rows=pad(inputs.rows, (0, 0, 0, missing)),
        mask=pad(inputs.mask, (0, missing)),
        nodes=pad(inputs.nodes, (0, missing), value=-1),
        edges=pad(inputs.edges, (0, missing, 0, missing)) if inputs.edges.shape[1] else inputs.edges,
    )
