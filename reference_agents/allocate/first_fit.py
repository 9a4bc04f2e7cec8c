"""First-fit: the nearest site that has room. The trivial policy of an edge network.

Command: edgebench eval first-fit --track allocate
"""

from __future__ import annotations

from typing import Any

from edgebench.tracks.allocate.features import SITE
from reference_agents.allocate.scoring import Observation, cheapest, outlook


class Agent:
    """Goes through the sites in the order in which the input would reach them, traps left out."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The first of them that has room."""
        sites = outlook(observation)
        reach_s = observation["sites"][:, SITE["latency_s"]] + sites.transfer_s
        return cheapest(reach_s, sites.has_room, observation)
