"""What the heuristics share: room and time at every site, by what an operator knows, and picking the best site."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.allocate.constants import RESOURCES, R
from edgebench.tracks.allocate.features import JOB, QUEUE, SITE

Observation = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]
_FREE, _SENT, _NEED = (
    slice(SITE[f"{what}_{RESOURCES[0]}"], SITE[f"{what}_{RESOURCES[0]}"] + R) for what in ("free", "sent", "need")
)
_ROUNDING = 1e-6


class Outlook(NamedTuple):
    """What a job would meet at each of N sites."""

    left: Floats  # (N, R) shares of each resource that would be left, requests under way taken off
    need: Floats  # (N, R) shares of each resource that the job needs
    request_s: Floats  # (N,) until its request arrives, remembered extras included
    transfer_s: Floats  # (N,) transmission of its input after that
    has_room: NDArray[np.bool_]  # (N,) valid, and with room beside the requests under way
    in_time: NDArray[np.bool_]  # (N,) that, and the job would begin before its slack is used up


def outlook(observation: Observation) -> Outlook:
    """The outlook of the job whose turn it is."""
    sites = observation["sites"].astype(np.float64)
    left = sites[:, _FREE] - sites[:, _SENT] - sites[:, _NEED]
    request_s = sites[:, SITE["latency_s"]] + sites[:, SITE["measured_extra_s"]]
    transfer_s = sites[:, SITE["transmission_s"]]
    has_room = (observation["action_mask"][:-1] > 0) & (left >= -_ROUNDING).all(axis=1)
    in_time = has_room & (request_s + transfer_s <= of_job(observation, "slack_s"))
    return Outlook(left, sites[:, _NEED], request_s, transfer_s, has_room, in_time)


def of_job(observation: Observation, name: str) -> float:
    """One entry of `job` by name."""
    return float(observation["job"][JOB[name]])


def of_queue(observation: Observation, name: str) -> float:
    """One entry of `queue` by name."""
    return float(observation["queue"][QUEUE[name]])


def dominant_need(observation: Observation) -> float:
    """The job's largest need, as a share of the mean site's capacity."""
    return max(of_job(observation, f"need_{name}") for name in RESOURCES)


def defer(observation: Observation) -> int:
    """The action that lets the job wait."""
    return int(observation["action_mask"].size - 1)


def cheapest(cost: NDArray[Any], among: NDArray[np.bool_], observation: Observation) -> int:
    """The site of least cost among some, the first of equals; to defer where there is none."""
    if not among.any():
        return defer(observation)
    return int(np.argmin(np.where(among, cost, np.inf)))
