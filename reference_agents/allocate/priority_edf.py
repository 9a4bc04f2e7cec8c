"""Priority-EDF: turns are by priority and deadline already; this one asks what a job takes from those that come later.

A job's priority over what it holds, its dominant share times its seconds, is what its room earns. While jobs arrive,
one that earns less than a price waits; others go to the site that is near and keeps its resources in balance.

Command: edgebench eval priority-edf --track allocate
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from edgebench.tracks.allocate.constants import ARRIVALS_S, HORIZON_MS
from reference_agents.allocate.scoring import (
    Observation,
    Outlook,
    cheapest,
    defer,
    dominant_need,
    of_job,
    of_queue,
    outlook,
)

PRICE: Final = 0.12
"""Priority that a mean site's dominant resource must earn a second; tuned on the train split of s1 and s2."""
FADES_S: Final = 10.0
"""The last seconds of the arrivals, in which the price goes to 0; tuned as that is."""
BALANCE_S: Final = 5.0
"""Seconds of transfer that the room left, and its being even over the resources, are worth."""


class Agent:
    """Lets jobs wait that earn too little, and places the others by time and balance."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: Observation) -> int:
        """The best site in time, if the job is worth its room there."""
        sites = outlook(observation)
        chosen = cheapest(site_cost_s(sites), sites.in_time, observation)
        if chosen == defer(observation):
            return chosen
        held_s = of_job(observation, "duration_s") + sites.transfer_s[chosen]
        earns = of_job(observation, "priority") / (dominant_need(observation) * held_s)
        return chosen if earns >= price(observation) else defer(observation)


def site_cost_s(sites: Outlook) -> Any:
    """What it costs to use each site, in seconds of transfer, (N,)."""
    uneven = sites.left.std(axis=1) - sites.left.min(axis=1)
    return sites.transfer_s + 0.5 * sites.request_s + BALANCE_S * uneven


def price(observation: Observation) -> float:
    """What room must earn now."""
    arrivals_left_s = ARRIVALS_S - of_queue(observation, "elapsed") * HORIZON_MS / 1000.0
    return float(PRICE * np.clip(arrivals_left_s / FADES_S, 0.0, 1.0))
