"""What arises in an episode: requests, bandwidths, traps and failures, hashed from split, window and scenario seed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.schema import SPLITS
from edgebench.sim import counter
from edgebench.sim.compiled import compiled
from edgebench.sim.conditions import draw_conditions
from edgebench.sim.demand import crowd_factors, drift_factors, node_shares
from edgebench.sim.jitter import late_ms
from edgebench.tracks.offload import streams
from edgebench.tracks.offload.constants import (
    AGES,
    BANDWIDTH_RHO,
    BANDWIDTH_SIGMA,
    LOAD,
    MB_PER_SHARE,
    PROVISION,
    SLOTS,
    WORK_SHARES,
)
from edgebench.tracks.offload.draws import Floats, autoregressive, poisson
from edgebench.tracks.offload.state import LINK_SLOT, NODE_SLOT, Episode, Network
from edgebench.tracks.offload.workloads import Shape

_WINDOWS: Final = 1 << 20
"""More windows than any split has."""
_SHARES_PER_MBPS: Final = 1.0 / 8.0 / MB_PER_SHARE
"""CPU shares' worth of bytes that a megabit a second carries in a slot of 1 s."""


class Generator:
    """Episodes of a region's split under a scenario.

    Args:
        region: Whose.
        network: Of the region (`edgebench.tracks.offload.network.build_network`).
        scenario: How network and load behave.
        split: Whose users they are.
        shape: The workload.
    """

    def __init__(self, region: Region, network: Network, scenario: Scenario, split: str, shape: Shape) -> None:
        users = node_shares(region.task_table(split)["node_id"].to_numpy(), network.node.size)
        self._network, self._split, self._shape = network, list(SPLITS).index(split), shape
        self._topology, self._parameters = region.topology(), scenario.parameters()
        self._shares = demand_shares(users, network.node["capacity"])
        self._crowds, self._speedup = scenario.crowds, scenario.crowd_speedup

    def episode(self, window: int, seed: int) -> Episode:
        """What the world does in window `window` of the split under scenario seed `seed`."""
        own_seed = episode_seed(self._split, window, seed)
        conditions = draw_conditions(self._topology, own_seed, self._parameters)
        slots, network = SLOTS + AGES, self._network
        there = network.link["neighbour"] >= 0
        speed = autoregressive(own_seed, streams.BANDWIDTH, BANDWIDTH_RHO, BANDWIDTH_SIGMA, there, slots)
        node, link = np.zeros((slots, len(there)), NODE_SLOT), np.zeros((slots, *there.shape), LINK_SLOT)
        node["arrivals"][:SLOTS] = self._arrivals(own_seed)
        node["down"] = conditions.down.T[:slots]
        link["shares"] = speed * network.link["bandwidth_mbps"] * _SHARES_PER_MBPS
        link["extra_ms"] = self._of_links(conditions.extra_ms, slots)
        link["extra_ms"] += _late_links(network.link["neighbour"], own_seed, slots, *self._jitter())
        link["bad"] = self._of_links(conditions.bad, slots)
        total_work = node["arrivals"].sum(axis=(0, 1)) @ np.array(WORK_SHARES)
        return Episode(node, link, np.array([total_work], np.int64))

    def _of_links(self, of_traps: NDArray[Any], slots: int) -> NDArray[Any]:
        """Values of trap links, (C, TRAP_SLOTS), as values of all links, (slots, N, D); 0 where there is no trap."""
        padded = np.vstack([of_traps, np.zeros((1, of_traps.shape[1]), of_traps.dtype)])
        return padded.T[:slots][:, self._network.link["trap"]]

    def _arrivals(self, seed: int) -> NDArray[np.int32]:
        """Requests of every slot, node and class, (SLOTS, N, K)."""
        network = self._network
        factors = self._shape(network.node["east"], SLOTS, seed)
        factors = factors * crowd_factors(
            network.link["neighbour"], SLOTS, seed, crowds=self._crowds, speedup=self._speedup
        )
        if self._parameters["drifts"]:
            factors = factors * drift_factors(network.node["east"], self._shares, SLOTS)
        work = LOAD * network.node["capacity"].sum() * self._shares * factors
        classes = len(WORK_SHARES)
        mean = np.repeat(work / sum(WORK_SHARES), classes, axis=1)
        return poisson(seed, streams.ARRIVALS, mean).reshape(SLOTS, -1, classes)

    def _jitter(self) -> tuple[float, float, float]:
        chance, least_ms, most_ms = (self._parameters[f"jitter_{name}"] for name in ("chance", "min_ms", "max_ms"))
        return chance, least_ms, most_ms


def episode_seed(split: int, window: int, seed: int) -> int:
    """The seed of an episode's draws, below 2^63: no two splits, windows or scenario seeds share one."""
    return int(counter.bits(seed, streams.OFFLOAD_EPISODE, split * _WINDOWS + window, 0)) >> 1


def demand_shares(users: Floats, capacity: Floats) -> Floats:
    """Share of the work asked for that arises at each node, (N,), summing to 1.

    Args:
        users: Share of the users at each node, (N,) (`edgebench.sim.demand.node_shares`).
        capacity: CPU shares a slot, (N,).
    """
    wanted = capacity * (users / (capacity / capacity.sum())) ** PROVISION
    return np.asarray(wanted / wanted.sum())


@compiled
def _late_links(
    neighbour: NDArray[np.int64], seed: int, slots: int, chance: float, least_ms: float, most_ms: float
) -> Floats:
    """What jitter adds to each link in each slot in ms, (slots, N, D)."""
    nodes, columns = neighbour.shape
    late = np.zeros((slots, nodes, columns))
    for slot in range(slots if chance > 0.0 else 0):
        for node in range(nodes):
            for column in range(columns):
                if neighbour[node, column] >= 0:
                    target = neighbour[node, column]
                    late[slot, node, column] = late_ms(seed, nodes, node, target, slot, chance, least_ms, most_ms)
    return late
