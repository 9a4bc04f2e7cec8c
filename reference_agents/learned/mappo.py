"""MAPPO: PPO whose critic sees what all who act at once see together, while the policy sees its own decision.

Source: Yu, Velu, Vinitsky, Gao, Wang, Bayen and Wu, "The surprising effectiveness of PPO in cooperative multi-agent
games", NeurIPS 2022.

What is different: the critic sees mean and maximum over all, not their observations one behind the other, so that it
fits every number of agents; what comes to the others counts beside what is earned oneself, in place of one reward for
all; rewards are in units of their spread.

Parts: `central`, what the critic sees of all; without it it sees what the policy sees.

Command: edgebench reproduce --table offload-methods --rows mappo
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Final

from torch import nn

from edgebench.learning.method import Settings
from edgebench.learning.networks import RowEncoder
from edgebench.learning.ppo import PPOSettings
from edgebench.learning.team_ppo import CentralCritic, TeamPolicy


@dataclasses.dataclass(frozen=True)
class CentralSettings(PPOSettings):
    """Hyper-parameters of MAPPO.

    Attributes:
        central: Whether the critic sees what all see together.
    """

    each: int = 4
    central: bool = True


class CentralPPO(TeamPolicy):
    """`TeamPolicy` with a central critic."""

    faces: ClassVar[tuple[str, ...]] = ("route/team", "offload/team", "allocate/team", "place/team")
    settings_type: ClassVar[type[Settings]] = CentralSettings
    settings: CentralSettings

    def make_network(self) -> nn.Module:
        """An actor of its own decision and a critic of all."""
        if not self.settings.central:
            return super().make_network()
        hidden = self.settings.hidden
        return CentralCritic(self.form, RowEncoder(self.form, hidden), hidden)


METHOD: Final = CentralPPO
