"""Worst-fit: the site with most room, which balances the load.

Command: edgebench eval worst-fit --track allocate
"""

from __future__ import annotations

from typing import Any, Final

from reference_agents.allocate.scoring import Observation, cheapest, outlook

SECONDS: Final = 5.0
"""Seconds of transfer that a whole site's scarcest resource is worth; tuned on the train split of s1 and s2."""


class Agent:
    """Leaves room of every resource everywhere, so that most jobs fit nearby."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The site in time with most left of what it has least of, far ones marked down."""
        sites = outlook(observation)
        cost_s = sites.transfer_s + 0.5 * sites.request_s - SECONDS * sites.left.min(axis=1)
        return cheapest(cost_s, sites.in_time, observation)
