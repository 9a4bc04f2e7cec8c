"""Fastest node: the candidate on the fastest server, wherever it is. Runs into every trap on the way there.

Command: edgebench eval fastest-node
"""

from __future__ import annotations

from typing import Any

from reference_agents.route.scoring import Observation, pick, row


class Agent:
    """Looks at the speed of the node alone."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The candidate on the fastest node."""
        return pick(row(observation, "speed"), observation)
