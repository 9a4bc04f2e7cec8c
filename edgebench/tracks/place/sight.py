"""How learning sees a Place edit: experts as rows, then what is done with the one that was picked, and where.

Rows of both kinds have the same features, 0 where one has no meaning. What edits save is told as
`edgebench.tracks.place.estimate` reckons it, from what an observation tells.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part
from edgebench.tracks.place.constants import SLOTS, STORE_GB_PER_S
from edgebench.tracks.place.edits import DELETE
from edgebench.tracks.place.estimate import COMPUTE, CROSSING, PATH, TRANSMISSION, Estimate
from edgebench.tracks.place.features import DEVICE_FEATURES, EXPERT_FEATURES
from edgebench.tracks.place.observe import Seen
from edgebench.tracks.place.state import Floats

Singles = NDArray[np.float32]
EXPECTED_MS: Final = 2500.0
"""What trap links are taken to add to any way beyond what is remembered; heuristics that plan take the same."""
HORIZON: Final = 25.0
"""Batches in which an edit has to pay for its loading, as heuristics have it."""
_OF_EXPERT: Final = ("layer", "load", "mean_load", "copies", "gain_place", "gain_replicate", "gain_delete")
_OF_EDIT: Final = ("apart", "gain", "path", "transmission", "compute", "crossing", "loading")
_OF_DEVICE: Final = (
    *("row_ms", "free", "held", "busy", "entry", "entry_row", "exit", "down"),
    *("here", "come", "go_on", "inflow", "work", "holds"),
)
ROWS: Final = (
    *("is_expert", "is_place", "is_replicate", "is_delete", "is_picked"),
    *_OF_EXPERT,
    *_OF_EDIT,
    *_OF_DEVICE,
)
"""Features of an expert, or of a verb on a device. What is of the edit is, of an expert, that of its best one; what is
of the device is, of an expert, the mean over its copies by the rows they get. Savings are shares of the estimated
latency, in tens of per cent; `apart` is the gain with that of the best row taken off."""
CONTEXT: Final = (
    *("edits_left", "batches_left", "is_edit", "path", "transmission", "compute", "crossing", "free", "copies"),
    *("best_gain", "busy", "down"),
)
_KINDS: Final = 5
_EXPERT_AT: Final = _KINDS
_EDIT_AT: Final = _EXPERT_AT + len(_OF_EXPERT)
_DEVICE_AT: Final = _EDIT_AT + len(_OF_EDIT)
APART: Final = _EDIT_AT
PICKED: Final = 4
_COLUMN: Final = {feature.name: column for column, feature in enumerate(DEVICE_FEATURES)}
_ROW_MS, _FREE, _HELD, _BUSY = (_COLUMN[name] for name in ("row_ms", "free_gb", "held", "busy_s"))
_ENTRY, _ENTRY_ROW, _EXIT, _DOWN = (_COLUMN[name] for name in ("entry_s", "entry_row_ms", "exit_s", "down"))
_SIZE: Final = [feature.name for feature in EXPERT_FEATURES].index("size_gb")
_MOST: Final = 3.0
_TENS: Final = 10.0
_APART: Final = 200.0
_MS: Final = 1000.0


@compiled
def find_gains(seen: Seen, estimate: Estimate, gains: Floats, loading: Floats) -> None:
    """Write what every valid edit gains as a share of the estimated latency, its loading taken off.

    Args:
        seen: The observation.
        estimate: Of it.
        gains: Written, (P, 3, G); -inf where an edit is not valid.
        loading: Written, (G,): what of loading the compute of the last batch would not hide, a share of the latency.
    """
    experts, verbs, devices = gains.shape
    latency_ms = estimate.parts[PATH] + estimate.parts[TRANSMISSION] + estimate.parts[COMPUTE]
    flows, load_ms = seen.progress[0] <= 0.0, _MS * seen.experts[0, _SIZE] / STORE_GB_PER_S
    horizon = max(min(HORIZON, seen.progress[1] * SLOTS), 1.0)
    for device in range(devices):
        loading[device] = max(load_ms - _MS * seen.devices[device, _BUSY], 0.0) / latency_ms if flows else 0.0
    for expert in range(experts):
        for verb in range(verbs):
            for device in range(devices):
                if seen.action_mask[(expert * 3 + verb) * devices + device] == 0:
                    gains[expert, verb, device] = -np.inf
                    continue
                saving = estimate.saving[:, expert, verb, device]
                gain = (saving[PATH] + saving[TRANSMISSION] + saving[COMPUTE]) / latency_ms
                if verb != DELETE and seen.placement[expert, device] == 0:
                    gain -= loading[device] / horizon
                gains[expert, verb, device] = gain


@compiled
def see_experts(
    seen: Seen, estimate: Estimate, gains: Floats, loading: Floats, rows: Singles, mask: NDArray[np.bool_]
) -> None:
    """Write the rows of all experts, (P, `ROWS`) and (P,)."""
    experts, _, devices = gains.shape
    rows[:] = 0.0
    for expert in range(experts):
        row = rows[expert]
        row[0] = 1.0
        verb, device = _best_edit(gains[expert])
        mask[expert] = verb >= 0
        _see_expert(seen, gains[expert], expert, row)
        if verb >= 0:
            _see_edit(seen, estimate, gains, loading, expert, verb, device, row)
        total = 1e-9 + estimate.here[expert].sum()
        for copy in range(devices):
            if estimate.here[expert, copy] > 0.0:
                _see_device(seen, estimate, expert, copy, estimate.here[expert, copy] / total, row)
    _set_apart(rows, mask)


@compiled
def see_edits(
    seen: Seen, estimate: Estimate, gains: Floats, loading: Floats, expert: int, rows: Singles, mask: NDArray[np.bool_]
) -> None:
    """Write the rows of every verb on every device for an expert, (3 x G, `ROWS`) and (3 x G,)."""
    devices = gains.shape[2]
    rows[:] = 0.0
    for verb in range(3):
        for device in range(devices):
            number = verb * devices + device
            row = rows[number]
            row[1 + verb] = 1.0
            mask[number] = gains[expert, verb, device] > -np.inf
            _see_expert(seen, gains[expert], expert, row)
            if mask[number]:
                _see_edit(seen, estimate, gains, loading, expert, verb, device, row)
            _see_device(seen, estimate, expert, device, 1.0, row)
    _set_apart(rows, mask)


@compiled
def see_any_edits(
    seen: Seen, estimate: Estimate, gains: Floats, loading: Floats, rows: Singles, mask: NDArray[np.bool_]
) -> None:
    """Write the rows of every verb on every device, each for the expert of which that gains most."""
    experts, _, devices = gains.shape
    rows[:] = 0.0
    for verb in range(3):
        for device in range(devices):
            number = verb * devices + device
            row, best = rows[number], 0
            for expert in range(experts):
                if gains[expert, verb, device] > gains[best, verb, device]:
                    best = expert
            row[1 + verb] = 1.0
            mask[number] = gains[best, verb, device] > -np.inf
            _see_expert(seen, gains[best], best, row)
            if mask[number]:
                _see_edit(seen, estimate, gains, loading, best, verb, device, row)
            _see_device(seen, estimate, best, device, 1.0, row)
    _set_apart(rows, mask)


@compiled
def see_context(seen: Seen, estimate: Estimate, gains: Floats, is_edit: bool, context: Singles) -> None:
    """Write what all rows of a decision share, (`CONTEXT`,)."""
    parts, devices = estimate.parts, seen.devices
    latency_ms = parts[PATH] + parts[TRANSMISSION] + parts[COMPUTE]
    context[0], context[1], context[2] = seen.progress[0], seen.progress[1], is_edit
    for place in range(3):
        context[3 + place] = parts[place] / latency_ms
    context[6] = parts[CROSSING] / seen.affinity.shape[0]
    held, free = devices[:, _HELD].sum(), devices[:, _FREE].sum() / seen.experts[0, _SIZE]
    context[7], context[8] = free / (free + held), held / seen.experts.shape[0] - 1.0
    context[9] = _squash(_TENS * gains.max())
    context[10] = min(devices[:, _BUSY].max(), _MOST)
    context[11] = devices[:, _DOWN].sum() / devices.shape[0]


@part
def _squash(value: float) -> float:
    return min(max(value, -_MOST), _MOST)


@part
def _best_edit(gains: Floats) -> tuple[int, int]:
    """Verb and device of an expert's edit that gains most, (-1, -1) where none is valid."""
    best, at_verb, at_device = -np.inf, -1, -1
    for verb in range(gains.shape[0]):
        for device in range(gains.shape[1]):
            if gains[verb, device] > best:
                best, at_verb, at_device = gains[verb, device], verb, device
    return at_verb, at_device


