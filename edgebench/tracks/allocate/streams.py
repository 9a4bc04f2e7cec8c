"""The track's own draws; what network and nodes do is drawn by the simulator's streams (`edgebench.sim.counter`)."""

from __future__ import annotations

from typing import Final

from edgebench.sim.counter import Stream

ALLOCATE_EPISODE: Final = 51
PLACE: Final = 52
MOMENT: Final = 53
KIND: Final = 54
DEMAND: Final = 55
PRIORITY: Final = 56
DURATION: Final = 57
SLACK: Final = 58
PAYLOAD: Final = 59
FAMILY: Final = 60

STREAMS: Final = (
    Stream(
        ALLOCATE_EPISODE,
        "ALLOCATE_EPISODE",
        "split and window",
        "0",
        "the seed of an episode's jobs, which all below are drawn by",
    ),
    Stream(PLACE, "PLACE", "job", "0", "second and site of its arrival"),
    Stream(MOMENT, "MOMENT", "job", "0", "its arrival within that second"),
    Stream(KIND, "KIND", "job", "0", "its kind"),
    Stream(DEMAND, "DEMAND", "job × 4 + resource", "0", "how much it needs between its kind's least and most"),
    Stream(PRIORITY, "PRIORITY", "job", "0", "its priority"),
    Stream(DURATION, "DURATION", "job", "0", "how long it runs"),
    Stream(SLACK, "SLACK", "job", "0", "how long it may wait"),
    Stream(PAYLOAD, "PAYLOAD", "job", "0", "megabytes of its input"),
    Stream(FAMILY, "FAMILY", "site", "0", "gigabytes of memory a compute unit, of seed 0: the same in every episode"),
)
