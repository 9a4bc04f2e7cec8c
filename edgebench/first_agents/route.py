"""My agent for Route: which model instance runs the next stage of a user's workflow?

    edgebench eval my_agent.py --split val        score it; 0 is random, 1 a clairvoyant bound
    edgebench explain RUN                         where it loses, beside a heuristic

An agent is a class `Agent` with `reset` and `act`. It runs in a process of its own, without network. What an
observation holds, entry by entry: python -m pydoc edgebench.tracks.route.env.RouteEnv
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.tracks.route.features import CANDIDATE, TASK

# The delays that are looked at; each is a row of the candidates. One is left out: `measured_extra_s`, what the links on
# the way were measured to add of late.
DELAYS = ("propagation_s", "transmission_s", "queue_s", "loading_s", "service_s")


class Agent:
    """Weighs a candidate's quality against the seconds it takes, as the user does."""

    def reset(self, info: dict[str, Any]) -> None:
        """An episode begins: 50 tasks. `info` names region and scenario and holds the network, but not its traps."""

    def act(self, observation: dict[str, Any], info: dict[str, Any]) -> int:
        """A stage is due: the index of the candidate that it is sent to, one whose mask is 1."""
        candidates, task = observation["candidates"], observation["task"]

        seconds = sum(candidates[CANDIDATE[name]] for name in DELAYS)
        speed = task[TASK["speed_weight"]] * seconds / task[TASK["deadline_s"]]
        quality = task[TASK["quality_weight"]] * candidates[CANDIDATE["quality"]] / (10 * task[TASK["stages"]])

        worth = np.where(observation["action_mask"] == 1, quality - speed, -np.inf)
        return int(worth.argmax())
