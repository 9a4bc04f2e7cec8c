"""Edits of a placement: which are valid, what one does."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled
from edgebench.tracks.place.state import Placement

PLACE, REPLICATE, DELETE = range(3)
VERBS: Final = ("place", "replicate", "delete")
"""`place`: the device holds the expert's only copy from now on. `replicate`: it holds a copy too. `delete`: it holds
none any more. A device that holds what it is to hold loads nothing."""


@compiled
def mark_valid(placement: Placement, room: NDArray[np.int64], mask: NDArray[np.int8]) -> None:
    """Write 1 where an edit is valid, (P x 3 x G,), in the order of `numpy.ravel_multi_index`.

    A copy needs room on its device unless one is there already; the last copy of an expert is never deleted.
    """
    experts, devices = placement.shape
    held = np.zeros(devices, np.int64)
    for expert in range(experts):
        for device in range(devices):
            held[device] += placement[expert, device]
    for expert in range(experts):
        copies = 0
        for device in range(devices):
            copies += placement[expert, device]
        first = expert * 3 * devices
        for device in range(devices):
            has = placement[expert, device] != 0
            fits = has or held[device] < room[device]
            mask[first + PLACE * devices + device] = fits
            mask[first + REPLICATE * devices + device] = fits
            mask[first + DELETE * devices + device] = has and copies > 1


@compiled
def is_valid(placement: Placement, room: NDArray[np.int64], expert: int, verb: int, device: int) -> bool:
    """Whether one edit is valid, numbers out of their range included."""
    experts, devices = placement.shape
    if not (0 <= expert < experts and 0 <= verb < 3 and 0 <= device < devices):
        return False
    if verb == DELETE:
        return bool(placement[expert, device] != 0 and placement[expert].sum() > 1)
    return bool(placement[expert, device] != 0 or placement[:, device].sum() < room[device])


@compiled
def edit(placement: Placement, expert: int, verb: int, device: int) -> bool:
    """Carry out a valid edit; whether the device has to load the expert."""
    loads = verb != DELETE and placement[expert, device] == 0
    if verb == PLACE:
        placement[expert] = 0
    placement[expert, device] = verb != DELETE
    return loads
