"""A2C: the advantage actor-critic, one pass over what has just been played, no clip.

Source: Mnih and others, "Asynchronous methods for deep reinforcement learning", ICML 2016, the method of the
multi-cloud workflow scheduler (as A3C).

What is different: episodes are played side by side and learned from together in place of threads that overwrite each
other's weights, so that a run repeats; returns reach to the end of the episode and are blended by a trace (`PPO`'s
advantages) in place of 20 steps; a round is learned from in minibatches, each decision once.

Parts: `critic`. Without it the policy follows returns as they are (Williams, "Simple statistical gradient-following
algorithms for connectionist reinforcement learning", Machine Learning 8, 1992).

Command: edgebench reproduce --table route-methods --rows a2c
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Final

import torch
from torch import Tensor

from edgebench.learning.method import Settings
from edgebench.learning.ppo import Judged, PPOSettings, ProximalPolicy
from edgebench.learning.rollout import Experience
from edgebench.learning.world import Practice


@dataclasses.dataclass(frozen=True)
class A2CSettings(PPOSettings):
    """Hyper-parameters of A2C.

    Attributes:
        critic: Whether advantages are over what the critics expect; else returns as they are.
    """

    epochs: int = 1
    # Tried at 0.3 M decisions on s1-s3, seed 1, by mean utility on val (s1-s4): minibatch 2048 .435,
    # 1024 .418, 2048 at a learning rate of 6e-3 .435.
    minibatch: int = 2048
    learning_rate: float = 3e-3
    critic: bool = True


class A2C(ProximalPolicy):
    """The policy gradient itself."""

    faces: ClassVar[tuple[str, ...]] = ("route/single", "allocate/single", "place/single")
    settings_type: ClassVar[type[Settings]] = A2CSettings
    settings: A2CSettings

    def judge(self, experience: Experience, world: Practice) -> Judged:
        """Without critics nothing is expected, and the trace reaches to the end."""
        if self.settings.critic:
            return super().judge(experience, world)
        tried = experience.tried
        return super().judge(experience._replace(tried=tried._replace(values=torch.zeros_like(tried.values))), world)

    def trace(self) -> float:
        """All of what follows, where no critic stands in for it."""
        return super().trace() if self.settings.critic else 1.0

    def policy_loss(self, ratio: Tensor, advantage: Tensor) -> Tensor:
        """Its gradient is that of the actions' log-probabilities times their advantages."""
        return -(torch.log(ratio) * advantage).mean()


METHOD: Final = A2C
