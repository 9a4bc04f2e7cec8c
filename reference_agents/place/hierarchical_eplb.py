"""Hierarchical EPLB: groups of experts go to groups of devices first, copies and packing follow within each.

A group of experts is one of every layer and those that its tokens favour next, so that rows seldom leave a group of
devices; a group of devices are near each other. (DeepSeek's balancer packs groups to nodes with few links between, from
its description in the DeepSeek-V3 report, arXiv 2412.19437.)

Command: edgebench eval hierarchical-eplb --track place
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from reference_agents.place.planning import (
    Edit,
    Floats,
    Observation,
    Placement,
    edit_towards,
    keep,
    mean_loads,
    pack,
    plans,
    replicate_greedily,
    rooms,
    row_costs,
)

GROUPS: Final = 2
"""Groups of devices."""


class Agent:
    """Fills each group's memory with copies of its own experts before the first batch."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode."""
        self._target: Placement | None = None

    def act(self, observation: Observation) -> Edit:
        """The next edit towards the balanced placement."""
        if not plans(observation):
            return keep(observation["placement"])
        if self._target is None:
            self._target = plan_groups(observation)
        return edit_towards(self._target, observation, mean_loads(observation).ravel())


def plan_groups(observation: Observation) -> Placement:
    """The placement that this agent aims at, (P, G)."""
    loads, costs, room = mean_loads(observation), row_costs(observation), rooms(observation)
    device_group = _device_groups(observation["links"][:, :, 1])
    shares = np.array([room[device_group == group].sum() for group in range(GROUPS)])
    expert_group = _expert_groups(loads, observation["affinity"].astype(np.float64), shares)
    target = np.zeros_like(observation["placement"])
    for group in range(GROUPS):
        devices = np.flatnonzero(device_group == group)
        own = np.stack([np.flatnonzero(of_layer == group) for of_layer in expert_group])
        held = np.take_along_axis(loads, own, axis=1)
        copies = replicate_greedily(held, int(room[devices].sum()) - held.size - 1, len(devices))
        experts = own + np.arange(len(own))[:, None] * loads.shape[1]
        target[np.ix_(experts.ravel(), devices)] = pack(copies, held, costs[devices], room[devices])
    return target


def _device_groups(row_ms: NDArray[np.float32]) -> NDArray[np.int64]:
    """The half of the devices that are quickest to reach from the first of them, and the others, (G,)."""
    between = row_ms + row_ms.T
    group = np.zeros(len(between), np.int64)
    group[np.argsort(between[between.sum(axis=1).argmax()], kind="stable")[len(between) // GROUPS :]] = 1
    return group


def _expert_groups(loads: Floats, affinity: Floats, shares: NDArray[np.int64]) -> NDArray[np.int64]:
    """The group of every expert, (L, E), as many a layer as the group's share of memory; followers stay together."""
    experts = loads.shape[1]
    share = int(np.clip(round(experts * shares[0] / shares.sum()), 1, experts - 1))
    left, burden = np.array([share, experts - share]), np.zeros(GROUPS)
    first = np.zeros(experts, np.int64)
    for expert in np.argsort(-loads[0], kind="stable"):
        group = int(np.where(left > 0, burden / shares, np.inf).argmin())
        first[expert] = group
        left[group] -= 1
        burden[group] += loads[0, expert]
    groups = [first]
    for between in affinity:
        follower = linear_sum_assignment(-between)[1]
        following = np.empty(experts, np.int64)
        following[follower] = groups[-1]
        groups.append(following)
    return np.stack(groups)
