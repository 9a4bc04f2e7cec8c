"""PPO: the plain actor-critic over rows, with the mask.

Source: Schulman, Wolski, Dhariwal, Radford and Klimov, "Proximal policy optimization algorithms", arXiv 1707.06347;
the mask as Huang and Ontañón, "A closer look at invalid action masking in policy gradient algorithms", FLAIRS 2022.

What is different: rows are scored one by one by a shared net, so that a policy fits every region; advantages are those
along each task's own decisions and of what comes to the others (`edgebench.learning.advantage`), since between two
decisions of a task lie those of some twenty others.

Parts: `mask`. Without it the policy has to find out itself what may not be chosen.

Command: edgebench reproduce --table route-methods --rows ppo
"""

from __future__ import annotations

from typing import ClassVar, Final

from edgebench.learning.ppo import ProximalPolicy


class PPO(ProximalPolicy):
    """`ProximalPolicy` as it stands."""

    faces: ClassVar[tuple[str, ...]] = ("route/single", "allocate/single", "place/single")


METHOD: Final = PPO
