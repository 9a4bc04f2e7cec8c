"""Worlds: many episodes of a track's face at once, shown as decisions to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.learning.seen import Form, Ground, Seen
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO
from edgebench.registry import track as find_track
from edgebench.sim import counter
from edgebench.sim.episodes import drawn_seed, drawn_window
from edgebench.track import named

_STREAM: Final = 8


class World(Protocol):
    """Episodes of a face, all of them played to their ends side by side.

    Attributes:
        form: What its decisions are made of.
        grounds: Of its regions, in their order.
        count: Episodes at once: `each` of the first region, then `each` of the second, and so on.
    """

    form: Form
    grounds: tuple[Ground, ...]
    count: int

    @property
    def streams(self) -> int:
        """More than any stream's number in the present episodes."""

    def begin(self, episodes: Sequence[tuple[int, int]], *, credited: bool = True) -> None:
        """Begin in every region the `each` episodes of these windows and scenario seeds.

        Where `credited` is false, nobody uses what `step` tells, and it may lack what takes time to find out.
        """

    def seen(self) -> Seen:
        """The decisions that are due, D of them; none when all episodes are over."""

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """Take the decisions that are due; what each has brought at once, (D, 1 + objectives), the reward first."""

    def scores(self) -> NDArray[np.float64]:
        """The track's primary metric of every episode, (count,), when all are over."""


def make_world(
    track: str,
    face: str,
    regions: Sequence[Region],
    *,
    scenario: str = DEFAULT_SCENARIO,
    split: str = "train",
    each: int = 1,
    **settings: Any,
) -> World:
    """The world of a track's face.

    Args:
        track: A registered track.
        face: A key of its `worlds`.
        regions: Whose episodes.
        scenario: How the network behaves.
        split: Whose tasks.
        each: Episodes at once of every region.
        settings: The face's own.

    Raises:
        EdgeBenchError: The track, its face, the scenario or the split is unknown, or the track has no world.
    """
    worlds = find_track(track).worlds
    if not worlds:
        raise EdgeBenchError(f"nothing learns on the track {track} yet", mend="name a world in its record")
    if face not in worlds:
        raise unknown_name("face", face, worlds)
    world: World = named(worlds[face])(regions, scenario=scenario, split=split, each=each, **settings)
    return world


class Practice:
    """A world whose episodes follow from a seed and from how often they have begun.

    Args:
        world: What is played.
        regions: Its regions.
        split: Its split.
        seed: From which episodes are drawn; the same in all regions, in a window that all have.
        replicas: How often each is played, side by side.

    Raises:
        EdgeBenchError: `replicas` does not divide the episodes of a region.

    Attributes:
        world: As given.
        begun: How often episodes have begun; set it to go on where another one was left.
    """

    def __init__(self, world: World, regions: Sequence[Region], split: str, seed: int, *, replicas: int = 1) -> None:
        self.world, each = world, world.count // len(regions)
        if replicas < 1 or each % replicas:
            raise EdgeBenchError(f"{replicas} replicas of {each} episodes", mend="give a divisor")
        self._replicas = replicas
        self._tasks = min(region.task_table(split).num_rows for region in regions)
        self._seeds = [int(counter.bits(seed, _STREAM, 0, row)) >> 1 for row in range(each // replicas)]
        self.form, self.grounds, self.count = world.form, world.grounds, world.count
        self.begun = 0

    def begin(self, *, credited: bool = True) -> None:
        """Begin the next episodes; `credited` as of the world."""
        drawn = [episode for episode in map(self._drawn, self._seeds) for _ in range(self._replicas)]
        self.world.begin(drawn, credited=credited)
        self.begun += 1

    @property
    def streams(self) -> int:
        """As the world; another number of tasks may be another number of streams."""
        return self.world.streams

    def _drawn(self, seed: int) -> tuple[int, int]:
        return int(drawn_window(seed, self.begun, self._tasks)), int(drawn_seed(seed, self.begun))

    def seen(self) -> Seen:
        """As the world."""
        return self.world.seen()

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """As the world."""
        return self.world.step(actions)

    def scores(self) -> NDArray[np.float64]:
        """As the world."""
        return self.world.scores()
