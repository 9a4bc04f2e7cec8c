"""PF-PPO: PPO that is proportionally fair to groups of users.

Source: Kelly, "Charging and rate control for elastic traffic", European Transactions on Telecommunications 8, 1997:
an allocation is proportionally fair if it maximises the sum of the logarithms of what everyone gets. TopoFreeRL names
a PF-PPO, whose published code has no such term.

What is different: the sum is over groups, as no user has enough tasks to have a rate. Users of a region whose weight of
quality lies in the same quarter are a group; its rate is the running mean of what its tasks earn. The gradient of the
logarithm weighs what a decision brings by 1 over its group's rate; weights are scaled to a mean of 1 over decisions.

Parts: `fairness`. Without it all weights are 1, which is PPO.

Command: edgebench reproduce --table route-methods --rows pf-ppo
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

from edgebench.learning.method import Settings
from edgebench.learning.ppo import PPOSettings, ProximalPolicy
from edgebench.learning.rollout import Experience

_CLASSES: Final = 4
_LEAST: Final = 0.05
"""Utility of a task; a group that has less weighs as one that has this."""


@dataclasses.dataclass(frozen=True)
class FairSettings(PPOSettings):
    """Hyper-parameters of proportionally fair PPO.

    Attributes:
        memory: How much of a group's rate stays when a round is added.
        fairness: Whether what is earned is weighed.
    """

    # Tried at 0.3 M decisions on s1-s3, seed 1, by mean utility on val (s1-s4): memory 0.7 .432,
    # 0.9 .428, 0.7 at a learning rate of 2e-3 .432.
    memory: float = 0.7
    fairness: bool = True


class FairPPO(ProximalPolicy):
    """PPO on rewards weighed by the gradient of the groups' logarithms."""

    faces: ClassVar[tuple[str, ...]] = ("route/single",)
    settings_type: ClassVar[type[Settings]] = FairSettings
    settings: FairSettings
    _rates: Tensor | None = None

    def rewards(self, experience: Experience) -> Tensor:
        """Rewards by the weights of their groups, (n,)."""
        reward = super().rewards(experience)
        if not self.settings.fairness:
            return reward
        groups = self.groups(experience)
        self._rates = self._updated(group_rates(experience, groups.cpu(), reward.cpu(), _CLASSES * len(self.grounds)))
        weights = 1.0 / self._rates.clamp(min=_LEAST)
        weight = weights.to(self.device)[groups]
        return reward * weight / weight.mean()

    def learn(self, experience: Experience, judged: Any) -> dict[str, float]:
        """As PPO; the log has Jain's index of the rates."""
        figures = super().learn(experience, judged)
        if self._rates is not None:
            figures["jain"] = float(self._rates.sum().square() / (len(self._rates) * self._rates.square().sum()))
        return figures

    def groups(self, experience: Experience) -> Tensor:
        """The group of every decision, (n,): its region's and its user's."""
        quality = experience.inputs.context[:, self.form.context.index("quality_weight")]
        return experience.inputs.ground * _CLASSES + (quality * _CLASSES).long().clamp(0, _CLASSES - 1)

    def _updated(self, rates: Tensor) -> Tensor:
        if self._rates is None or len(self._rates) != len(rates):
            return torch.nan_to_num(rates, nan=float(rates.nanmean()))
        kept = self.settings.memory
        return torch.where(rates.isnan(), self._rates, kept * self._rates + (1.0 - kept) * rates)

    def memory(self) -> dict[str, Any]:
        """The rates too."""
        return super().memory() | ({} if self._rates is None else {"rates": self._rates})

    def remember(self, memory: dict[str, Any]) -> None:
        """The rates too."""
        super().remember(memory)
        self._rates = memory.get("rates")


def group_rates(experience: Experience, groups: Tensor, reward: Tensor, count: int) -> Tensor:
    """What a task of each group has earned on average, (count,); nan of a group without any.

    Args:
        experience: Whole episodes.
        groups: Of every decision, (n,).
        reward: Of every decision, (n,).
        count: How many groups there are.
    """
    streams = int(experience.stream.max()) + 1
    tasks = torch.unique(torch.stack([experience.episode * streams + experience.stream, groups]), dim=1)[1]
    earned = torch.zeros(count).index_add(0, groups, reward)
    return earned / torch.bincount(tasks, minlength=count)


METHOD: Final = FairPPO
