"""Every number the Allocate track rests on, each with its source or derivation; network and traps are Route's."""

from __future__ import annotations

from typing import Final

RESOURCES: Final = ("cpu", "memory", "bandwidth", "storage")
"""The four resources in the order of every array: compute units, GB, Mbit/s, GB."""
R: Final = len(RESOURCES)

# --- sites ---------------------------------------------------------------------------------------
FAMILY_GB_PER_UNIT: Final = (2, 4, 8)
"""Memory a compute unit of a site's machines: the compute, general and memory optimised families that every large
cloud sells (2, 4 and 8 GB a virtual processor); a site is of one family, each as likely."""

# --- jobs ----------------------------------------------------------------------------------------
KINDS: Final = ("inference", "index", "stream", "tuning")
"""Batches of inference, retrieval from an index in memory, analysis of video streams, tuning on local data."""
DEMANDS: Final = (
    ((10, 26), (10, 40), (5, 15), (1, 4)),
    ((4, 12), (60, 160), (5, 20), (2, 6)),
    ((4, 14), (8, 24), (40, 110), (1, 4)),
    ((4, 14), (16, 48), (5, 20), (10, 24)),
)
"""Least and most a job of each kind needs of each resource, in whole units, each as likely. A kind asks one resource
for 30 to 100 % of a mean site (35 units, 160 GB, 140 Mbit/s, 26 GB) and the others for about a third of that, so that
one to three jobs fill a site and those of different kinds fit together. EdgeBench's choice: Novacron's jobs take 5 to
30 % of a node in every resource alike, and fit anywhere."""
PRIORITY_SHARES: Final = (0.5, 0.3, 0.2)
"""Shares of priorities 1, 2 and 3: half of the work is best effort. EdgeBench's choice; Novacron's are uniform."""
DURATION_MS: Final = (16_000.0, 0.6)
"""Median and sigma of the lognormal duration: a batch of requests or the analysis of a clip, long beside a transfer
(3 s) and short beside an episode. EdgeBench's choice; Novacron's jobs have none."""
DURATION_LIMITS_MS: Final = (4_000.0, 40_000.0)
"""No duration is outside."""
SLACK_MS: Final = (1_500.0, 9_000.0)
"""How long after its arrival a job may begin and still be done by its deadline, uniform: from less than a bad trap
link's extra (2–7 s) to more than that. Calibrated by the gate."""
PAYLOAD_MB: Final = (4.0, 0.7)
"""Median and sigma of the lognormal input: some images or a short clip (`edgebench.constants.PAYLOAD_MB`), 3 s over
the median path of the standard regions. Calibrated by the gate."""
PAYLOAD_MOST_MB: Final = 24.0
"""No input is larger."""

# --- load ----------------------------------------------------------------------------------------
ARRIVALS_S: Final = 30
"""Seconds in which jobs arrive; the sites, empty at first, are full after ten and empty again after another thirty."""
LOAD: Final = 1.8
"""Demand over capacity of the scarcest resource while jobs arrive, and so 1.0 over the episode with the slack and
duration of its last jobs; the number of jobs follows. Calibrated by the gate: what is left undone is a choice."""
LOAD_SWING: Final = 0.3
"""Swing of the rate about its mean, one period an episode: a day in short, 1.3 times the mean at its peak."""

# --- time ----------------------------------------------------------------------------------------
TICK_MS: Final = 1000.0
"""A deferred job is asked about again at the next multiple; in the multi-agent form all offers are made then."""
HORIZON_MS: Final = ARRIVALS_S * 1000.0 + SLACK_MS[1] + DURATION_LIMITS_MS[1]
"""No job is done later."""

# --- reward: points, of which an episode's jobs done in time are worth 100 -----------------------
POINTS: Final = 100.0
"""All jobs done in time; a job its priority's share of them."""
VIOLATION_WEIGHT: Final = 0.5
"""A job that is not done in time costs this part of what it would have brought."""
LATENCY_WEIGHT: Final = 0.02
"""Points over 100 lost where every job begins at its deadline. Small, as are the next two: they tell apart what does
as many jobs, and leave the order of what does more to the jobs (rank correlation with `completion`, by the gate)."""
IMBALANCE_WEIGHT: Final = 0.05
"""Points over 100 lost where the variance of the sites' utilisations is 1 throughout the horizon."""
WASTE_WEIGHT: Final = 0.02
"""Points over 100 lost where as much is held and not worked with as all jobs need."""

# --- spaces --------------------------------------------------------------------------------------
LONG_S: Final = 60.0
"""Times in observations are clipped here, above every slack and duration."""
