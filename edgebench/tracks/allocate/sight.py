"""How learning sees an Allocate decision: every site a row, and waiting one more.

Times are shares of the job's slack or logarithms, room is what would be left of a site's resources.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part
from edgebench.tracks.allocate.constants import ARRIVALS_S, HORIZON_MS, RESOURCES, R
from edgebench.tracks.allocate.features import JOB, JOB_FEATURES, QUEUE, QUEUE_FEATURES, SITE

Floats = NDArray[np.float32]

ROWS: Final = (
    *("is_defer", "is_origin", "fits", "in_time"),
    *(f"left_{name}" for name in RESOURCES),
    *(f"need_{name}" for name in RESOURCES),
    *("left_least", "left_mean", "uneven", "dominant"),
    *("latency", "transmission", "measured_extra", "way", "hold", "next_end", "waiting", "appeal"),
)
"""Features of a row, all 0 of the one that waits but two. `left` is what would be left of a resource beside
the requests under way, as a share of the site's; `fits` and `in_time` tell whether the job would begin by that and by
what is remembered of the way, whose times are shares of the slack; `hold` is the logarithm of the seconds it would hold
the site for. `appeal` tells good sites by itself: 4 less four thirds of the seconds of way and uneven room, -4 at the
least and where the job would not begin; of the row that waits it rises with what room should earn over what the job
would earn there."""
CONTEXT: Final = (
    *(feature.name for feature in JOB_FEATURES),
    *(feature.name for feature in QUEUE_FEATURES),
    *("dominant", "earns", "arrivals_left", "choices"),
)
"""Job and queue as they are observed, times and counts as logarithms; `earns` is the logarithm of priority over
dominant need and duration, `choices` the share of the sites that fit in time."""

LOAD: Final = ("slack_s", "waited_s", "tries", *(feature.name for feature in QUEUE_FEATURES), "choices")
"""What of it depends on earlier decisions."""

_J, _Q = len(JOB_FEATURES), len(QUEUE_FEATURES)
_IS_DEFER, _IS_ORIGIN, _FITS, _IN_TIME = range(4)
_LEFT, _NEED, _LEAST = 4, 4 + R, 4 + 2 * R
_WAY: Final = _LEAST + 4
_SITE_FREE, _SITE_SENT, _SITE_NEED = SITE["free_cpu"], SITE["sent_cpu"], SITE["need_cpu"]
_LATENCY, _TRANSMISSION, _EXTRA = SITE["latency_s"], SITE["transmission_s"], SITE["measured_extra_s"]
_END, _WAITING, _ORIGIN = SITE["next_end_s"], SITE["waiting"], SITE["is_origin"]
_JOB_NEED, _PRIORITY, _DURATION, _SLACK = JOB["need_cpu"], JOB["priority"], JOB["duration_s"], JOB["slack_s"]
_ELAPSED: Final = QUEUE["elapsed"]
_BALANCE_S: Final = 5.0
"""Seconds of transfer that even room is worth, as in the heuristic `priority-edf`."""
_APPEAL_S: Final = 3.0
_SHARP: Final = 4.0
"""Units of appeal: policies begin near the heuristic that goes by it, as what is tried out costs others their room."""
_PRICE, _FADES_S = 0.12, 10.0
"""What room must earn while jobs arrive, and the last seconds in which that falls to 0, as in `priority-edf`."""
_LEAST_PRICE: Final = 0.01
_ROUNDING: Final = 1e-6
_JOB_LOGS: Final = tuple(JOB[name] for name in ("duration_s", "payload_mb", "slack_s", "waited_s", "tries"))
_QUEUE_LOGS: Final = tuple(
    QUEUE[name] for priority in (1, 2, 3) for name in (f"waiting_{priority}", f"slack_{priority}_s")
)


@compiled
def see(
    sites: Floats, job: Floats, queue: Floats, mask: NDArray[np.int8], rows: Floats, context: Floats,
    may: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Write the sight of one decision.

    Args:
        sites: Of the observation, (N, F).
        job: Of the observation, (J,).
        queue: Of the observation, (Q,).
        mask: Of the observation, (N + 1,).
        rows: (M, `ROWS`), M > N: the sites, 0 beyond them, and in the last row to wait.
        context: (`CONTEXT`).
        may: (M,) rows that may be chosen.
    """
    rows[:], may[:] = 0.0, False
    choices = 0.0
    for site in range(sites.shape[0]):
        may[site] = mask[site] > 0
        if may[site]:
            _see_site(sites[site], job, rows[site])
            choices += rows[site, _IN_TIME]
    rows[-1, _IS_DEFER], may[-1] = 1.0, True
    _see_job(job, queue, context)
    rows[-1, _WAY + 7] = _appeal_of_waiting(context)
    context[_J + _Q + 3] = choices / sites.shape[0]


