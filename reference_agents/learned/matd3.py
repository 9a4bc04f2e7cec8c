"""MATD3: MADDPG with twin critics, smoothed targets and an actor that learns in every other step.

Source: Ackermann, Gabler, Osa and Sugiyama, "Reducing overestimation bias in multi-agent domains using double
centralized critics", arXiv 1910.01465, after Fujimoto, van Hoof and Meger, "Addressing function approximation error in
actor-critic methods", ICML 2018.

What is different: as `reference_agents.learned.maddpg`.

Parts: `smooth`, noise on the target's action; `delayed`, the actor's slower pace; `told` and `truncated` as there.

Command: edgebench reproduce --table offload-methods --rows matd3
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Final

from torch import Tensor

from edgebench.learning.method import Settings
from edgebench.learning.off_policy import OffPolicy, OffPolicySettings

_SMOOTHING: Final = 0.2
_MOST: Final = 0.5


@dataclasses.dataclass(frozen=True)
class TwinSettings(OffPolicySettings):
    """Hyper-parameters of MATD3.

    Attributes:
        smooth: Whether the goal is that of an action with noise.
        delayed: Whether the actor learns in every other step.
    """

    smooth: bool = True
    delayed: bool = True


class MATD3(OffPolicy):
    """`OffPolicy` with two critics, of which the lower counts."""

    faces: ClassVar[tuple[str, ...]] = ("offload/team", "allocate/team")
    settings_type: ClassVar[type[Settings]] = TwinSettings
    settings: TwinSettings
    critics: ClassVar[int] = 2

    def smoothed(self, scores: Tensor) -> Tensor:
        """With clipped noise."""
        if not self.settings.smooth:
            return scores
        return scores + (_SMOOTHING * self.draws.normal(scores)).clamp(-_MOST, _MOST)

    def acts_now(self) -> bool:
        """Every other step."""
        return not self.settings.delayed or self.updates % 2 == 0


METHOD: Final = MATD3
