"""An episode of the Offload track to be played: what its faces, bounds and benchmarks share."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.tracks.offload import physics as queue
from edgebench.tracks.offload import serverless
from edgebench.tracks.offload.constants import SLOTS
from edgebench.tracks.offload.generator import Generator
from edgebench.tracks.offload.metrics import episode_metrics
from edgebench.tracks.offload.network import build_network
from edgebench.tracks.offload.observe import blank_seen, label, look
from edgebench.tracks.offload.state import Episode, blank_state
from edgebench.tracks.offload.workloads import DEFAULT_WORKLOAD, Workload, find_workload

DEFAULT_PHYSICS: Final = "queue"
PHYSICS: Final = (DEFAULT_PHYSICS, "serverless")


class Simulation:
    """Episodes of a region's split, one slot after another.

    Args:
        region: Whose.
        scenario: How network and load behave.
        split: Whose users they are.
        physics: `queue` or `serverless`.
        workload: A name, an Azure workload, or the folder of one (`edgebench.tracks.offload.azure`).

    Raises:
        EdgeBenchError: Physics or workload do not exist.
    """

    def __init__(
        self,
        region: Region,
        scenario: Scenario,
        split: str,
        *,
        physics: str = DEFAULT_PHYSICS,
        workload: Workload = DEFAULT_WORKLOAD,
    ) -> None:
        if physics not in PHYSICS:
            raise unknown_name("physics", physics, PHYSICS)
        self.network = build_network(region)
        self._tables = None if physics == DEFAULT_PHYSICS else serverless.make_tables(self.network)
        self._generator = Generator(region, self.network, scenario, split, find_workload(workload, split))
        self.state, self.seen = blank_state(self.network.node.size), blank_seen(self.network)
        self.episode: Episode | None = None

    @property
    def nodes(self) -> int:
        """How many there are, N."""
        return int(self.network.node.size)

    @property
    def is_over(self) -> bool:
        """Whether every request has ended, or none has begun."""
        return self.episode is None or bool(self.state.slot[0] >= SLOTS)

    def start(self, window: int, seed: int) -> None:
        """Begin the episode of a window under a scenario seed."""
        episode = self._generator.episode(window, seed)
        self.episode = episode if self._tables is None else serverless.one_class(episode)
        queue.start(self.network, self.episode, self.state)
        self._look(self.episode)

    def step(self, shares: NDArray[np.float32]) -> float:
        """Split the slot's arrivals, (N, C), and return the team's reward; EdgeBenchError when the episode is over."""
        if self.episode is None or self.is_over:
            raise EdgeBenchError("the episode is over", mend="call reset() before step()")
        world = self.network, self.episode, self.state
        reward = queue.step(*world, shares) if self._tables is None else serverless.step(*world, shares, self._tables)
        self._look(self.episode)
        return float(reward)

    def own_rewards(self) -> NDArray[np.float64]:
        """What the last slot brought of each node's own users' requests, (N,); sums to the team's reward."""
        assert self.episode is not None
        return np.asarray(self.state.node["slot_worth"] * SLOTS / max(float(self.episode.total_work[0]), 1.0))

    def metrics(self) -> dict[str, float]:
        """The figures of the episode that has ended; EdgeBenchError before its end."""
        if self.episode is None or not self.is_over:
            raise EdgeBenchError("the episode is not over", mend="step until truncated")
        return episode_metrics(self.network, self.episode, self.state)

    def _look(self, episode: Episode) -> None:
        look(self.network, episode, self.state, self.seen)
        label(self.network, episode, self.state, self.seen)
