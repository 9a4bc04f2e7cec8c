"""Allocate's multi-agent form as a world to learn in: every site offers shares of what it has free at every tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.learning.seen import LEVELS, Form, Ground, Seen, ground_of, nothing_due
from edgebench.learning.summary import summaries, summary_names
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.tracks.allocate.constants import R
from edgebench.tracks.allocate.simulation import Simulation
from edgebench.tracks.allocate.team_sight import CONTEXT, FITTING, ROWS, see

FORM: Final = Form(
    rows=ROWS, context=CONTEXT, action=LEVELS, levels=R, level_priors=FITTING, whole=summary_names(CONTEXT)
)


class AllocateTeamWorld:
    """Episodes of `edgebench.tracks.allocate.parallel.AllocateParallelEnv`; a stream is a site.

    Each of N sites gets an N-th of the team's reward.

    Args:
        regions: Whose episodes.
        scenario: How the network behaves.
        split: Whose users.
        each: Episodes at once of every region.

    Raises:
        EdgeBenchError: Unknown scenario or split.
    """

    form: Final = FORM

    def __init__(self, regions: Sequence[Region], *, scenario: str, split: str, each: int) -> None:
        self.count, self._each = len(regions) * each, each
        self.grounds: tuple[Ground, ...] = tuple(ground_of(region.name, region.public()) for region in regions)
        self._plays = [Simulation(region, find_scenario(scenario), split) for region in regions for _ in range(each)]
        self._rows_of = [play.neighbours.node.astype(np.int32) for play in self._plays]
        self.streams = max(play.nodes for play in self._plays)

    def begin(self, episodes: Sequence[tuple[int, int]], *, credited: bool = True) -> None:
        """See `edgebench.learning.world.World`."""
        for number, play in enumerate(self._plays):
            play.start_ticks(*episodes[number % self._each])

    def seen(self) -> Seen:
        """See `edgebench.learning.world.World`."""
        self._live = np.flatnonzero([play.asked >= 0 for play in self._plays])
        if not self._live.size:
            return nothing_due(self.form)
        plays = [self._plays[number] for number in self._live]
        counts = np.array([play.nodes for play in plays], np.int64)
        rows, context, there = see(np.concatenate([play.offer_rows for play in plays]))
        nodes = np.concatenate([self._rows_of[number] for number in self._live])
        episode, stream = np.repeat(self._live, counts), np.concatenate([np.arange(count) for count in counts])
        whole = summaries(context, counts)
        return Seen(rows, context, there, whole, nodes, episode // self._each, episode, stream)

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """See `edgebench.learning.world.World`."""
        offers, brought, begin = np.asarray(actions, np.float64).clip(0.0, 1.0), np.zeros((len(actions), 1)), 0
        for number in self._live:
            play = self._plays[number]
            here = slice(begin, begin + play.nodes)
            brought[here] = play.allot(np.ascontiguousarray(offers[here])) / play.nodes
            begin = here.stop
        return brought

    def scores(self) -> NDArray[np.float64]:
        """The completion of every episode."""
        return np.array([play.metrics()["completion"] for play in self._plays])
