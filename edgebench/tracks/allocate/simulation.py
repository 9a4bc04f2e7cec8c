"""One episode after another of Allocate, for the environments: holds the arrays, knows no environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.tracks.allocate.generator import Generator
from edgebench.tracks.allocate.metrics import episode_metrics
from edgebench.tracks.allocate.observe import new_seen, see_labels
from edgebench.tracks.allocate.offer_features import P
from edgebench.tracks.allocate.state import State, World, new_state
from edgebench.tracks.allocate.turns import FIRST, first_tick, take_tick, take_turn


class Simulation:
    """Episodes of a region's split under a scenario, in the one form or the other.

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
        self.sites, self.neighbours = self._generator.sites, region.neighbours()
        self.nodes = self.sites.capacity.shape[0]
        self.seen = new_seen(self.nodes)
        self.offer_rows = np.zeros((self.nodes, P), np.float32)

    def start(self, window: int, seed: int) -> None:
        """Begin an episode, one job a turn, and look at its first decision."""
        self._draw(window, seed)
        take_turn(self.sites, self.world, self.jobs, self.state, self.seen, FIRST)
        self._look_behind()

    def step(self, action: int) -> float:
        """Decide and go on to the next decision; returns the reward."""
        reward = take_turn(self.sites, self.world, self.jobs, self.state, self.seen, action)
        self._look_behind()
        return float(reward)

    def start_ticks(self, window: int, seed: int) -> None:
        """Begin an episode, all sites at a tick, and look at its first tick."""
        self._draw(window, seed)
        first_tick(self.sites, self.world, self.jobs, self.state, self.neighbours, self.offer_rows)

    def allot(self, shares: NDArray[np.float64]) -> float:
        """Give jobs to what the sites offer, (N, R) shares, and go on to the next tick; returns the reward."""
        rest = self.jobs, self.state, self.neighbours, self.offer_rows, shares
        return float(take_tick(self.sites, self.world, *rest))

    @property
    def asked(self) -> int:
        """The job that is decided on, -1 when the episode is over."""
        return int(self.state.tally["asked"][0])

    def metrics(self) -> dict[str, float]:
        """The figures of the episode (`edgebench.tracks.allocate.metrics`)."""
        return episode_metrics(self.sites, self.jobs, self.state)

    def _draw(self, window: int, seed: int) -> None:
        self.jobs, self.world = self._generator.jobs(window, seed), self._generator.world(seed)
        self.state = new_state(self.sites, self.jobs.size)

    def _look_behind(self) -> None:
        if self._privileged:
            see_labels(self.sites, self.world, self.jobs, self.state, self.seen)
