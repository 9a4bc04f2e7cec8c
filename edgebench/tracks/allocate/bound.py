"""A bound no policy can pass: the clairvoyant relaxation of an episode, a linear programme.

Every job is done to a share between 0 and 1, here (at its origin) or there (at another site), and counts by its
priority. What is left out can only help: traps and late ways, sites beside the origin one by one (they are one large
site), sites that are full in part, requests under way. What is kept holds of every policy:

* A job holds its demand for its duration; there also for the transmission of its input to the site of those with
  enough of everything that gets it soonest.
* It does so between its arrival and its deadline, and so, where it has little slack, at certain times if at all.
* In every `BIN_S` seconds all that is held is at most what the sites that are up have of a resource, and what is held
  here at most what the one site has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, vstack

from edgebench.errors import EdgeBenchError
from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.tracks.allocate.generator import Generator
from edgebench.tracks.allocate.state import Sites

Floats = NDArray[np.float64]
BIN_S: Final = 4
"""Seconds of the programme's time steps."""
_BIN_MS: Final = 1000.0 * BIN_S


class Plan(NamedTuple):
    """Ways to do the jobs, W in all; bins are B."""

    job: NDArray[np.int64]  # (W,)
    site: NDArray[np.int64]  # (W,) the origin where the job is done here, -1 there
    hold_ms: Floats  # (W,) how long it holds its demand
    window_ms: Floats  # (W, B) most that it may hold within a bin
    forced_ms: Floats  # (W, B) least that it must, if it is done


