"""What edits of a placement would save, reckoned from the means that an observation tells: every edit, roughly.

Rows are taken as a stream: so many go from an expert to the next by affinity, and every expert's rows go from where
they are to the copy that a router would send the first of them to. It takes a hundredth of the time of serving a batch
under every edit.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled_in_place, part
from edgebench.tracks.place.constants import REQUEST_ROWS, REQUESTS
from edgebench.tracks.place.edits import DELETE, PLACE
from edgebench.tracks.place.features import DEVICE_FEATURES, EXPERT_FEATURES
from edgebench.tracks.place.observe import Seen
from edgebench.tracks.place.state import Floats

PATH, TRANSMISSION, COMPUTE, CROSSING = range(4)
"""Parts of an estimate: three in ms, and moves between devices a row."""
PARTS: Final = 4
_ROWS: Final = float(REQUESTS * REQUEST_ROWS)
_DEVICE: Final = {feature.name: column for column, feature in enumerate(DEVICE_FEATURES)}
_ROW_MS, _ENTRY, _ENTRY_ROW, _EXIT = (_DEVICE[name] for name in ("row_ms", "entry_s", "entry_row_ms", "exit_s"))
_MEAN_LOAD: Final = [feature.name for feature in EXPERT_FEATURES].index("mean_load")
_MS: Final = 1000.0


class Estimate(NamedTuple):
    """Estimates for one observation; P experts, L layers, G devices. All but `parts` and `saving` are on the way."""

    parts: Floats  # (PARTS,) of the placement as it is
    saving: Floats  # (PARTS, P, 3, G) what every edit would save of each
    way_ms: Floats  # (G, G) from device to device, with what its trap links are expected to add
    known_ms: Floats  # (G + 1, G) as a router reckons, with a row's transmission and compute; at last from the users
    nearest: NDArray[np.int64]  # (P, G + 1) the copy that a router would send a first row to from each of those
    second: NDArray[np.int64]  # (P, G + 1) the one that it would if that were not there
    come: Floats  # (P, G) share of the rows of a layer that go to an expert from what the device holds
    go_on: Floats  # (PARTS, P, G) what the next round costs a row of an expert that is on a device
    here: Floats  # (P, G) share of the rows of a layer that an expert has on a device
    inflow_ms: Floats  # (P, G) transmission of an expert's rows to a device
    work_ms: Floats  # (P, G) their compute
    layer_ms: Floats  # (2, G) transmission and compute of all experts of a layer
    others_ms: Floats  # (2, G) those of all but one
    ends: NDArray[np.int64]  # (G + 1,) where the rows of that one would go


def blank_estimate(experts: int, devices: int) -> Estimate:
    """An estimate for `estimate_edits` to write, of so many experts in all layers."""
    square, each = (devices, devices), (experts, devices)
    return Estimate(
        np.zeros(PARTS),
        np.zeros((PARTS, experts, 3, devices)),
        np.zeros(square),
        np.zeros((devices + 1, devices)),
        np.zeros((experts, devices + 1), np.int64),
        np.zeros((experts, devices + 1), np.int64),
        np.zeros(each),
        np.zeros((PARTS, *each)),
        np.zeros(each),
        np.zeros(each),
        np.zeros(each),
        np.zeros((2, devices)),
        np.zeros((2, devices)),
        np.zeros(devices + 1, np.int64),
    )


@compiled_in_place
def estimate_edits(seen: Seen, stream_ms: float, expected_ms: float, estimate: Estimate) -> None:
    """Write the estimate.

    Args:
        seen: The observation.
        stream_ms: Reading an expert's weights once, ms.
        expected_ms: What trap links are taken to add to any way between nodes beyond what is remembered of them.
        estimate: Written.
    """
    _reckon_ways(seen, expected_ms, estimate)
    _find_nearest(seen, estimate)
    experts, layers = seen.affinity.shape[1], seen.affinity.shape[0] + 1
    estimate.parts[:], estimate.saving[:] = 0.0, 0.0
    for number in range(layers * experts - 1, -1, -1):
        _reckon_onward(seen, number, experts, layers, estimate)
    for number in range(layers * experts):
        if number >= experts:
            _reckon_come(seen, number, experts, estimate)
        path, crossing, onward, _ = _spread(seen, number, estimate.nearest[number], stream_ms, estimate)
        estimate.parts[PATH] += path + (onward if number >= (layers - 1) * experts else 0.0)
        estimate.parts[CROSSING] += crossing
    for layer in range(layers):
        _try_layer(seen, layer * experts, experts, stream_ms, estimate)


@part
def _reckon_ways(seen: Seen, expected_ms: float, estimate: Estimate) -> None:
    devices = estimate.way_ms.shape[0]
    for end in range(devices):
        row_ms = seen.devices[end, _ROW_MS]
        for start in range(devices):
            known = _MS * (seen.links[start, end, 0] + seen.links[start, end, 2])
            estimate.way_ms[start, end] = known + (expected_ms if start != end else 0.0)
            estimate.known_ms[start, end] = known + seen.links[start, end, 1] + row_ms
        estimate.known_ms[devices, end] = _MS * seen.devices[end, _ENTRY] + seen.devices[end, _ENTRY_ROW] + row_ms


@part
def _find_nearest(seen: Seen, estimate: Estimate) -> None:
    """Of equals the lowest; 0 where there is no copy."""
    for number in range(estimate.nearest.shape[0]):
        for start in range(estimate.known_ms.shape[0]):
            best, second, least, less = 0, 0, np.inf, np.inf
            for end in range(estimate.known_ms.shape[1]):
                known = estimate.known_ms[start, end]
                if seen.placement[number, end] and known < least:
                    best, second, least, less = end, best, known, least
                elif seen.placement[number, end] and known < less:
                    second, less = end, known
            estimate.nearest[number, start], estimate.second[number, start] = best, second


@part
def _find_ends(estimate: Estimate, number: int, verb: int, device: int, ends: NDArray[np.int64]) -> None:
    """Where rows of an expert would go from each device, and from the users, after an edit, (G + 1,)."""
    for start in range(ends.size):
        end = estimate.nearest[number, start]
        if verb == PLACE:
            end = device
        elif verb == DELETE and device == end:
            end = estimate.second[number, start]
        elif verb != DELETE:
            known, other = estimate.known_ms[start, end], estimate.known_ms[start, device]
            if other < known or (other == known and device < end):
                end = device
        ends[start] = end


@part
def _reckon_onward(seen: Seen, number: int, experts: int, layers: int, estimate: Estimate) -> None:
    """What the round after an expert costs its rows, from every device that might hold it."""
    layer, expert = number // experts, number % experts
    for device in range(estimate.here.shape[1]):
        path, crossing = 0.0, 0.0
        if layer == layers - 1:
            path = _MS * seen.devices[device, _EXIT]
        else:
            total = 1e-9
            for follower in range(experts):
                share = seen.affinity[layer, expert, follower]
                if share > 0.0:
                    end = estimate.nearest[(layer + 1) * experts + follower, device]
                    path += share * estimate.way_ms[device, end]
                    crossing += share * (end != device)
                    total += share
            path, crossing = path / total, crossing / total
        estimate.go_on[PATH, number, device], estimate.go_on[CROSSING, number, device] = path, crossing


@part
def _reckon_come(seen: Seen, number: int, experts: int, estimate: Estimate) -> None:
    """Where the rows that an expert gets are before."""
    layer, expert = number // experts, number % experts
    estimate.come[number] = 0.0
    for before in range(experts):
        source = (layer - 1) * experts + before
        share, total = seen.affinity[layer - 1, before, expert], 1e-9
        if share > 0.0:
            for device in range(estimate.here.shape[1]):
                total += estimate.here[source, device]
            for device in range(estimate.here.shape[1]):
                estimate.come[number, device] += share * estimate.here[source, device] / total


@part
def _spread(
    seen: Seen, number: int, ends: NDArray[np.int64], stream_ms: float, estimate: Estimate
) -> tuple[float, float, float, float]:
    """Send an expert's rows to its copies, from each device and the users to one of `ends`, (G + 1,).

    Returns:
        Path to it, crossings to it, and both of the round after it.
    """
    here, inflow, work = estimate.here[number], estimate.inflow_ms[number], estimate.work_ms[number]
    here[:], inflow[:], work[:] = 0.0, 0.0, 0.0
    path, crossing, onward, onward_crossing = 0.0, 0.0, 0.0, 0.0
    if number < seen.affinity.shape[1]:
        end = ends[here.size]
        share = seen.experts[number, _MEAN_LOAD] / seen.affinity.shape[1]
        path += share * _MS * seen.devices[end, _ENTRY]
        here[end] += share
        inflow[end] += _ROWS * share * seen.devices[end, _ENTRY_ROW]
    else:
        for start in range(here.size):
            share = estimate.come[number, start]
            if share > 0.0:
                end = ends[start]
                path += share * estimate.way_ms[start, end]
                crossing += share * (end != start)
                here[end] += share
                inflow[end] += _ROWS * share * seen.links[start, end, 1]
    for device in range(here.size):
        if here[device] > 0.0:
            work[device] = _ROWS * here[device] * seen.devices[device, _ROW_MS] + stream_ms
            onward += here[device] * estimate.go_on[PATH, number, device]
            onward_crossing += here[device] * estimate.go_on[CROSSING, number, device]
    return path, crossing, onward, onward_crossing


@part
def _try_layer(seen: Seen, first: int, experts: int, stream_ms: float, estimate: Estimate) -> None:
    """What a layer's transmission and compute take, and what every edit of its experts saves."""
    layer_ms, others_ms = estimate.layer_ms, estimate.others_ms
    layer_ms[:] = 0.0
    for number in range(first, first + experts):
        for device in range(layer_ms.shape[1]):
            layer_ms[0, device] += estimate.inflow_ms[number, device]
            layer_ms[1, device] += estimate.work_ms[number, device]
    others_ms[:] = 0.0  # the most of the layer itself
    estimate.parts[TRANSMISSION] += _most(others_ms[0], layer_ms[0])
    estimate.parts[COMPUTE] += _most(others_ms[1], layer_ms[1])
    for number in range(first, first + experts):
        for device in range(layer_ms.shape[1]):
            others_ms[0, device] = layer_ms[0, device] - estimate.inflow_ms[number, device]
            others_ms[1, device] = layer_ms[1, device] - estimate.work_ms[number, device]
        _try_expert(seen, number, stream_ms, estimate)


