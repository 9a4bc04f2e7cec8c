"""MADDPG: deterministic actors, and a critic that knows what all see and do.

Source: Lowe, Wu, Tamar, Harb, Abbeel and Mordatch, "Multi-agent actor-critic for mixed cooperative-competitive
environments", NeurIPS 2017; on edge resources as in Novacron's allocator.

What is different: all agents share one actor and one critic, which is told means over all in place of every
observation and action, so that any number of agents fits; of shares it is told the means of what all see alone. Noise
is applied in every round, and the end by a time limit is not stored as the end of what follows.

Parts: `truncated`, that a time limit is no end. Without it nothing is taken to follow the last decision.

Command: edgebench train maddpg --track offload --face team --regions s1,s2,s3 --seeds 5
"""

from __future__ import annotations

from typing import ClassVar, Final

from edgebench.learning.off_policy import DeterministicPolicy


class MADDPG(DeterministicPolicy):
    """`DeterministicPolicy` with one critic."""

    faces: ClassVar[tuple[str, ...]] = ("offload/team", "allocate/team")


METHOD: Final = MADDPG
