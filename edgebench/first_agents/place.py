"""My agent for Place: where do the experts of a mixture-of-experts model stand, and which of them twice?

    edgebench eval my_agent.py --track place --split val        score it; 0 is random, 1 a clairvoyant bound
    edgebench explain RUN                                       where it loses, beside a heuristic

An agent is a class `Agent` with `reset` and `act`. It runs in a process of its own, without network. What an
observation holds, entry by entry: python -m pydoc edgebench.tracks.place.env.PlaceEnv
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.place.edits import REPLICATE
from edgebench.tracks.place.features import DEVICE_FEATURES, EXPERT_FEATURES, PROGRESS_FEATURES

DEVICE = {feature.name: column for column, feature in enumerate(DEVICE_FEATURES)}
EXPERT = {feature.name: column for column, feature in enumerate(EXPERT_FEATURES)}
PROGRESS = {feature.name: entry for entry, feature in enumerate(PROGRESS_FEATURES)}


class Agent:
    """Before the first batch it copies the experts of most load a copy to fast devices with room; then it rests."""

    def reset(self, info: dict[str, Any]) -> None:
        """An episode begins. `info` names region and scenario and holds the network, but not its traps."""

    def act(self, observation: dict[str, Any], info: dict[str, Any]) -> NDArray[np.int64]:
        """An edit is due: an expert, a verb (place, replicate, delete) and a device."""
        experts, devices, placement = (observation[name] for name in ("experts", "devices", "placement"))

        # Pairs of an expert and a device that could hold a further copy of it.
        possible = observation["action_mask"].reshape(len(experts), 3, len(devices))[:, REPLICATE] * (placement == 0)
        planning = observation["progress"][PROGRESS["edits_left"]] > 0.0  # loading costs time once batches flow
        if not planning or not possible.any():
            return np.array([0, REPLICATE, placement[0].argmax()])  # a copy where one is already: nothing changes

        need = experts[:, EXPERT["mean_load"]] / experts[:, EXPERT["copies"]]
        gain = need[:, None] / (devices[:, DEVICE["row_ms"]] + devices[:, DEVICE["entry_row_ms"]])
        expert, device = np.unravel_index(np.where(possible, gain, -np.inf).argmax(), placement.shape)
        return np.array([expert, REPLICATE, device])
