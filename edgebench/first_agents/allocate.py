"""My agent for Allocate: which site's free resources does a job get, and which job waits?

    edgebench eval my_agent.py --track allocate --split val        score it; 0 is random, 1 a clairvoyant bound
    edgebench explain RUN                                          where it loses, beside a heuristic

An agent is a class `Agent` with `reset` and `act`. It runs in a process of its own, without network. What an
observation holds, entry by entry: python -m pydoc edgebench.tracks.allocate.env.AllocateEnv
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.tracks.allocate.features import JOB, SITE

# What it takes until a job begins at a site. There is more: `measured_extra_s`, what bad trap links were measured to
# add; `sent_cpu` and others, what is asked for by requests under way; `free_cpu` and others.
DELAYS = ("latency_s", "transmission_s")


class Agent:
    """Sends every job to the site that is reached first, if that is in time; else the job waits."""

    def reset(self, info: dict[str, Any]) -> None:
        """An episode begins. `info` names region and scenario and holds the network, but not its traps."""

    def act(self, observation: dict[str, Any], info: dict[str, Any]) -> int:
        """A job's turn has come: the number of the site it is sent to, one whose mask is 1; the last one: it waits."""
        sites, slack_s = observation["sites"], observation["job"][JOB["slack_s"]]

        seconds = sum(sites[:, SITE[name]] for name in DELAYS)
        possible = (observation["action_mask"][:-1] == 1) & (seconds <= slack_s)

        if not possible.any():
            return len(sites)
        return int(np.where(possible, seconds, np.inf).argmin())
