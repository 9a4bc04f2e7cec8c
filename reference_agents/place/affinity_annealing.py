"""Affinity annealing: simulated annealing on the routes of the history, then single edits that pay for their loading.

It begins with the groups of `hierarchical-eplb`. Experts whose tokens follow each other come to stand together, popular
ones get copies, slow ways are avoided: all that the latency of the history counts. While batches flow, edits drawn at
random are tried on the last batches under the extras remembered now; the best is made if what it saves in `HORIZON`
batches is more than its loading.

Command: edgebench eval affinity-annealing --track place
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from edgebench.sim.counter import uniform
from edgebench.tracks.place.annealing import Batches, anneal, mean_latency
from edgebench.tracks.place.constants import SLOTS
from edgebench.tracks.place.edits import DELETE, edit
from reference_agents.place.hierarchical_eplb import plan_groups
from reference_agents.place.planning import (
    DEVICE,
    PROGRESS,
    Edit,
    Observation,
    Placement,
    edit_towards,
    keep,
    mean_loads,
    plans,
)
from reference_agents.place.reckoning import Reckoning

STEPS: Final = 5000
HEAT: Final = (0.005, 0.0005)
"""First and last temperature, shares of the latency; as the rest tried on the train split of s1 to s3."""
EXPECTED_MS: Final = 2500.0
"""What trap links are taken to add to any way before anything has been measured."""
RECENT: Final = 4
"""Batches that edits are tried on."""
TRIALS: Final = 60
HORIZON: Final = 25
"""Batches in which an edit has to pay: as long as extras and popularity stay much as they are."""
_STREAM: Final = 3


class Agent:
    """Plans on the history, adapts to what it sees."""

    _region = ""

    def reset(self, info: dict[str, Any]) -> None:
        """Read the network once a region, begin an episode."""
        if info["region"] != self._region:
            self._reckoning, self._region = Reckoning(info["topology"]), info["region"]
            uniform(0, _STREAM, 0, 0)  # compiled here, outside the budget of the first decision
        self._seed, self._turn = int(info["seed"]), 0
        self._target: Placement | None = None

    def act(self, observation: Observation, info: dict[str, Any]) -> Edit:
        """The next edit towards the plan, or one that pays."""
        self._turn += 1
        if self._target is None:
            self._target = self._plan(observation, info)
        self._reckoning.note(info)
        if plans(observation):
            return edit_towards(self._target, observation, mean_loads(observation).ravel())
        return self._adapt(observation)

    def _plan(self, observation: Observation, info: dict[str, Any]) -> Placement:
        self._reckoning.begin(observation, info, keep=4)
        placement = plan_groups(observation)
        batches = self._reckoning.batches(observation, 4, EXPECTED_MS)
        anneal(self._reckoning.devices, batches, self._reckoning.experts, placement, self._seed, STEPS, *HEAT)
        return placement

    def _adapt(self, observation: Observation) -> Edit:
        """The best of some edits drawn at random, if it pays."""
        now, batches = observation["placement"].copy(), self._reckoning.batches(observation, RECENT)
        valid = np.flatnonzero(observation["action_mask"])
        base = self._latency(now, batches)
        left = min(HORIZON, float(observation["progress"][PROGRESS["batches_left"]]) * SLOTS)
        best, most = keep(now), 0.0
        for trial in range(TRIALS):
            drawn = uniform(self._seed, _STREAM, self._turn, trial)
            tried = np.array(np.unravel_index(valid[int(drawn * valid.size)], (len(now), 3, now.shape[1])), np.int64)
            saved = left * (base - self._latency(_after(now, tried), batches)) - self._loading(now, tried, observation)
            if saved > most:
                best, most = tried, saved
        return best

    def _latency(self, placement: Placement, batches: Batches) -> float:
        return float(mean_latency(self._reckoning.devices, batches, self._reckoning.experts, placement))

    def _loading(self, now: Placement, tried: Edit, observation: Observation) -> float:
        """What an edit has to wait for in ms, the compute that hides it being that of the last batch."""
        expert, verb, device = tried
        if verb == DELETE or now[expert, device]:
            return 0.0
        busy_ms = 1000.0 * float(observation["devices"][device, DEVICE["busy_s"]])
        return max(0.0, float(self._reckoning.devices.load_ms) - busy_ms)


def _after(now: Placement, tried: Edit) -> Placement:
    placement = now.copy()
    edit(placement, *(int(number) for number in tried))
    return placement
