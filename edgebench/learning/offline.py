"""Decisions that were recorded (`edgebench record`), shown as those of a world are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgebench.learning.inputs import Inputs, inputs_of, joined
from edgebench.learning.seen import Seen
from edgebench.learning.sight import Sight

if TYPE_CHECKING:
    import minari


def recorded_decisions(dataset: minari.MinariDataset, sight: Sight) -> tuple[Inputs, Tensor]:
    """What a policy would have seen at every step, and the rows that were chosen, (n,).

    Args:
        dataset: Of a track whose actions are the rows' numbers.
        sight: Of the region on which it was recorded.
    """
    shown: list[Inputs] = []
    chosen: list[NDArray[Any]] = []
    for episode in dataset.iterate_episodes():
        sight.begin({})
        for step, action in enumerate(episode.actions):
            told = (episode.observations, episode.infos)
            observation, info = ({name: part[step] for name, part in whole.items()} for whole in told)

            def follow(seen: Seen, action: Any = action) -> NDArray[Any]:
                shown.append(inputs_of(seen, torch.device("cpu")))
                chosen.append(np.atleast_1d(action))
                return chosen[-1]

            sight.decide(observation, info, follow)
    return joined(shown), torch.from_numpy(np.concatenate(chosen))
