"""Where Allocate's completion is lost: jobs not done in time, by their priority, sent in vain or never sent.

A job counts by its priority, so that `1 - completion` is the priority of the jobs not done over that of all jobs.
"""

from __future__ import annotations

from typing import Final

from edgebench.explain.losses import Losses
from edgebench.tracks.allocate.features import PRIORITIES
from edgebench.tracks.allocate.simulation import Simulation
from edgebench.tracks.allocate.state import DONE

_SENT: Final = "sent in vain, priority {}"
_WAITED: Final = "never sent, priority {}"


def losses_of(simulation: Simulation) -> dict[str, float]:
    """The parts of an ended episode; they sum to 1 - completion."""
    progress, priority = simulation.state.progress, simulation.jobs["priority"]
    missed, sent = progress["status"] != DONE, progress["tries"] > 0
    return {
        name.format(wanted): float(priority[missed & cause & (priority == wanted)].sum() / priority.sum())
        for name, cause in ((_SENT, sent), (_WAITED, ~sent))
        for wanted in reversed(PRIORITIES)
    }


LOSSES: Final = Losses(
    what="1 - completion",
    of_metric=lambda completion: 1.0 - completion,
    parts={
        name.format(wanted): meaning
        for name, meaning in (
            (_SENT, "jobs whose requests were refused or lost with a site"),
            (_WAITED, "jobs that waited until it was too late"),
        )
        for wanted in reversed(PRIORITIES)
    },
    of_episode=losses_of,
)
