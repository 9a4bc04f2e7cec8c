"""What the entries of an Allocate observation are: names, units, bounds, meanings. Needs no compiler."""

from __future__ import annotations

from typing import Final

from edgebench.sim.features import Feature
from edgebench.tracks.allocate.constants import HORIZON_MS, LONG_S, PAYLOAD_MOST_MB, RESOURCES

PRIORITIES: Final = (1, 2, 3)

SITE_FEATURES: Final = (
    *(
        Feature(f"free_{name}", 0.0, 1.0, f"share of the site's {name} that is free: now at the origin, else published")
        for name in RESOURCES
    ),
    *(
        Feature(f"sent_{name}", 0.0, 10.0, f"{name} asked for by requests that figure does not know of, share of all")
        for name in RESOURCES
    ),
    *(Feature(f"need_{name}", 0.0, 10.0, f"{name} the job needs, share of all the site has") for name in RESOURCES),
    Feature("latency_s", 0.0, LONG_S, "propagation and hops from the job's origin"),
    Feature("transmission_s", 0.0, LONG_S, "the job's input over the path's bottleneck"),
    Feature("measured_extra_s", 0.0, LONG_S, "extra delay remembered of that path's links: moving average, fading"),
    Feature("next_end_s", 0.0, LONG_S, "time until the next job there ends, as published; the most where none runs"),
    Feature("waiting", 0.0, 1000.0, "other jobs that arose there and wait"),
    Feature("down", 0.0, 1.0, "1 if the site is down: now at the origin, else as published"),
    Feature("is_origin", 0.0, 1.0, "1 at the site where the job arose"),
)
"""Columns of `sites`, one row a site."""

JOB_FEATURES: Final = (
    *(Feature(f"need_{name}", 0.0, 10.0, f"{name} it needs, share of the mean site's") for name in RESOURCES),
    Feature("priority", 0.0, 3.0, "1, 2 or 3, which weighs most"),
    Feature("duration_s", 0.0, LONG_S, "how long it runs"),
    Feature("payload_mb", 0.0, PAYLOAD_MOST_MB, "its input"),
    Feature("slack_s", 0.0, LONG_S, "time left to begin and be done by its deadline"),
    Feature("waited_s", 0.0, LONG_S, "time since it arrived"),
    Feature("tries", 0.0, 100.0, "requests for it that were refused or lost"),
)
"""Entries of `job`."""

QUEUE_FEATURES: Final = (
    *(Feature(f"waiting_{n}", 0.0, 1000.0, f"other waiting jobs of priority {n}") for n in PRIORITIES),
    *(
        Feature(f"need_{n}", 0.0, 10.0, "mean over those of the largest need, share of the mean site's; 0 of none")
        for n in PRIORITIES
    ),
    *(Feature(f"slack_{n}_s", 0.0, LONG_S, "least slack of those, the most of none") for n in PRIORITIES),
    *(Feature(f"free_{name}", 0.0, 1.0, f"{name} free at all sites, as known, share of all") for name in RESOURCES),
    Feature("elapsed", 0.0, 1.0, f"time since the episode began, over {HORIZON_MS / 1000:g} s"),
)
"""Entries of `queue`."""

LABELS: Final = (
    Feature("extra_now_s", 0.0, LONG_S, "what the trap links on the way there add to what leaves now"),
    Feature("down_now", 0.0, 1.0, "1 if the site is down"),
)
"""Columns of `labels`, which an operator cannot know: in privileged observations alone."""

F: Final = len(SITE_FEATURES)
J: Final = len(JOB_FEATURES)
Q: Final = len(QUEUE_FEATURES)
L: Final = len(LABELS)
SITE: Final = {feature.name: column for column, feature in enumerate(SITE_FEATURES)}
"""Column of `sites` by name."""
JOB: Final = {feature.name: entry for entry, feature in enumerate(JOB_FEATURES)}
"""Entry of `job` by name."""
QUEUE: Final = {feature.name: entry for entry, feature in enumerate(QUEUE_FEATURES)}
"""Entry of `queue` by name."""