@part
def _see_site(site: Floats, job: Floats, row: Floats) -> None:
    least, mean, squares, dominant = np.inf, 0.0, 0.0, 0.0
    for resource in range(R):
        need = site[_SITE_NEED + resource]
        left = site[_SITE_FREE + resource] - site[_SITE_SENT + resource] - need
        row[_LEFT + resource], row[_NEED + resource] = max(left, -1.0), min(need, 2.0)
        least, mean, squares = min(least, left), mean + left / R, squares + left * left / R
        dominant = max(dominant, need)
    slack = max(job[_SLACK], 0.1)
    row[_LEAST], row[_LEAST + 1] = max(least, -1.0), max(mean, -1.0)
    row[_LEAST + 2], row[_LEAST + 3] = np.sqrt(max(squares - mean * mean, 0.0)), min(dominant, 2.0)
    way = site[_LATENCY] + site[_TRANSMISSION] + site[_EXTRA]
    for place in range(3):
        row[_WAY + place] = min(site[_LATENCY + place] / slack, 2.0)
    row[_WAY + 3] = min(way / slack, 2.0)
    row[_WAY + 4] = np.log1p(job[_DURATION] + site[_TRANSMISSION]) / 4.0
    row[_WAY + 5], row[_WAY + 6] = np.log1p(site[_END]) / 4.0, np.log1p(site[_WAITING]) / 4.0
    row[_IS_ORIGIN], row[_FITS] = site[_ORIGIN], least >= -_ROUNDING
    row[_IN_TIME] = least >= -_ROUNDING and way <= slack
    uneven = row[_LEAST + 2] - least
    cost_s = site[_TRANSMISSION] + 0.5 * (site[_LATENCY] + site[_EXTRA]) + _BALANCE_S * uneven
    row[_WAY + 7] = _SHARP * max(1.0 - cost_s / _APPEAL_S, -1.0) if row[_IN_TIME] else -_SHARP


@part
def _appeal_of_waiting(context: Floats) -> float:
    """Rises with what the room should earn over what the job would: 0.5 where they are the same."""
    earns, left = np.exp(2.0 * context[_J + _Q + 1]), max(context[_J + _Q + 2], 0.0) * ARRIVALS_S
    price = _PRICE * min(left / _FADES_S, 1.0)
    return float(_SHARP * min(max(0.5 + np.log((price + _LEAST_PRICE) / (earns + _LEAST_PRICE)), -1.0), 1.5))


@part
def _see_job(job: Floats, queue: Floats, context: Floats) -> None:
    for entry in range(_J):
        context[entry] = job[entry]
    for entry in _JOB_LOGS:
        context[entry] = np.log1p(job[entry]) / 2.0
    for entry in range(_Q):
        context[_J + entry] = queue[entry]
    for entry in _QUEUE_LOGS:
        context[_J + entry] = np.log1p(queue[entry]) / 4.0
    dominant = 0.0
    for resource in range(R):
        dominant = max(dominant, job[_JOB_NEED + resource])
    rest = _J + _Q
    context[rest] = dominant
    context[rest + 1] = np.log(max(job[_PRIORITY], 1.0) / max(dominant * job[_DURATION], 0.1)) / 2.0
    left_s = ARRIVALS_S - queue[_ELAPSED] * HORIZON_MS / 1000.0
    context[rest + 2] = min(max(left_s / ARRIVALS_S, -1.0), 1.0)
