"""MADDPG: deterministic actors, and a critic that knows what all see and do.

Source: Lowe, Wu, Tamar, Harb, Abbeel and Mordatch, "Multi-agent actor-critic for mixed cooperative-competitive
environments", NeurIPS 2017; on edge resources as in Novacron's allocator.

What is different: all agents share one actor and one critic, which is told means over all in place of every
observation, and of actions what the others send to each node or offer on average, so that any number of agents fits.
What is drawn from the replay are whole joint steps, so that the goal rests on what all would do next. Noise is applied
in every round, and the end by a time limit is not stored as the end of what follows.

Parts: `told`, what the critic is told of the others' actions; `truncated`, that a time limit is no end: without it
nothing is taken to follow the last decision.

Command: edgebench reproduce --table offload-methods --rows maddpg
"""

from __future__ import annotations

from typing import ClassVar, Final

from edgebench.learning.off_policy import OffPolicy


class MADDPG(OffPolicy):
    """`OffPolicy` with one critic."""

    faces: ClassVar[tuple[str, ...]] = ("offload/team", "allocate/team")


METHOD: Final = MADDPG