@part
def _see_expert(seen: Seen, gains: Floats, expert: int, row: Singles) -> None:
    row[_EXPERT_AT] = seen.experts[expert, 0]
    row[_EXPERT_AT + 1] = np.log1p(seen.experts[expert, 1])
    row[_EXPERT_AT + 2] = np.log1p(seen.experts[expert, 2])
    row[_EXPERT_AT + 3] = np.log1p(seen.experts[expert, 3])
    for verb in range(3):
        row[_EXPERT_AT + 4 + verb] = _squash(_TENS * gains[verb].max())


@part
def _see_edit(
    seen: Seen, estimate: Estimate, gains: Floats, loading: Floats, expert: int, verb: int, device: int, row: Singles
) -> None:
    parts = estimate.parts
    latency_ms = parts[PATH] + parts[TRANSMISSION] + parts[COMPUTE]
    saving = estimate.saving[:, expert, verb, device]
    row[_EDIT_AT] = gains[expert, verb, device]
    row[_EDIT_AT + 1] = _squash(_TENS * gains[expert, verb, device])
    for place in range(3):
        row[_EDIT_AT + 2 + place] = _squash(_TENS * saving[place] / latency_ms)
    row[_EDIT_AT + 5] = _squash(_TENS * saving[CROSSING])
    if verb != DELETE and seen.placement[expert, device] == 0:
        row[_EDIT_AT + 6] = min(loading[device], _MOST)


