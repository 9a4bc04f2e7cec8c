"""Least loaded: the candidate that would start first, by published queue and loading time.

Command: edgebench eval least-loaded
"""

from __future__ import annotations

from typing import Any

from reference_agents.route.scoring import Observation, pick, row


class Agent:
    """Looks at what a stage waits for at the node."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The candidate with the shortest wait, the nearer one where several have it."""
        return pick(
            -row(observation, "queue_s") - row(observation, "loading_s") - row(observation, "transmission_s"),
            observation,
        )
