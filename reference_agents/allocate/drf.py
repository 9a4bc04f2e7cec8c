"""DRF: dominant-resource fairness, weighted by priority (Ghodsi et al., NSDI 2011).

A job's dominant share is that of the resource it needs most of; over its priority it is its claim. While the region
is short of some resource, jobs wait whose claim is above the mean of those seen; the others go where the site's own
dominant share stays least.

Command: edgebench eval drf --track allocate
"""

from __future__ import annotations

from typing import Any, Final

from edgebench.tracks.allocate.constants import RESOURCES
from reference_agents.allocate.scoring import (
    Observation,
    cheapest,
    defer,
    dominant_need,
    of_job,
    of_queue,
    outlook,
)

SHORT: Final = 0.5
"""The region is short of a resource of which less than this share is free; tuned on the train split of s1 and s2."""
SECONDS: Final = 5.0
"""Seconds of transfer that a whole site's dominant share is worth."""


class Agent:
    """Keeps the mean claim of the jobs it has seen."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing seen yet."""
        self._claims, self._seen = 0.0, 0

    def act(self, observation: Observation) -> int:
        """The least loaded near site, unless the job claims too much."""
        claim = dominant_need(observation) / of_job(observation, "priority")
        if of_job(observation, "waited_s") == 0.0:
            self._claims, self._seen = self._claims + claim, self._seen + 1
        is_short = min(of_queue(observation, f"free_{name}") for name in RESOURCES) < SHORT
        if is_short and self._seen and claim > self._claims / self._seen:
            return defer(observation)
        sites = outlook(observation)
        cost_s = sites.transfer_s + 0.5 * sites.request_s - SECONDS * sites.left.min(axis=1)
        return cheapest(cost_s, sites.in_time, observation)
