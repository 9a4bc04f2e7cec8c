"""What network and nodes do in one episode, slot by slot, for tracks that look at whole slots; no agent is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import HOP_MS
from edgebench.sim.outages import outage_schedule
from edgebench.sim.topology import Topology
from edgebench.sim.traps import trap_schedule

MAX_NEIGHBOURS: Final = 8
"""Links of a node that a decision offers (D), the quickest ones; standard regions have no node with more."""


class Neighbours(NamedTuple):
    """The links of N nodes, those of a node by rising latency and then by number; the same for every agent."""

    node: NDArray[np.int64]  # (N, D) at the far end, -1 beyond the last
    latency_ms: NDArray[np.float64]  # (N, D) propagation and forwarding, 0 beyond the last
    bandwidth_mbps: NDArray[np.float64]  # (N, D) 0 beyond the last
    trap: NDArray[np.int64]  # (N, D) index of the trap link, -1 where it is none


class Conditions(NamedTuple):
    """The states of an episode's `TRAP_SLOTS` slots: C trap links, N nodes."""

    bad: NDArray[np.bool_]  # (C, TRAP_SLOTS) whether a trap link is bad at the slot's beginning
    extra_ms: NDArray[np.float64]  # (C, TRAP_SLOTS) what it adds to every message
    down: NDArray[np.bool_]  # (N, TRAP_SLOTS)


def find_neighbours(
    nodes: int,
    src: NDArray[np.integer],
    dst: NDArray[np.integer],
    latency_ms: NDArray[np.floating],
    bandwidth_mbps: NDArray[np.floating],
    is_trap: NDArray[np.bool_],
) -> Neighbours:
    """The quickest `MAX_NEIGHBOURS` links of every node, from the columns of the links, (L,) each."""
    is_trap = is_trap.astype(bool)
    trap = np.where(is_trap, np.cumsum(is_trap) - 1, -1)
    found = Neighbours(
        np.full((nodes, MAX_NEIGHBOURS), -1, np.int64),
        np.zeros((nodes, MAX_NEIGHBOURS)),
        np.zeros((nodes, MAX_NEIGHBOURS)),
        np.full((nodes, MAX_NEIGHBOURS), -1, np.int64),
    )
    tail, head = np.r_[src, dst], np.r_[dst, src]
    link = np.tile(np.arange(len(src)), 2)
    order = np.lexsort((head, latency_ms[link], tail))
    for node in range(nodes):
        mine = order[tail[order] == node][:MAX_NEIGHBOURS]
        there = slice(0, mine.size)
        found.node[node, there], found.trap[node, there] = head[mine], trap[link[mine]]
        found.latency_ms[node, there] = latency_ms[link[mine]].astype(np.float64) + HOP_MS
        found.bandwidth_mbps[node, there] = bandwidth_mbps[link[mine]]
    return found


def draw_conditions(topology: Topology, seed: int, parameters: Mapping[str, float]) -> Conditions:
    """The conditions of the episode under scenario `seed`.

    Args:
        topology: Of the region.
        seed: The scenario's.
        parameters: Of the scenario (`edgebench.registry.Scenario.parameters`).
    """
    traps, drifts = parameters["traps"] != 0.0, parameters["drifts"] != 0.0
    bad, extra_ms = trap_schedule(topology.trap, seed, traps, drifts)
    down = outage_schedule(topology.node.size, seed, parameters["outage_enter"], parameters["outage_leave"])
    return Conditions(bad, extra_ms, down)
