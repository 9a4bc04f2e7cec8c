"""Place by hand: an edit is an expert, a verb and a device."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError
from edgebench.play.hand import Decision, Row, entries
from edgebench.region import Region
from edgebench.tracks.place.constants import PLAN_EDITS, SLOTS
from edgebench.tracks.place.edits import VERBS
from edgebench.tracks.place.features import DEVICE_FEATURES, EXPERT_FEATURES, PROGRESS_FEATURES

_COLUMNS: Final = ("expert", "layer", "load", "mean load", "a copy", "copies", "on devices")


class PlaceHand:
    """Experts are shown by falling load a copy."""

    usage = "an edit (12 replicate 3, or p, r, d)"

    def __init__(self, region: Region) -> None:
        pass

    def look(self, observation: dict[str, Any], info: dict[str, Any]) -> Decision:
        """The experts, and in the heading the devices."""
        progress = entries(observation["progress"], PROGRESS_FEATURES)
        devices = [entries(device, DEVICE_FEATURES) for device in observation["devices"]]
        size_gb = entries(observation["experts"][0], EXPERT_FEATURES)["size_gb"]
        free = ", ".join(f"{number}: {seen['free_gb'] / size_gb:.0f}" for number, seen in enumerate(devices))
        busy = ", ".join(f"{number}: {seen['busy_s']:.1f}" for number, seen in enumerate(devices))
        heading = [
            f"{progress['edits_left'] * PLAN_EDITS:.0f} edits before the first batch, "
            f"{progress['batches_left'] * SLOTS:.0f} batches left",
            f"room on devices, copies: {free}",
            f"busy in the last batch, s: {busy}",
        ]
        rows = [self._row(expert, observation) for expert in range(len(observation["experts"]))]
        return Decision(heading, _COLUMNS, sorted(rows, key=lambda row: -float(row.cells[4])))

    def _row(self, expert: int, observation: dict[str, Any]) -> Row:
        seen = entries(observation["experts"][expert], EXPERT_FEATURES)
        layer = expert // observation["affinity"].shape[1]
        held = ", ".join(map(str, np.flatnonzero(observation["placement"][expert])))
        loads = (seen["load"], seen["mean_load"], seen["mean_load"] / seen["copies"])
        return Row([str(expert), str(layer), *(f"{load:.2f}" for load in loads), f"{seen['copies']:.0f}", held])

    def typed(self, line: str, observation: dict[str, Any]) -> NDArray[np.int64]:
        """An edit, (3,)."""
        words = line.split()
        verbs = [verb for verb in VERBS if len(words) == 3 and verb.startswith(words[1])]
        if len(verbs) != 1 or not (words[0].isdecimal() and words[2].isdecimal()):
            raise EdgeBenchError(f"{line!r:.40} is no choice", mend=self.usage)
        return np.array([int(words[0][:9]), VERBS.index(verbs[0]), int(words[2][:9])], np.int64)

    def told(self, action: Any) -> str:
        """An edit in words."""
        expert, verb, device = (int(number) for number in action)
        return f"{expert} {VERBS[verb]} {device}"


HAND: Final = PlaceHand
