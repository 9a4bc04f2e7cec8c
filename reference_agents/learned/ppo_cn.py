"""PPO-CN: PPO whose exploration is coloured noise, so that what it tries it tries for a while.

Source: Eberhard, Hollenstein, Pinneri and Martius, "Pink noise is all you need: colored noise exploration in deep
reinforcement learning", ICLR 2023.

What is different: actions are choices, not vectors. A choice is drawn by the Gumbel trick, and the number behind every
row is pink over the decisions of an episode: every node has processes of its own, so that a node which luck favours is
favoured for some time. Each number by itself is distributed as without colour, and those of one decision are
independent (rows that would share a process draw afresh), so that log-probabilities are those of the policy. The PPO-CN
of TopoFreeRL adds noise to the logits and keeps the log-probability of the policy without it.

Parts: `coloured`. Without it the noise is white, which is PPO.

Command: edgebench reproduce --table route-methods --rows ppo-cn
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Final

import torch
from torch import Tensor

from edgebench.learning.actions import Choice
from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Lesson, Settings
from edgebench.learning.noise import coloured_noise, uniform_of
from edgebench.learning.ppo import PPOSettings, ProximalPolicy
from edgebench.learning.rollout import Tried
from edgebench.learning.seen import Seen
from edgebench.learning.world import Practice

_LENGTH: Final = 256
"""Decisions after which a process begins anew: about an episode's."""
_PROCESSES: Final = 128
"""Of an episode."""
_OF_A_NODE: Final = 5
"""A node's rows take every fifth process from its first: nodes of neighbouring numbers seldom meet."""


@dataclasses.dataclass(frozen=True)
class ColouredSettings(PPOSettings):
    """Hyper-parameters of PPO with coloured noise.

    Attributes:
        beta: How fast the noise's power falls with frequency; 1 is pink.
        coloured: Whether the noise is coloured.
    """

    # Tried at 0.3 M decisions on s1-s3, seed 1, by mean utility on val (s1-s4): entropy 0.003 .424,
    # 0.001 .421, 0.001 at beta 0.5 .424; pink is what the source recommends.
    entropy: float = 0.003
    beta: float = 1.0
    coloured: bool = True


class ColouredPPO(ProximalPolicy):
    """PPO but for the numbers behind its choices."""

    faces: ClassVar[tuple[str, ...]] = ("route/single",)
    settings_type: ClassVar[type[Settings]] = ColouredSettings
    settings: ColouredSettings

    def practise(self, world: Practice) -> Lesson:
        """Draw the processes of the episodes, then as PPO."""
        self._step = 0
        if self.settings.coloured:
            shape = (world.count, _PROCESSES, _LENGTH)
            self._noise = coloured_noise(shape, self.settings.beta, self.draws.torch)
        return super().practise(world)

    def explore(self, inputs: Inputs, seen: Seen) -> Tried:
        """Actions drawn from the policy by the noise."""
        outputs = self.outputs(inputs)
        distribution = self.distribution(inputs, outputs)
        if self.settings.coloured and isinstance(distribution, Choice):
            action = distribution.chosen_by(self._numbers(inputs, seen))
        else:
            action = distribution.sample(self.draws)
        self._step += 1
        return Tried(action, distribution.log_prob(action), outputs.values)

    def _numbers(self, inputs: Inputs, seen: Seen) -> Tensor:
        """Numbers within (0, 1) behind the rows, (D, R)."""
        process, is_shared = processes(inputs.nodes.cpu())
        episode = torch.from_numpy(seen.episode)[:, None]
        pink = uniform_of(self._noise[episode, process, self._step % _LENGTH])
        return torch.where(is_shared, self.draws.uniform(pink), pink).to(self.device)


def processes(nodes: Tensor) -> tuple[Tensor, Tensor]:
    """Which of its episode's processes is behind every row, and whether an earlier row of the decision has it, (D, R).

    Args:
        nodes: That the rows stand for, (D, R).
    """
    earlier = torch.ones(nodes.shape[1], nodes.shape[1], dtype=torch.bool).tril(-1)
    of_node = ((nodes[:, :, None] == nodes[:, None, :]) & earlier).sum(-1)
    process = (nodes.long() * _OF_A_NODE + of_node * (_OF_A_NODE**2)) % _PROCESSES
    return process, ((process[:, :, None] == process[:, None, :]) & earlier).any(-1)


METHOD: Final = ColouredPPO
