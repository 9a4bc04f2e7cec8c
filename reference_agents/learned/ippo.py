"""Independent PPO: all who act share one policy, and each learns from what it sees and earns itself.

Source: de Witt, Gupta, Makoviichuk, Makoviychuk, Torr, Sun and Whiteson, "Is independent learning all you need in the
StarCraft multi-agent challenge?", arXiv 2011.09533.

What is different: rows are scored one by one by a shared net, so that a policy fits every region and every number of
agents; rewards are in units of their spread.

Parts: `mask`. Without it the policy has to find out itself what may not be chosen.

Command: edgebench reproduce --table offload-methods --rows ippo
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Final

from edgebench.learning.method import Settings
from edgebench.learning.ppo import PPOSettings
from edgebench.learning.team_ppo import TeamPolicy


@dataclasses.dataclass(frozen=True)
class IndependentSettings(PPOSettings):
    """Hyper-parameters of independent PPO: nothing comes from what the others earn."""

    each: int = 4
    others: float = 0.0


class IndependentPPO(TeamPolicy):
    """`TeamPolicy` without the others."""

    faces: ClassVar[tuple[str, ...]] = ("route/team", "offload/team", "allocate/team", "place/team")
    settings_type: ClassVar[type[Settings]] = IndependentSettings


METHOD: Final = IndependentPPO
