"""Copies that come and go with the load: when a further copy of the busiest expert pays, and which copy makes room."""

from __future__ import annotations

from typing import Final

import numpy as np

from edgebench.tracks.place.constants import REQUEST_ROWS, REQUESTS, SLOTS, STORE_GB_PER_S
from edgebench.tracks.place.edits import DELETE, REPLICATE
from reference_agents.place.planning import EXPERT, PROGRESS, Edit, Floats, Observation, Placement, keep, rooms

HORIZON: Final = 20
"""Batches in which loading a copy has to pay."""
_ROWS: Final = REQUESTS * REQUEST_ROWS


def scale_copies(loads: Floats, costs: Floats, observation: Observation) -> Edit:
    """A further copy for the expert with the most load a copy if that pays; a needless copy deleted for it; or keep.

    Args:
        loads: Share of every expert within its layer, (L, E).
        costs: What a row costs each device in ms, (G,).
        observation: The present one.
    """
    now = observation["placement"]
    copies, each = now.sum(axis=1), loads.ravel() / now.sum(axis=1)
    expert = int(np.where(copies < now.shape[1], each, -1.0).argmax())
    saved_ms = _ROWS * (each[expert] - loads.ravel()[expert] / (copies[expert] + 1)) * costs.mean()
    left = min(HORIZON, float(observation["progress"][PROGRESS["batches_left"]]) * SLOTS)
    load_ms = 1000.0 * float(observation["experts"][expert, EXPERT["size_gb"]]) / STORE_GB_PER_S
    if left * saved_ms < load_ms:
        return keep(now)
    burden = _burden(loads, observation) * costs
    free = (rooms(observation) > now.sum(axis=0)) & (now[expert] == 0)
    if free.any():
        return np.array([expert, REPLICATE, np.where(free, burden, np.inf).argmin()], np.int64)
    return _delete_least(each, loads, now, expert)


def _burden(loads: Floats, observation: Observation) -> Floats:
    """Share of all rows that each device has by its copies, (G,)."""
    now = observation["placement"]
    return np.asarray((loads.ravel() / now.sum(axis=1)) @ now)


def _delete_least(each: Floats, loads: Floats, now: Placement, expert: int) -> Edit:
    """Delete a copy of the expert whose copies would bear least without it, if that is less than the busiest bears."""
    copies = now.sum(axis=1)
    without = np.where(copies > 1, loads.ravel() / np.maximum(copies - 1, 1), np.inf)
    least = int(without.argmin())
    if without[least] >= each[expert] / 2.0:
        return keep(now)
    return np.array([least, DELETE, now[least].argmax()], np.int64)
