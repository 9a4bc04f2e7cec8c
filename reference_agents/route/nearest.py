"""Nearest: the candidate its data reaches first. The trivial policy of an edge network.

Command: edgebench eval nearest
"""

from __future__ import annotations

from typing import Any

from reference_agents.route.scoring import Observation, pick, row


class Agent:
    """Looks at propagation and transmission alone."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The candidate with the shortest network time."""
        return pick(-row(observation, "propagation_s") - row(observation, "transmission_s"), observation)
