"""What edits of a placement would save, reckoned from the means that an observation tells: every edit, roughly.

Rows are taken as a stream: so many go from an expert to the next by affinity, and every expert's rows go from where
they are to the copy that a router would send the first of them to. It takes a hundredth of the time of serving a batch
under every edit.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part
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
    known_ms: Floats  # (G, G) the same as a router reckons, a row's transmission and compute with it
    come: Floats  # (P, G) share of the rows of a layer that go to an expert from what the device holds
    go_on: Floats  # (PARTS, P, G) what the next round costs a row of an expert that is on a device
    here: Floats  # (P, G) share of the rows of a layer that an expert has on a device
    inflow_ms: Floats  # (P, G) transmission of an expert's rows to a device
    work_ms: Floats  # (P, G) their compute


def blank_estimate(experts: int, devices: int) -> Estimate:
    """An estimate for `estimate_edits` to write, of so many experts in all layers."""
    square, each = (devices, devices), (experts, devices)
    return Estimate(
        np.zeros(PARTS),
        np.zeros((PARTS, experts, 3, devices)),
        np.zeros(square),
        np.zeros(square),
        np.zeros(each),
        np.zeros((PARTS, *each)),
        np.zeros(each),
        np.zeros(each),
        np.zeros(each),
    )


@compiled
def estimate_edits(seen: Seen, stream_ms: float, expected_ms: float, estimate: Estimate) -> None:
    """Write the estimate.

    Args:
        seen: The observation.
        stream_ms: Reading an expert's weights once, ms.
        expected_ms: What trap links are taken to add to any way between nodes beyond what is remembered of them.
        estimate: Written.
    """
    _reckon_ways(seen, expected_ms, estimate)
    experts, layers = seen.affinity.shape[1], seen.affinity.shape[0] + 1
    estimate.parts[:], estimate.saving[:] = 0.0, 0.0
    for number in range(layers * experts - 1, -1, -1):
        _reckon_onward(seen, number, experts, layers, estimate)
    for number in range(layers * experts):
        if number >= experts:
            _reckon_come(seen, number, experts, estimate)
        path, crossing, onward, _ = _spread(seen, number, seen.placement[number], stream_ms, estimate, number)
        estimate.parts[PATH] += path + (onward if number >= (layers - 1) * experts else 0.0)
        estimate.parts[CROSSING] += crossing
    for layer in range(layers):
        first = layer * experts
        estimate.parts[TRANSMISSION] += estimate.inflow_ms[first : first + experts].sum(0).max()
        estimate.parts[COMPUTE] += estimate.work_ms[first : first + experts].sum(0).max()
        _try_layer(seen, first, experts, stream_ms, estimate)


@part
def _reckon_ways(seen: Seen, expected_ms: float, estimate: Estimate) -> None:
    for start in range(estimate.way_ms.shape[0]):
        for end in range(estimate.way_ms.shape[1]):
            known = _MS * (seen.links[start, end, 0] + seen.links[start, end, 2])
            estimate.way_ms[start, end] = known + (expected_ms if start != end else 0.0)
            estimate.known_ms[start, end] = known + seen.links[start, end, 1] + seen.devices[end, _ROW_MS]


@part
def _nearest(seen: Seen, held: NDArray[np.int8], start: int, estimate: Estimate) -> int:
    """The copy that a router would send a first row to from device `start`, or from the users (-1)."""
    best, least = 0, np.inf
    for end in range(held.size):
        if held[end]:
            known = estimate.known_ms[start, end]
            if start < 0:
                known = _MS * seen.devices[end, _ENTRY] + seen.devices[end, _ENTRY_ROW] + seen.devices[end, _ROW_MS]
            if known < least:
                best, least = end, known
    return best


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
                    after = (layer + 1) * experts + follower
                    end = _nearest(seen, seen.placement[after], device, estimate)
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
    seen: Seen, number: int, held: NDArray[np.int8], stream_ms: float, estimate: Estimate, into: int
) -> tuple[float, float, float, float]:
    """Send an expert's rows to its copies; what comes to each is written into row `into`.

    Returns:
        Path to it, crossings to it, and both of the round after it.
    """
    here, inflow, work = estimate.here[into], estimate.inflow_ms[into], estimate.work_ms[into]
    here[:], inflow[:], work[:] = 0.0, 0.0, 0.0
    path, crossing, onward, onward_crossing = 0.0, 0.0, 0.0, 0.0
    if number < seen.affinity.shape[1]:
        end = _nearest(seen, held, -1, estimate)
        share = seen.experts[number, _MEAN_LOAD] / seen.affinity.shape[1]
        path += share * _MS * seen.devices[end, _ENTRY]
        here[end] += share
        inflow[end] += _ROWS * share * seen.devices[end, _ENTRY_ROW]
    else:
        for start in range(here.size):
            share = estimate.come[number, start]
            if share > 0.0:
                end = _nearest(seen, held, start, estimate)
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
    """What every edit of a layer's experts saves."""
    others_inflow, others_work = np.empty(estimate.here.shape[1]), np.empty(estimate.here.shape[1])
    layer = slice(first, first + experts)
    inflow_ms, work_ms = estimate.inflow_ms[layer].sum(0), estimate.work_ms[layer].sum(0)
    for number in range(first, first + experts):
        here = estimate.here[number].copy()
        inflow, work = estimate.inflow_ms[number].copy(), estimate.work_ms[number].copy()
        others_inflow[:], others_work[:] = inflow_ms - inflow, work_ms - work
        _try_expert(seen, number, stream_ms, estimate, others_inflow, others_work)
        estimate.here[number], estimate.inflow_ms[number], estimate.work_ms[number] = here, inflow, work


@part
def _try_expert(
    seen: Seen, number: int, stream_ms: float, estimate: Estimate, others_inflow: Floats, others_work: Floats
) -> None:
    """What every edit of an expert saves, those of the layer's other experts staying where they are."""
    devices, now = estimate.here.shape[1], seen.placement[number]
    before = _spread(seen, number, now, stream_ms, estimate, number)
    inflow_ms = _most(others_inflow, estimate.inflow_ms[number])
    work_ms = _most(others_work, estimate.work_ms[number])
    held = now.copy()
    for verb in range(3):
        for device in range(devices):
            if seen.action_mask[(number * 3 + verb) * devices + device] == 0:
                continue
            held[:] = now
            if verb == PLACE:
                held[:] = 0
            held[device] = verb != DELETE
            after = _spread(seen, number, held, stream_ms, estimate, number)
            saving = estimate.saving[:, number, verb, device]
            saving[PATH] = before[0] + before[2] - after[0] - after[2]
            saving[CROSSING] = before[1] + before[3] - after[1] - after[3]
            saving[TRANSMISSION] = inflow_ms - _most(others_inflow, estimate.inflow_ms[number])
            saving[COMPUTE] = work_ms - _most(others_work, estimate.work_ms[number])


@part
def _most(others: Floats, own: Floats) -> float:
    most = 0.0
    for device in range(own.size):
        most = max(most, others[device] + own[device])
    return most
