"""All-offer: every site offers all it has, the broker takes the tightest fit wherever it is. Novacron's greedy rule.

Command: edgebench eval all-offer --track allocate
"""

from __future__ import annotations

from typing import Any

from reference_agents.allocate.scoring import Observation, cheapest, outlook


class Agent:
    """Looks at what would be left, and at neither network nor priorities."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The site with room that would have least left, as a mean over the resources."""
        sites = outlook(observation)
        return cheapest(sites.left.mean(axis=1), sites.has_room, observation)
