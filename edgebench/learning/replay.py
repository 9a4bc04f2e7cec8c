"""A memory of steps: what every decision of a step saw, did and brought, and what the same streams saw next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edgebench.learning.inputs import Inputs, joined
from edgebench.learning.rollout import Experience


class Transitions(NamedTuple):
    """D decisions that some took, and each one's next."""

    inputs: Inputs
    action: Tensor  # (D,) or (D, n)
    reward: Tensor  # (D,)
    after: Inputs
    goes_on: Tensor  # (D,) 1 where a next decision is known, 0 where the episode has come to its true end
    around: Tensor  # (D, n) mean action of all who acted at once in the episode


class Replay:
    """The latest transitions, the oldest overwritten.

    Args:
        size: How many are kept at most.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: Transitions | None = None

    def __len__(self) -> int:
        return 0 if self._kept is None else len(self._kept.reward)

    def add(self, transitions: Transitions) -> None:
        """Keep these too."""
        if self._kept is None:
            kept = transitions
        else:
            before = self._kept
            kept = Transitions(
                joined([before.inputs, transitions.inputs]),
                torch.cat([before.action, transitions.action]),
                torch.cat([before.reward, transitions.reward]),
                joined([before.after, transitions.after]),
                torch.cat([before.goes_on, transitions.goes_on]),
                torch.cat([before.around, transitions.around]),
            )
        self._kept = taken(kept, torch.arange(max(0, len(kept.reward) - self._size), len(kept.reward)))

    def draw(self, count: int, generator: torch.Generator) -> Transitions:
        """Some at random, the same one perhaps twice."""
        assert self._kept is not None
        return taken(self._kept, torch.randint(len(self), (count,), generator=generator))


def taken(transitions: Transitions, chosen: Tensor) -> Transitions:
    """Some of the transitions."""
    chosen = chosen.to(transitions.reward.device)
    return Transitions(
        transitions.inputs.take(chosen),
        transitions.action[chosen],
        transitions.reward[chosen],
        transitions.after.take(chosen),
        transitions.goes_on[chosen],
        transitions.around[chosen],
    )


def transitions_of(experience: Experience, reward: Tensor, *, truncated: bool) -> Transitions:
    """Transitions along the streams of whole episodes.

    Args:
        experience: The episodes.
        reward: Of each decision, (n,).
        truncated: Whether episodes end by a time limit: a stream's last decision is left out then, since what
            follows it is not known; else nothing follows it.
    """
    key = experience.episode.numpy() * (int(experience.stream.max()) + 1) + experience.stream.numpy()
    order = np.argsort(key, kind="stable")
    follows = np.full(key.size, -1)
    same = key[order][1:] == key[order][:-1]
    follows[order[:-1][same]] = order[1:][same]
    chosen = np.flatnonzero(follows >= 0) if truncated else np.arange(key.size)
    here, after = torch.from_numpy(chosen), torch.from_numpy(np.maximum(follows[chosen], 0))
    goes_on = torch.from_numpy((follows[chosen] >= 0).astype(np.float32))
    action, device = experience.tried.action, reward.device
    around = torch.from_numpy(mean_actions(experience, key)).to(device)
    return Transitions(
        experience.inputs.take(here.to(device)),
        action[here.to(device)],
        reward[here.to(device)],
        experience.inputs.take(after.to(device)),
        goes_on.to(device),
        around[here.to(device)],
    )


def mean_actions(experience: Experience, key: np.ndarray) -> np.ndarray:
    """Mean action of all who acted at once in the same episode, (n, levels)."""
    turn = np.zeros(key.size, np.int64)
    order = np.argsort(key, kind="stable")
    begins = np.r_[True, key[order][1:] != key[order][:-1]]
    place = np.arange(key.size)
    turn[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    together = experience.episode.numpy() * (int(turn.max()) + 1) + turn
    _, group, counts = np.unique(together, return_inverse=True, return_counts=True)
    action = experience.tried.action.cpu().numpy()
    sums = np.zeros((counts.size, action.shape[1]), np.float32)
    np.add.at(sums, group, action)
    return (sums / counts[:, None])[group].astype(np.float32)
