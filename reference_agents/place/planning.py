"""What the heuristics share: the edits towards a placement, loads of the history, packing by load."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.place.edits import DELETE, PLACE, REPLICATE
from edgebench.tracks.place.features import DEVICE_FEATURES, EXPERT_FEATURES, PROGRESS_FEATURES

Observation = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]
Placement = NDArray[np.int8]
Edit = NDArray[np.int64]

DEVICE: Final = {feature.name: column for column, feature in enumerate(DEVICE_FEATURES)}
EXPERT: Final = {feature.name: column for column, feature in enumerate(EXPERT_FEATURES)}
PROGRESS: Final = {feature.name: entry for entry, feature in enumerate(PROGRESS_FEATURES)}


def keep(placement: Placement) -> Edit:
    """The edit that changes nothing: replicate expert 0 where it is."""
    return np.array([0, REPLICATE, placement[0].argmax()], np.int64)


def rooms(observation: Observation) -> NDArray[np.int64]:
    """How many experts each device can hold, (G,)."""
    devices, size_gb = observation["devices"], observation["experts"][0, EXPERT["size_gb"]]
    free = np.rint(devices[:, DEVICE["free_gb"]] / size_gb).astype(np.int64)
    return np.asarray(free + observation["placement"].sum(axis=0))


def mean_loads(observation: Observation) -> Floats:
    """Moving average of each expert's share of its layer, (L, E)."""
    experts = observation["affinity"].shape[1]
    loads = observation["experts"][:, EXPERT["mean_load"]].astype(np.float64) / experts
    return np.asarray(loads.reshape(-1, experts))


def row_costs(observation: Observation) -> Floats:
    """What a row costs a device in ms, (G,): its compute, and its transmission from a device like the others."""
    row_ms = observation["links"][:, :, 1].astype(np.float64)
    from_others = row_ms.sum(axis=0) / (len(row_ms) - 1)
    return np.asarray(from_others + observation["devices"][:, DEVICE["row_ms"]])


def plans(observation: Observation) -> bool:
    """Whether the first batch has not been served yet."""
    return bool(observation["progress"][PROGRESS["batches_left"]] >= 1.0)


def edit_towards(target: Placement, observation: Observation, loads: Floats) -> Edit:
    """The next edit that brings the placement nearer to `target`, the most popular expert's first; else to keep it.

    Where no copy can go where it shall, a copy that stands in the way is deleted, or moved to wherever there is room.

    Args:
        target: (P, G), fits.
        observation: The present one.
        loads: Of every expert, (P,).
    """
    now = observation["placement"]
    missing, surplus = (target > now), (now > target)
    free = rooms(observation) - now.sum(axis=0)
    possible = missing & (free > 0)
    if not possible.any():
        return _make_room(now, missing, surplus, free)
    expert = int(np.where(possible.any(axis=1), loads, -1.0).argmax())
    moves = target[expert].sum() == 1 or (surplus[expert].any() and now[expert].sum() == 1)
    return np.array([expert, PLACE if moves else REPLICATE, possible[expert].argmax()], np.int64)


def _make_room(now: Placement, missing: NDArray[np.bool_], surplus: NDArray[np.bool_], free: NDArray[np.int64]) -> Edit:
    """Delete a copy too many, or move one that stands in the way; to keep where there is none."""
    needless = surplus.any(axis=1) & (now.sum(axis=1) > 1)
    if needless.any():
        expert = int(needless.argmax())
        return np.array([expert, DELETE, surplus[expert].argmax()], np.int64)
    in_the_way = (surplus & missing.any(axis=0)).any(axis=1)
    if in_the_way.any() and free.max() > 0:
        return np.array([in_the_way.argmax(), PLACE, free.argmax()], np.int64)
    return keep(now)


def pack(copies: NDArray[np.int64], loads: Floats, costs: Floats, room: NDArray[np.int64]) -> Placement:
    """Balanced packing, (P, G): copies by falling load, each to the device that its layer then burdens least.

    A further copy of an expert that finds no other device with room is left out.

    Args:
        copies: Of every expert, (L, E).
        loads: Of every expert, (L, E), shared among its copies.
        costs: Of a row on every device, (G,).
        room: Copies that fit on every device, (G,); at least as many as there are.
    """
    layers, experts = loads.shape
    placement = np.zeros((layers * experts, len(room)), np.int8)
    each, number = (loads / copies).ravel(), np.repeat(np.arange(loads.size), copies.ravel())
    burden, left = np.zeros((layers, len(room))), room.copy()
    for expert in number[np.argsort(-each[number], kind="stable")]:
        after = (burden[expert // experts] + each[expert]) * costs
        open_to = (left > 0) & (placement[expert] == 0)
        if open_to.any():
            device = int(np.where(open_to, after, np.inf).argmin())
            placement[expert, device] = 1
            burden[expert // experts, device] += each[expert]
            left[device] -= 1
    return placement


def replicate_greedily(loads: Floats, more: int, most: int) -> NDArray[np.int64]:
    """Copies of every expert, (L, E): one each, and `more` in turn to the one with the highest load a copy.

    No expert has more than `most`.
    """
    copies = np.ones(loads.shape, np.int64)
    for _ in range(min(more, (most - 1) * copies.size)):
        each = np.where(copies < most, loads / copies, -1.0)
        copies.ravel()[each.argmax()] += 1
    return copies