@part
def _try_expert(seen: Seen, number: int, stream_ms: float, estimate: Estimate) -> None:
    """What every edit of an expert saves, those of the layer's other experts staying where they are."""
    devices, saving = estimate.here.shape[1], estimate.saving
    before = _spread(seen, number, estimate.nearest[number], stream_ms, estimate)
    inflow_ms = _most(estimate.others_ms[0], estimate.inflow_ms[number])
    work_ms = _most(estimate.others_ms[1], estimate.work_ms[number])
    for verb in range(3):
        for device in range(devices):
            if seen.action_mask[(number * 3 + verb) * devices + device] == 0:
                continue
            _find_ends(estimate, number, verb, device, estimate.ends)
            after = _spread(seen, number, estimate.ends, stream_ms, estimate)
            saving[PATH, number, verb, device] = before[0] + before[2] - after[0] - after[2]
            saving[CROSSING, number, verb, device] = before[1] + before[3] - after[1] - after[3]
            saving[TRANSMISSION, number, verb, device] = inflow_ms - _most(
                estimate.others_ms[0], estimate.inflow_ms[number]
            )
            saving[COMPUTE, number, verb, device] = work_ms - _most(estimate.others_ms[1], estimate.work_ms[number])
    _spread(seen, number, estimate.nearest[number], stream_ms, estimate)  # leaves its rows as they were


@part
def _most(others: Floats, own: Floats) -> float:
    most = 0.0
    for device in range(own.size):
        most = max(most, others[device] + own[device])
    return most
