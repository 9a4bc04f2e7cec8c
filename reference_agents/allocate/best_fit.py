"""Best-fit: near sites first, of equally near ones that with the tightest fit.

Command: edgebench eval best-fit --track allocate
"""

from __future__ import annotations

from typing import Any, Final

from reference_agents.allocate.scoring import Observation, cheapest, outlook

SECONDS: Final = 1.0
"""Seconds of transfer that a whole site's resources are worth; tuned on the train split of s1 and s2."""


class Agent:
    """Keeps large gaps whole for large jobs, without sending inputs far for it."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The site in time of least transfer and least room left."""
        sites = outlook(observation)
        cost_s = sites.transfer_s + 0.5 * sites.request_s + SECONDS * sites.left.mean(axis=1)
        return cheapest(cost_s, sites.in_time, observation)
