"""One episode after another of Allocate, for the environments: holds the arrays, knows no environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.tracks.allocate.generator import Generator
from edgebench.tracks.allocate.metrics import episode_metrics
from edgebench.tracks.allocate.observe import new_seen, observe, see_labels
from edgebench.tracks.allocate.offer_features import P, see_offers
from edgebench.tracks.allocate.offers import allot, open_tick
from edgebench.tracks.allocate.physics import advance, begin, decide
from edgebench.tracks.allocate.state import State, World, new_state


class Simulation:
    """Episodes of a region's split under a scenario.

    Args:
        region: Where.
        scenario: How network and load behave.
        split: Whose users.
        privileged: Whether labels are seen.

    Raises:
        EdgeBenchError: No split bears the name.
    """

    jobs: NDArray[Any]
    world: World
    state: State

    def __init__(self, region: Region, scenario: Scenario, split: str, *, privileged: bool = False) -> None:
        self._generator, self._privileged = Generator(region, scenario, split), privileged
        self.sites = self._generator.sites
        self.mean_capacity = self.sites.capacity.mean(axis=0)
        self.nodes = self.sites.capacity.shape[0]
        self.seen = new_seen(self.nodes)
        self.neighbours = region.neighbours()
        self.offer_rows = np.zeros((self.nodes, P), np.float32)

    def start(self, window: int, seed: int, *, in_ticks: bool = False) -> None:
        """Begin an episode; nothing has been seen of it."""
        self.jobs, self.world = self._generator.jobs(window, seed), self._generator.world(seed)
        self.state = new_state(self.sites, self.jobs.size)
        begin(self.sites, self.jobs, self.state, in_ticks)

    def ask_first(self) -> None:
        """Go on to the first decision; what comes before is paid with the first step's reward."""
        self.ask()
        self.state.tally["paid"] = 0.0

    def ask(self) -> float:
        """Go on to the next decision and look at it; returns the reward since the last."""
        reward = advance(self.sites, self.world, self.jobs, self.state)
        observe(self.sites, self.world, self.jobs, self.state, self.mean_capacity, self.seen)
        if self._privileged:
            see_labels(self.sites, self.world, self.jobs, self.state, self.seen)
        return float(reward)

    def step(self, action: int) -> float:
        """Decide and go on; returns the reward."""
        decide(self.sites, self.world, self.jobs, self.state, action)
        return self.ask()

    def open_tick(self) -> None:
        """Go on to the first tick at which a job waits, for the multi-agent form."""
        open_tick(self.sites, self.world, self.jobs, self.state)
        self._see_offers()

    def allot(self, shares: NDArray[np.float64]) -> float:
        """Give jobs to what the sites offer, (N, R) shares, and go on to the next tick; returns the reward."""
        reward = allot(self.sites, self.world, self.jobs, self.state, shares)
        self._see_offers()
        return float(reward)

    def _see_offers(self) -> None:
        see_offers(self.sites, self.world, self.jobs, self.state, self.mean_capacity, self.neighbours, self.offer_rows)

    @property
    def asked(self) -> int:
        """The job that is decided on, -1 when the episode is over."""
        return int(self.state.tally["asked"][0])

    def metrics(self) -> dict[str, float]:
        """The figures of the episode (`edgebench.tracks.allocate.metrics`)."""
        return episode_metrics(self.sites, self.jobs, self.state)
