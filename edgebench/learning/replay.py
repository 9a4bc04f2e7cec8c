"""A memory of joint steps: what all who decided at once saw, did and were brought, and what they saw next."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from edgebench.learning.inputs import Inputs, joined
from edgebench.learning.rollout import Experience

_NOTHING = -1


class Transitions(NamedTuple):
    """D decisions of whole joint steps, and each one's next."""

    inputs: Inputs
    action: Tensor  # (D,) or (D, n)
    reward: Tensor  # (D,)
    after: Inputs  # what those without a next are told here does not count
    goes_on: Tensor  # (D,) 1 where there is a next decision, 0 where the episode has come to its true end
    group: Tensor  # (D,) the joint step, from 0


class _Kept(NamedTuple):
    inputs: Inputs
    action: Tensor
    reward: Tensor
    follows: Tensor  # (n,) where the stream's next decision is kept, -1 for none
    begins: Tensor  # (n,) whether a joint step begins here
    whole: Tensor  # (n,) whether what follows is known of its joint step


class Replay:
    """The latest joint steps, the oldest forgotten.

    Args:
        size: How many decisions are kept at most.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: _Kept | None = None

    def __len__(self) -> int:
        return 0 if self._kept is None else len(self._kept.reward)

    def add(self, experience: Experience, reward: Tensor, *, truncated: bool) -> None:
        """Keep the joint steps of whole episodes too.

        Args:
            experience: The episodes.
            reward: Of each decision, (n,).
            truncated: Whether episodes end by a time limit: what follows a last decision is not known then; else
                nothing follows it.
        """
        turn = turns_of(experience)
        order = np.lexsort((turn, experience.episode.numpy()))
        episode, turn, stream = experience.episode.numpy()[order], turn[order], experience.stream.numpy()[order]
        follows = _followers(episode, stream)
        begins = np.r_[True, (episode[1:] != episode[:-1]) | (turn[1:] != turn[:-1])]
        goes_on = np.minimum.reduceat(follows != _NOTHING, np.flatnonzero(begins))
        whole = goes_on[np.cumsum(begins) - 1] | (not truncated)
        chosen = torch.from_numpy(order).to(reward.device)
        told = (torch.from_numpy(part) for part in (np.where(follows < 0, follows, follows + len(self)), begins, whole))
        new = _Kept(experience.inputs.take(chosen), experience.tried.action[chosen], reward[chosen], *told)
        self._kept = self._cut(new if self._kept is None else _together(self._kept, new))

    def _cut(self, kept: _Kept) -> _Kept:
        """Without the oldest joint steps that are too many."""
        begins = torch.nonzero(kept.begins).squeeze(-1)
        first = int(begins[torch.searchsorted(begins, max(0, len(kept.reward) - self._size))])
        rest = torch.arange(first, len(kept.reward), device=kept.reward.device)
        cut = _Kept(kept.inputs.take(rest), *(part[rest.to(part.device)] for part in kept[1:]))
        return cut._replace(follows=torch.where(cut.follows < 0, cut.follows, cut.follows - first))

    def draw(self, count: int, generator: torch.Generator) -> Transitions:
        """Joint steps at random, the same one perhaps twice, of some `count` decisions together."""
        assert self._kept is not None
        kept = self._kept
        begins = torch.nonzero(kept.begins).squeeze(-1)
        sizes = torch.diff(begins, append=torch.tensor([len(self)]))
        known = torch.nonzero(kept.whole[begins]).squeeze(-1)
        steps = max(1, round(count / float(sizes.double().mean())))
        drawn = known[torch.randint(len(known), (steps,), generator=generator)]
        group = torch.repeat_interleave(torch.arange(steps), sizes[drawn])
        before = torch.cumsum(sizes[drawn], 0) - sizes[drawn]
        chosen = begins[drawn][group] + torch.arange(len(group)) - before[group]
        follows, device = kept.follows[chosen], kept.reward.device
        here, after = chosen.to(device), follows.clamp(min=0).to(device)
        goes_on = (follows >= 0).to(kept.reward.dtype).to(device)
        inputs, later = kept.inputs.take(here), kept.inputs.take(after)
        return Transitions(inputs, kept.action[here], kept.reward[here], later, goes_on, group.to(device))

    def memory(self) -> dict[str, Any]:
        """All that is kept, as tensors by name."""
        if self._kept is None:
            return {}
        inputs, *rest = self._kept
        return {"inputs": inputs._asdict(), **dict(zip(_Kept._fields[1:], rest, strict=True))}

    def remember(self, memory: dict[str, Any]) -> None:
        """Take up what `memory` gave."""
        if memory:
            self._kept = _Kept(Inputs(**memory["inputs"]), *(memory[name] for name in _Kept._fields[1:]))


def _together(before: _Kept, new: _Kept) -> _Kept:
    parts = (torch.cat(pair) for pair in zip(before[1:], new[1:], strict=True))
    return _Kept(joined([before.inputs, new.inputs]), *parts)


def joint_steps(experience: Experience) -> Tensor:
    """A number for all that decided at once in an episode, (n,)."""
    turn = turns_of(experience)
    return torch.from_numpy(experience.episode.numpy() * (int(turn.max()) + 1) + turn)


def turns_of(experience: Experience) -> np.ndarray[Any, np.dtype[np.int64]]:
    """How many decisions each one's stream had taken before it in its episode, (n,)."""
    key = experience.episode.numpy() * (int(experience.stream.max()) + 1) + experience.stream.numpy()
    order = np.argsort(key, kind="stable")
    begins = np.r_[True, key[order][1:] != key[order][:-1]]
    place = np.arange(key.size)
    turn = np.empty(key.size, np.int64)
    turn[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return turn


def _followers(episode: np.ndarray[Any, Any], stream: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where each decision's stream decides next, -1 for nowhere, (n,)."""
    key = episode * (int(stream.max()) + 1) + stream
    order = np.argsort(key, kind="stable")
    follows = np.full(key.size, _NOTHING)
    same = key[order][1:] == key[order][:-1]
    follows[order[:-1][same]] = order[1:][same]
    return follows
