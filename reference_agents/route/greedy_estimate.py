"""Greedy estimate: the candidate with the highest expected utility of this one stage.

Command: edgebench eval greedy-estimate
"""

from __future__ import annotations

from typing import Any

from reference_agents.route.scoring import Observation, blank, expected_terms, pick


class Agent:
    """Adds the terms of the utility as they stand: no weights, no memory, no look beyond the stage."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember; the terms are compiled."""
        candidates, task, _, self._no_rest = blank()
        expected_terms(candidates, task, self._no_rest)

    def act(self, observation: Observation) -> int:
        """The candidate whose terms sum highest."""
        terms = expected_terms(observation["candidates"], observation["task"], self._no_rest)
        return pick(terms.sum(axis=0), observation)
