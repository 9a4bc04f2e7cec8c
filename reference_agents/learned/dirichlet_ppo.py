"""Dirichlet-PPO: PPO whose actions are shares drawn from a Dirichlet distribution.

Source: DFaaS, IPDPSW 2025, doi 10.1109/IPDPSW66978.2025.00176: PPO, a Dirichlet distribution over local, neighbours and
rejection, whose concentrations come from a softplus.

What is different: rows are scored one by one by a shared net, so that a policy fits every region, and all nodes share
it. Concentrations are ten times a softplus, plus 1, and the best action is the distribution's mode,
since densities below 1 have no bound.
A node is also told what became of its neighbours in the slot after, as that is what it does to them.

Parts: `neighbourhood`, what became of the neighbours; without it a node learns from its own users alone.

Command: edgebench reproduce --table offload-methods --rows dirichlet-ppo
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray

from edgebench.learning.method import Settings
from edgebench.learning.ppo import Judged, PPOSettings
from edgebench.learning.rollout import Experience
from edgebench.learning.team_ppo import TeamPolicy
from edgebench.learning.world import Practice


@dataclasses.dataclass(frozen=True)
class DirichletSettings(PPOSettings):
    """Hyper-parameters of Dirichlet-PPO.

    Attributes:
        neighbourhood: Whether what became of the neighbours counts.
    """

    each: int = 2
    discount: float = 0.8
    trace: float = 0.9
    others: float = 0.0
    neighbourhood: bool = True


class DirichletPPO(TeamPolicy):
    """`TeamPolicy` over shares, with credit from the neighbourhood."""

    faces: ClassVar[tuple[str, ...]] = ("offload/single", "offload/team")
    settings_type: ClassVar[type[Settings]] = DirichletSettings
    settings: DirichletSettings

    def judge(self, experience: Experience, world: Practice) -> Judged:
        """The node's own advantage, and those of its neighbours a slot later."""
        judged = super().judge(experience, world)
        if not self.settings.neighbourhood:
            return judged
        episode, stream = experience.episode.numpy(), experience.stream.numpy()
        slot = slice(0, np.unique(episode * world.streams + stream).size)
        near = linked(episode[slot], stream[slot], experience.inputs.nodes[slot].cpu().numpy())
        later = neighbours_later(judged.advantage.cpu().numpy().reshape(-1, slot.stop), near)
        return judged._replace(advantage=judged.advantage + torch.from_numpy(later.ravel()).to(self.device))


def linked(episode: NDArray[np.int64], stream: NDArray[np.int64], nodes: NDArray[np.int32]) -> NDArray[np.int64]:
    """Of the decisions of one slot, whose streams are nodes: which are those of each one's neighbours, (D, R).

    Args:
        episode: Of each, (D,).
        stream: The node that decides, (D,).
        nodes: The node of each of its rows, -1 for none, (D, R).
    """
    place = np.full((int(episode.max()) + 1, int(max(stream.max(), nodes.max())) + 1), -1)
    place[episode, stream] = np.arange(episode.size)
    is_neighbour = (nodes >= 0) & (nodes != stream[:, None])
    return np.where(is_neighbour, place[episode[:, None], np.maximum(nodes, 0)], -1)


def neighbours_later(own: NDArray[np.float32], linked: NDArray[np.int64]) -> NDArray[np.float32]:
    """Sum over the neighbours of their advantage a slot later, (slots, D)."""
    later = np.zeros((own.shape[0], own.shape[1] + 1), np.float32)
    later[:-1, :-1] = own[1:]
    return np.asarray(later[:, linked].sum(-1), np.float32)


METHOD: Final = DirichletPPO