def episode_bounds(
    region: Region, *, scenario: Scenario, split: str, episodes: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """An upper bound of `completion` in each episode (window, scenario seed), in their order.

    Raises:
        EdgeBenchError: No split bears the name, or the programme could not be solved.
    """
    generator = Generator(region, scenario, split)
    return np.array(
        [
            completion_bound(generator.sites, generator.jobs(window, seed), generator.world(seed).down)
            for window, seed in episodes
        ]
    )


def completion_bound(sites: Sites, jobs: NDArray[Any], down: NDArray[np.bool_]) -> float:
    """An upper bound of the priority-weighted share of `jobs` done in time.

    Args:
        sites: Of the region.
        jobs: Of the episode, (J,) of `edgebench.tracks.allocate.state.JOB`.
        down: Whether each site is down in each slot of a second, (N, slots).

    Raises:
        EdgeBenchError: The programme could not be solved.
    """
    plan = ways_to_do(sites, jobs)
    worth = jobs["priority"] / jobs["priority"].sum()
    rows, most = _capacity_rows(jobs["demand"], sites.capacity, plan, down)
    ways = plan.job.size
    free_way, free_bin = np.nonzero(plan.window_ms > plan.forced_ms)
    width = (plan.window_ms - plan.forced_ms)[free_way, free_bin]
    columns = ways + free_way.size
    once = csr_array((np.ones(ways), (plan.job, np.arange(ways))), shape=(jobs.size, columns))
    left_ms = plan.hold_ms - plan.forced_ms.sum(axis=1)
    spread = csr_array(
        (np.r_[left_ms, -np.ones(free_way.size)], (np.r_[np.arange(ways), free_way], np.arange(columns))),
        shape=(ways, columns),
    )
    solved = linprog(
        np.r_[-worth[plan.job], np.zeros(free_way.size)],
        A_ub=vstack([once, rows]),
        b_ub=np.r_[np.ones(jobs.size), most],
        A_eq=spread,
        b_eq=np.zeros(ways),
        bounds=np.c_[np.zeros(columns), np.r_[np.ones(ways), width]],
        method="highs",
    )
    if not solved.success:
        raise EdgeBenchError("the bound's linear programme was not solved", where=solved.message)
    return min(1.0, -float(solved.fun))


def ways_to_do(sites: Sites, jobs: NDArray[Any]) -> Plan:
    """Every job's ways to be done: here if its origin has the capacity, there if another site in reach has."""
    fits = (sites.capacity[None, :, :] >= jobs["demand"][:, None, :]).all(axis=2)
    origin, number = jobs["origin"], np.arange(jobs.size)
    transfer_ms = jobs["payload_mb"][:, None] * sites.path["ms_per_mb"][:, origin].T
    arrives_ms = jobs["arrival_ms"][:, None] + sites.path["latency_ms"][:, origin].T + transfer_ms
    there = fits & (arrives_ms <= jobs["latest_ms"][:, None])
    there[number, origin] = False
    quickest_ms = np.where(there, transfer_ms, np.inf).min(axis=1)
    here, away = np.flatnonzero(fits[number, origin]), np.flatnonzero(there.any(axis=1))
    job = np.r_[here, away]
    transfer = np.r_[np.zeros(here.size), quickest_ms[away]]
    begin, end = jobs["arrival_ms"][job], (jobs["latest_ms"] + jobs["duration_ms"])[job]
    hold_ms = transfer + jobs["duration_ms"][job]
    bins = int(np.ceil((jobs["latest_ms"] + jobs["duration_ms"]).max() / _BIN_MS))
    site = np.r_[origin[here], np.full(away.size, -1)]
    return Plan(job, site, hold_ms, _overlap(begin, end, bins), _overlap(end - hold_ms, begin + hold_ms, bins))


def _overlap(begin_ms: Floats, end_ms: Floats, bins: int) -> Floats:
    """Ms of each bin that lie between, (W, B)."""
    first = np.arange(bins) * _BIN_MS
    return np.clip(np.minimum(end_ms[:, None], first + _BIN_MS) - np.maximum(begin_ms[:, None], first), 0.0, None)


def _capacity_rows(demand: Floats, capacity: Floats, plan: Plan, down: NDArray[np.bool_]) -> tuple[Any, Floats]:
    """Rows and right-hand sides: of all sites a resource and bin, then of every site for what is done here."""
    (nodes, resources), bins = capacity.shape, plan.window_ms.shape[1]
    up_ms = _up_ms(down, bins)
    have = np.concatenate([np.einsum("nr,nb->rb", capacity, up_ms)[None], _per_site(capacity, up_ms)])
    ways, free_way, free_bin = plan.job.size, *np.nonzero(plan.window_ms > plan.forced_ms)
    forced_way, forced_bin = np.nonzero(plan.forced_ms > 0.0)
    way, of_bin = np.r_[forced_way, free_way], np.r_[forced_bin, free_bin]
    column = np.r_[forced_way, ways + np.arange(free_way.size)]
    amount = np.r_[plan.forced_ms[forced_way, forced_bin], np.ones(free_way.size)]
    row, entry, value = [], [], []
    for place, of_place in ((np.zeros(way.size, np.int64), way >= 0), (plan.site[way] + 1, plan.site[way] >= 0)):
        for resource in range(resources):
            row.append(((place * resources + resource) * bins + of_bin)[of_place])
            entry.append(column[of_place])
            value.append((amount * demand[plan.job[way], resource])[of_place])
    shape = ((nodes + 1) * resources * bins, ways + free_way.size)
    rows = coo_array((np.concatenate(value), (np.concatenate(row), np.concatenate(entry))), shape=shape).tocsr()
    used = np.flatnonzero(np.diff(rows.indptr))
    return rows[used], have.reshape(-1)[used]


def _per_site(capacity: Floats, up_ms: Floats) -> Floats:
    """Unit × ms of each site, resource and bin, (N, R, B)."""
    return capacity[:, :, None] * up_ms[:, None, :]


def _up_ms(down: NDArray[np.bool_], bins: int) -> Floats:
    """Ms of each bin in which each site is up, (N, B)."""
    slots = np.minimum(np.arange(bins * BIN_S), down.shape[1] - 1)
    return 1000.0 * (~down[:, slots]).reshape(len(down), bins, BIN_S).sum(axis=2)
