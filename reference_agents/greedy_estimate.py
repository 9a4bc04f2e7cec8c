"""Greedy estimate: the candidate with the highest expected utility of this one stage.

Command: edgebench eval greedy-estimate
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.constants import CANDIDATES
from reference_agents.scoring import Observation, expected_terms, pick

_NO_REST = np.zeros(CANDIDATES)


class Agent:
    """Adds the terms of the utility as they stand: no weights, no memory, no look beyond the stage."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The candidate whose terms sum highest."""
        terms = expected_terms(observation["candidates"], observation["task"], _NO_REST)
        return pick(terms.sum(axis=0), observation["action_mask"])
