"""A method on fixed episodes of any regions, played on its own face, side by side, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgebench.harness.references import references
from edgebench.harness.rollout import fixed_episodes
from edgebench.harness.statistics import Scores, normalise
from edgebench.learning.world import make_world
from edgebench.region import Region
from edgebench.sim.episodes import windows_of

if TYPE_CHECKING:
    from edgebench.learning.job import Job
    from edgebench.learning.method import Method


def play_fixed(
    job: Job, method: Method, regions: Sequence[Region], *, split: str, seeds: int, scenario: str = ""
) -> dict[str, NDArray[np.float64]]:
    """The primary metric of every episode (windows of the split x scenario seeds 0 … seeds-1), (episodes,), by region.

    Args:
        job: How the method was trained: its face is played.
        method: Decides, without exploring.
        regions: Where.
        split: Whose tasks.
        seeds: How many scenario seeds.
        scenario: How the network behaves; as in training where "".
    """
    found = {}
    for region in regions:
        episodes = fixed_episodes(int(windows_of(region.task_table(split).num_rows)), seeds)
        world = make_world(
            job.track, job.face, [region], scenario=scenario or job.scenario, split=split, each=len(episodes),
            **job.face_settings,
        )  # fmt: skip
        method.enter(world.grounds)
        world.begin(episodes, credited=False)
        while (seen := world.seen()).episode.size:
            world.step(method.decide(seen))
        found[region.name] = world.scores().copy()
    return found


def face_scores(
    job: Job, method: Method, regions: Sequence[Region], *, split: str, seeds: int, scenario: str
) -> Scores:
    """As `play_fixed`, between the random agent and the bound of the track."""
    played = play_fixed(job, method, regions, split=split, seeds=seeds, scenario=scenario)
    values, episodes = {}, {}
    for region in regions:
        scale = references(region, track=job.track, scenario=scenario, split=split, seeds=seeds)
        values[region.name] = normalise(played[region.name][None], scale)
        episodes[region.name] = tuple(fixed_episodes(played[region.name].size // seeds, seeds))
    return Scores(episodes, values)
