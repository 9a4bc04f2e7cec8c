"""Whole episodes of a world, played by a policy that explores."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edgebench.learning.inputs import Inputs, inputs_of, joined
from edgebench.learning.seen import Seen
from edgebench.learning.world import Practice


class Tried(NamedTuple):
    """What a policy did about D decisions, and what it thought of them."""

    action: Tensor  # (D,) or (D, n)
    log_prob: Tensor  # (D,)
    values: Tensor  # (D, VALUES)


class Experience(NamedTuple):
    """The n decisions of whole episodes, in the order in which they were taken."""

    inputs: Inputs
    tried: Tried
    reward: Tensor  # (n, 1 + objectives)
    episode: Tensor  # (n,)
    stream: Tensor  # (n,)
    score: float  # mean primary metric of the episodes


def play(world: Practice, explore: Callable[[Inputs, Seen], Tried], device: torch.device) -> Experience:
    """Play an episode of each of the world's to its end."""
    steps: list[tuple[Inputs, Tried]] = []
    rewards, episodes, streams = [], [], []
    world.begin()
    while (seen := world.seen()).episode.size:
        inputs = inputs_of(seen, device)
        with torch.no_grad():
            tried = explore(inputs, seen)
        rewards.append(world.step(tried.action.cpu().numpy()))
        steps.append((inputs, tried))
        episodes.append(seen.episode)
        streams.append(seen.stream)
    return Experience(
        joined(inputs for inputs, _ in steps),
        Tried(*(torch.cat(parts) for parts in zip(*(tried for _, tried in steps), strict=True))),
        torch.from_numpy(np.concatenate(rewards).astype(np.float32)).to(device),
        torch.from_numpy(np.concatenate(episodes)),
        torch.from_numpy(np.concatenate(streams)),
        float(world.scores().mean()),
    )
