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
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

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
    """Ways to do the jobs, W in all, over B bins; the programme's first variables are the shares that they take."""

    job: NDArray[np.int64]  # (W,)
    site: NDArray[np.int64]  # (W,) the origin where the job is done here, -1 there
    hold_ms: Floats  # (W,) how long it holds its demand
    window_ms: Floats  # (W, B) most that it may hold within a bin
    forced_ms: Floats  # (W, B) least that it must, if it is done
    way: NDArray[np.int64]  # (V,) way and
    bin: NDArray[np.int64]  # (V,) bin of what is left to choose: the programme's further variables, in ms


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
    if plan.job.size == 0:
        return 0.0
    worth = jobs["priority"] / jobs["priority"].sum()
    ways, columns = plan.job.size, plan.job.size + plan.way.size
    width_ms = (plan.window_ms - plan.forced_ms)[plan.way, plan.bin]
    solved = milp(
        np.r_[-worth[plan.job], np.zeros(plan.way.size)],
        bounds=Bounds(np.zeros(columns), np.r_[np.ones(ways), width_ms]),
        constraints=[
            _once(plan, jobs.size),
            _held_in_all(plan),
            _capacities(plan, jobs["demand"], sites.capacity, down),
        ],
    )
    if not solved.success:
        raise EdgeBenchError("the bound's linear programme was not solved", where=str(solved.message))
    return min(1.0, -float(solved.fun))


def ways_to_do(sites: Sites, jobs: NDArray[Any]) -> Plan:
    """Every job's ways to be done: here if its origin has the capacity, there if another site in reach has."""
    fits = np.all(sites.capacity[None, :, :] >= jobs["demand"][:, None, :], axis=2)
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
    window_ms, forced_ms = _overlap(begin, end, bins), _overlap(end - hold_ms, begin + hold_ms, bins)
    return Plan(job, site, hold_ms, window_ms, forced_ms, *np.nonzero(window_ms > forced_ms))


def _overlap(begin_ms: Floats, end_ms: Floats, bins: int) -> Floats:
    """Ms of each bin that lie between, (W, B)."""
    first = np.arange(bins) * _BIN_MS
    common_ms = np.minimum(end_ms[:, None], first + _BIN_MS) - np.maximum(begin_ms[:, None], first)
    return np.asarray(np.maximum(common_ms, 0.0), np.float64)


def _once(plan: Plan, jobs: int) -> LinearConstraint:
    """A job is done once at most, over all its ways."""
    return _rows(np.ones(plan.job.size), plan.job, np.arange(plan.job.size), (jobs, _columns(plan)), -np.inf, 1.0)


def _held_in_all(plan: Plan) -> LinearConstraint:
    """Over the bins a way holds what it holds in all, as far as it is taken."""
    ways, columns = np.arange(plan.job.size), np.arange(_columns(plan))
    amount = np.r_[plan.hold_ms - plan.forced_ms.sum(axis=1), -np.ones(plan.way.size)]
    return _rows(amount, np.r_[ways, plan.way], columns, (ways.size, columns.size), 0.0, 0.0)


def _capacities(plan: Plan, demand: Floats, capacity: Floats, down: NDArray[np.bool_]) -> LinearConstraint:
    """Of every resource and bin: what all sites together hold, then for every site what is done here."""
    (nodes, resources), bins = capacity.shape, plan.window_ms.shape[1]
    up_ms = _up_ms(down, bins)
    have = np.concatenate([[np.einsum("nr,nb->rb", capacity, up_ms)], capacity[:, :, None] * up_ms[:, None, :]])
    forced_way, forced_bin = np.nonzero(plan.forced_ms > 0.0)
    way, of_bin = np.r_[forced_way, plan.way], np.r_[forced_bin, plan.bin]
    column = np.r_[forced_way, plan.job.size + np.arange(plan.way.size)]
    held = np.r_[plan.forced_ms[forced_way, forced_bin], np.ones(plan.way.size)][:, None] * demand[plan.job[way]]
    is_here = plan.site[way] >= 0
    place = np.r_[np.zeros(way.size, np.int64), plan.site[way][is_here] + 1]
    of_bin, column, held = (np.concatenate([part, part[is_here]]) for part in (of_bin, column, held))
    row = (place[:, None] * resources + np.arange(resources)) * bins + of_bin[:, None]
    shape = ((nodes + 1) * resources * bins, _columns(plan))
    return _rows(held.ravel(), row.ravel(), np.repeat(column, resources), shape, -np.inf, have.ravel())


def _rows(
    values: Floats,
    row: NDArray[np.integer[Any]],
    column: NDArray[np.integer[Any]],
    shape: tuple[int, int],
    least: float,
    most: Any,
) -> LinearConstraint:
    return LinearConstraint(coo_array((values, (row, column)), shape=shape).tocsr(), least, most)


def _columns(plan: Plan) -> int:
    return plan.job.size + plan.way.size


def _up_ms(down: NDArray[np.bool_], bins: int) -> Floats:
    """Ms of each bin in which each site is up, (N, B)."""
    slots = np.minimum(np.arange(bins * BIN_S), down.shape[1] - 1)
    return np.asarray(1000.0 * (~down[:, slots]).reshape(len(down), bins, BIN_S).sum(axis=2), np.float64)
