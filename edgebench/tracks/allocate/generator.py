"""What arises in an episode: the sites of a region, and the jobs of a window under a scenario seed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.schema import SPLITS
from edgebench.sim import counter
from edgebench.sim.conditions import draw_conditions
from edgebench.sim.demand import crowd_factors, drift_factors, node_shares
from edgebench.sim.topology import Topology
from edgebench.tracks.allocate import constants, streams
from edgebench.tracks.allocate.constants import R
from edgebench.tracks.allocate.state import JOB, Sites, World

Floats = NDArray[np.float64]
_WINDOWS: Final = 2**32
_DEMANDS: Final = np.array(constants.DEMANDS, np.float64)


class Generator:
    """The episodes of a region's split under a scenario.

    Args:
        region: Where.
        scenario: How network and load behave.
        split: Whose users; those of different splits live at different sites, and no two splits share a draw.

    Raises:
        EdgeBenchError: No split bears the name.
    """

    def __init__(self, region: Region, scenario: Scenario, split: str) -> None:
        self._topology, self._scenario = region.topology(), scenario
        self._neighbours = region.neighbours().node
        self._shares = node_shares(region.task_table(split)["node_id"].to_numpy(), self._topology.node.size)
        self._split = SPLITS.index(split)
        self.sites = make_sites(region, self._topology)
        self._rate_per_s = jobs_per_s(self.sites.capacity)

    def jobs(self, window: int, seed: int) -> NDArray[Any]:
        """The jobs of an episode in the order of their arrival, (J,) of `JOB`."""
        weights = self._intensity(seed)
        own = int(counter.bits(seed, streams.ALLOCATE_EPISODE, self._split * _WINDOWS + window, 0) >> np.uint64(1))
        jobs = np.zeros(max(1, round(weights.sum())), JOB)
        _place(jobs, weights, own)
        _describe(jobs, self.sites.mean, own)
        return jobs[np.argsort(jobs["arrival_ms"], kind="stable")]

    def world(self, seed: int) -> World:
        """What network and sites do under scenario `seed`."""
        parameters = self._scenario.parameters()
        conditions = draw_conditions(self._topology, seed, parameters)
        jitter = (parameters[f"jitter_{name}"] for name in ("chance", "min_ms", "max_ms"))
        return World(*conditions, seed, parameters["outage_enter"] > 0.0, *jitter)

    def _intensity(self, seed: int) -> Floats:
        """Jobs expected at each site in each second, (seconds, N)."""
        scenario, seconds = self._scenario, constants.ARRIVALS_S
        phase = 2.0 * np.pi * (np.arange(seconds) + 0.5) / seconds
        rate = self._rate_per_s * (1.0 + constants.LOAD_SWING * np.sin(phase))
        factors = crowd_factors(self._neighbours, seconds, seed, crowds=scenario.crowds, speedup=scenario.crowd_speedup)
        if scenario.drifts:
            factors = factors * drift_factors(self._topology.node["east"], self._shares, seconds)
        return np.asarray(rate[:, None] * self._shares * factors, np.float64)


def make_sites(region: Region, topology: Topology) -> Sites:
    """Capacities and ways of a region's sites.

    Cpu are the node's compute units, memory so many GB for each of them as its family has, bandwidth what its links
    have together, storage the node's.
    """
    compute, storage = region.column("nodes", "compute"), region.column("nodes", "storage_gb")
    capacity = np.zeros((compute.size, R))
    draws = counter.uniforms(0, streams.FAMILY, compute.size)
    family = np.array(constants.FAMILY_GB_PER_UNIT)[(draws * len(constants.FAMILY_GB_PER_UNIT)).astype(int)]
    for end in ("src", "dst"):
        np.add.at(capacity[:, 2], region.column("links", end), np.floor(region.column("links", "bandwidth_mbps")))
    capacity[:, 0], capacity[:, 1], capacity[:, 3] = compute, compute * family, storage
    return Sites(capacity, capacity.mean(axis=0), topology.path, np.ascontiguousarray(topology.trap["slow_ms_per_mb"]))


def jobs_per_s(capacity: Floats) -> float:
    """Jobs a second with which the scarcest resource is asked for `LOAD` times what all sites have of it."""
    median_ms, sigma = constants.DURATION_MS
    mean_s = median_ms * np.exp(sigma**2 / 2.0) / 1000.0
    return float((constants.LOAD * capacity.sum(axis=0) / (_DEMANDS.mean(axis=(0, 2)) * mean_s)).min())


def _place(jobs: NDArray[Any], weights: Floats, seed: int) -> None:
    """Draw site and time: given their number, the arrivals of a Poisson process are independent draws of its rate."""
    reached = np.cumsum(weights.ravel())
    drawn = counter.uniforms(seed, streams.PLACE, jobs.size) * reached[-1]
    second, jobs["origin"] = np.divmod(np.searchsorted(reached, drawn, side="right"), weights.shape[1])
    jobs["arrival_ms"] = 1000.0 * (second + counter.uniforms(seed, streams.MOMENT, jobs.size))


def _describe(jobs: NDArray[Any], mean_capacity: Floats, seed: int) -> None:
    """Draw what the jobs need, how urgent they are and how long they take."""
    kind = (counter.uniforms(seed, streams.KIND, jobs.size) * len(constants.KINDS)).astype(int)
    least, most = _DEMANDS[kind, :, 0], _DEMANDS[kind, :, 1]
    drawn = counter.uniforms(seed, streams.DEMAND, jobs.size * R).reshape(-1, R)
    jobs["demand"] = least + np.floor(drawn * (most - least + 1.0))
    jobs["dominant"] = (jobs["demand"] / mean_capacity).max(axis=1)
    reached = np.cumsum(constants.PRIORITY_SHARES)
    jobs["priority"] = 1 + np.searchsorted(reached[:-1], counter.uniforms(seed, streams.PRIORITY, jobs.size), "right")
    drawn_ms = _lognormal(seed, streams.DURATION, jobs.size, constants.DURATION_MS)
    jobs["duration_ms"] = np.round(np.clip(drawn_ms, *constants.DURATION_LIMITS_MS))
    payload_mb = _lognormal(seed, streams.PAYLOAD, jobs.size, constants.PAYLOAD_MB)
    jobs["payload_mb"] = np.round(np.minimum(payload_mb, constants.PAYLOAD_MOST_MB), 3)
    least_ms, most_ms = constants.SLACK_MS
    slack_ms = least_ms + (most_ms - least_ms) * counter.uniforms(seed, streams.SLACK, jobs.size)
    jobs["latest_ms"] = jobs["arrival_ms"] + slack_ms


def _lognormal(seed: int, stream: int, count: int, median_sigma: tuple[float, float]) -> Floats:
    """`count` lognormal draws; they are rounded afterwards, as the quantile's last bits are the library's."""
    median, sigma = median_sigma
    return np.asarray(median * np.exp(sigma * ndtri(counter.uniforms(seed, stream, count))), np.float64)
