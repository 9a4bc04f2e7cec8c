"""The rest of a workflow, by dynamic programming over nodes: what lookahead, tuned and the bound share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import COST_REF_USD, COST_WEIGHT, MODEL_TYPES
from edgebench.sim.topology import Topology

Floats = NDArray[np.float64]


class Continuation:
    """Best utility the stages to come can add, from every node, without queues, loading or traps.

    Args:
        topology: Static arrays of the region.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        source = np.arange(topology.node.size)[:, None]
        self._kinds = [_Offers(topology, source, kind) for kind in range(len(MODEL_TYPES))]

    def values(self, info: dict[str, Any], quality_weight: float, speed_weight: float, deadline_s: float) -> Floats:
        """Values before each stage, (S + 1, N): row s, node v is the best utility of stages s … and the way back.

        Args:
            info: The environment's info of the task: `user_node`, `stage_types`, `stage_tokens`,
                `stage_payload_mb`, `answer_mb`.
            quality_weight: The user's weight of quality.
            speed_weight: The user's weight of speed; 0 gives the best of quality and cost alone.
            deadline_s: Deadline in seconds.
        """
        types, topology, user = info["stage_types"], self._topology, info["user_node"]
        per_ms, per_quality = speed_weight / deadline_s / 1000.0, quality_weight / len(types)
        values = np.empty((len(types) + 1, topology.node.size))
        back = topology.path[user]
        values[-1] = -per_ms * (back["latency_ms"] + info["answer_mb"] * back["ms_per_mb"])
        for stage in range(len(types) - 1, -1, -1):
            offers = self._kinds[types[stage]]
            gain = offers.gain(info["stage_tokens"][stage], info["stage_payload_mb"][stage], per_quality, per_ms)
            values[stage] = (gain + values[stage + 1][offers.node]).max(axis=1)
        return values

    def of_task(self, task: Any, quality_weight: float, speed_weight: float) -> Floats:
        """`values` of a task's record of `edgebench.sim.state.TASK`."""
        stages = int(task["stages"])
        info = {
            "user_node": int(task["user_node"]),
            "stage_types": task["stage_type"][:stages],
            "stage_tokens": task["tokens"][:stages],
            "stage_payload_mb": task["payload_mb"][:stages],
            "answer_mb": float(task["answer_mb"]),
        }
        return self.values(info, quality_weight, speed_weight, task["deadline_ms"] / 1000.0)


class _Offers:
    """The candidates of one type at every node, (N, K)."""

    def __init__(self, topology: Topology, source: NDArray[np.int64], kind: int) -> None:
        offered = topology.candidates[:, kind, :]
        instance = topology.instance[offered[:, (offered >= 0).any(axis=0)]]
        self.node = instance["node"]
        path = topology.path[self.node, source]
        self._network_ms, self._ms_per_mb = path["latency_ms"].copy(), path["ms_per_mb"].copy()
        self._ms_per_token = instance["work"] / topology.node["speed"][self.node]
        self._quality = instance["quality"].copy()
        self._cost = COST_WEIGHT * instance["usd_per_token"] / COST_REF_USD

    def gain(self, tokens: float, payload_mb: float, per_quality: float, per_ms: float) -> Floats:
        """What a stage adds to the utility at each candidate, (N, K)."""
        time_ms = self._network_ms + payload_mb * self._ms_per_mb + tokens * self._ms_per_token
        gain: Floats = per_quality * self._quality - per_ms * time_ms - tokens * self._cost
        return gain
