"""Lookahead: expected utility of this stage plus the best the rest of the workflow can add.

The rest is found by dynamic programming over nodes on what the operator knows of the network.

Command: edgebench eval lookahead
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.topology import public_topology
from edgebench.tracks.route.continuation import Continuation
from reference_agents.route.scoring import Observation, blank, entry, expected_terms, pick


class Lookahead:
    """The value of the rest of a workflow; keeps those of the tasks of an episode."""

    def __init__(self, topology: dict[str, NDArray[Any]]) -> None:
        self._topology = public_topology(topology)
        self._continuation = Continuation(self._topology)
        self._values: dict[int, NDArray[np.float64]] = {}

    def forget(self) -> None:
        """Begin an episode."""
        self._values.clear()

    def rest(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.float64]:
        """What the rest of the workflow can add from each candidate's node, (K,)."""
        node = self._topology.instance["node"][info["instances"]]
        values: NDArray[np.float64] = self._task_values(observation, info)[info["stage"] + 1][node]
        return values

    def _task_values(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.float64]:
        if info["task"] not in self._values:
            self._values[info["task"]] = self._continuation.values(
                info,
                entry(observation, "quality_weight"),
                entry(observation, "speed_weight"),
                entry(observation, "deadline_s"),
            )
        return self._values[info["task"]]


class Agent:
    """Adds the terms as they stand; remembers nothing of what it did."""

    _region: str = ""

    def reset(self, info: dict[str, Any]) -> None:
        """Read the network once a region, begin an episode."""
        if info["region"] != self._region:
            self._lookahead, self._region = Lookahead(info["topology"]), info["region"]
            candidates, task, _, rest = blank()
            expected_terms(candidates, task, rest)
        self._lookahead.forget()

    def act(self, observation: Observation, info: dict[str, Any]) -> int:
        """The candidate whose terms sum highest."""
        rest = self._lookahead.rest(observation, info)
        terms = expected_terms(observation["candidates"], observation["task"], rest)
        return pick(terms.sum(axis=0), observation)
