"""Highest quality: the best model, whatever it takes.

Command: edgebench eval highest-quality
"""

from __future__ import annotations

from typing import Any

from reference_agents.route.scoring import Observation, pick, row


class Agent:
    """Looks at the quality of the model alone."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The candidate of the highest quality."""
        return pick(row(observation, "quality"), observation)