@part
def _see_device(seen: Seen, estimate: Estimate, expert: int, device: int, weight: float, row: Singles) -> None:
    """Add what is of a device, so much of it."""
    of_device = seen.devices[device]
    values = (
        of_device[_ROW_MS] / 5.0,
        of_device[_FREE] / seen.experts[0, _SIZE] / 4.0,
        of_device[_HELD] / 16.0,
        of_device[_BUSY] / 1.0,
        of_device[_ENTRY] / 3.0,
        of_device[_ENTRY_ROW] / 5.0,
        of_device[_EXIT] / 3.0,
        of_device[_DOWN] / 1.0,
        _TENS * estimate.here[expert, device],
        _TENS * estimate.come[expert, device],
        estimate.go_on[PATH, expert, device] / _MS / 3.0,
        estimate.inflow_ms[expert, device] / _MS,
        _TENS * estimate.work_ms[expert, device] / _MS,
        float(seen.placement[expert, device]),
    )
    for place in range(len(values)):
        row[_DEVICE_AT + place] += weight * min(values[place], _MOST)


@part
def _set_apart(rows: Singles, mask: NDArray[np.bool_]) -> None:
    best = -np.inf
    for row in range(mask.size):
        if mask[row]:
            best = max(best, rows[row, APART])
    for row in range(mask.size):
        rows[row, APART] = max(_APART * (rows[row, APART] - best), -_MOST) if mask[row] else 0.0
