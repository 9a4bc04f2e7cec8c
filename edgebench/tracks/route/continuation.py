"""The rest of a workflow, by dynamic programming over nodes: what lookahead, tuned and the bound share."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import COST_REF_USD, COST_WEIGHT
from edgebench.sim.topology import Topology

Floats = NDArray[np.float64]


class Continuation:
    """Best utility the stages to come can add, from every node, without queues, loading or traps.

    Args:
        topology: Static arrays of the region.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._offers = [_Offers(topology, code) for code in range(topology.kind.size)]

    def values(self, info: dict[str, Any], quality_weight: float, speed_weight: float, deadline_s: float) -> Floats:
        """Values of what follows each stage, (S + 1, N): row s + 1, node v once stage s has run on v; row 0 before all.

        Of a chain, row s is the best utility of stages s … and the way back. In a graph a stage is followed by all its
        descendants: each adds its best of quality and cost, and time passes along one way to the user, at every stage
        that by the child that leaves least. So a value is never below what any plan can get. Of a stage that waits for
        several others it is not known where it will be decided, so it may take any instance of its type.

        Args:
            info: The environment's info of the task: `user_node`, `stages`, `stage_types`, `stage_parents`,
                `stage_tokens`, `stage_payload_mb`, `stage_output_mb`.
            quality_weight: The user's weight of quality.
            speed_weight: The user's weight of speed; 0 gives the best of quality and cost alone.
            deadline_s: Deadline in seconds.
        """
        per_ms, per_quality = speed_weight / deadline_s / 1000.0, quality_weight / info["stages"]
        return _Rest(self._topology, self._offers, info, per_quality, per_ms).values()

    def of_task(self, task: Any, quality_weight: float, speed_weight: float) -> Floats:
        """`values` of a task's record of `edgebench.tracks.route.state.TASK`."""
        info = {
            "user_node": int(task["user_node"]),
            "stages": int(task["stages"]),
            "stage_types": task["stage_type"],
            "stage_parents": task["parents"],
            "stage_tokens": task["tokens"],
            "stage_payload_mb": task["payload_mb"],
            "stage_output_mb": task["output_mb"],
        }
        return self.values(info, quality_weight, speed_weight, task["deadline_ms"] / 1000.0)


class _Rest:
    """The dynamic programme of one task, from its last stage to its first."""

    def __init__(
        self, topology: Topology, offers: list[_Offers], info: dict[str, Any], per_quality: float, per_ms: float
    ) -> None:
        self._topology, self._info, self._per_quality, self._per_ms = topology, info, per_quality, per_ms
        self._offers = [offers[code] for code in info["stage_types"][: info["stages"]]]
        self._parents = [int(parents) for parents in info["stage_parents"][: info["stages"]]]
        self._after = np.empty((len(self._parents) + 1, topology.node.size))

    def values(self) -> Floats:
        """(S + 1, N), see `Continuation.values`."""
        stages = len(self._parents)
        self._descendants = [0] * stages
        for stage in range(stages - 1, -1, -1):
            children = [child for child in range(stage + 1, stages) if self._parents[child] >> stage & 1]
            for child in children:
                self._descendants[stage] |= self._descendants[child] | 1 << child
            output_mb = self._info["stage_output_mb"][stage]
            follows = self._through(children, output_mb, self._descendants[stage]) if children else None
            self._after[stage + 1] = self._way_back(output_mb) if follows is None else follows
        roots = [stage for stage in range(stages) if self._parents[stage] == 0]
        self._after[0] = self._through(roots, 0.0, (1 << stages) - 1)
        return self._after

    def _way_back(self, answer_mb: float) -> Floats:
        back = self._topology.path[self._info["user_node"]]
        way_back: Floats = -self._per_ms * (back["latency_ms"] + answer_mb * back["ms_per_mb"])
        return way_back

    def _through(self, children: list[int], output_mb: float, stages: int) -> Floats:
        """The least over the children of the time through each, with quality and cost of all `stages` (bits), (N,)."""
        least = np.full(self._topology.node.size, np.inf)
        for child in children:
            beside = stages & ~(self._descendants[child] | 1 << child)
            np.minimum(least, self._before(child, output_mb) + self._best(beside), out=least)
        return least

    def _before(self, stage: int, output_mb: float) -> Floats:
        """Of a stage and what follows it, from the node of the parent that yields `output_mb`, (N,)."""
        offers, tokens, after = self._offers[stage], self._info["stage_tokens"][stage], self._after[stage + 1]
        waits_for_several = self._parents[stage] & (self._parents[stage] - 1)
        if waits_for_several:
            anywhere: Floats = offers.anywhere(tokens, output_mb, self._per_quality, self._per_ms, after)
            return anywhere
        gain = offers.gain(tokens, self._info["stage_payload_mb"][stage], self._per_quality, self._per_ms)
        before: Floats = (gain + after[offers.node]).max(axis=1)
        return before

    def _best(self, stages: int) -> float:
        """Best of quality and cost of the stages whose bits are given, time left out."""
        tokens = self._info["stage_tokens"]
        every = range(len(self._parents))
        best = [self._offers[stage].best(tokens[stage], self._per_quality) for stage in every if stages >> stage & 1]
        return float(sum(best))


class _Offers:
    """The candidates of one type: at every node, (N, K), and all of them together."""

    def __init__(self, topology: Topology, code: int) -> None:
        self._topology = topology
        self._offered = topology.candidates[:, code, :]

    @cached_property
    def _at_nodes(self) -> NDArray[Any]:
        there = (self._offered >= 0).any(axis=0)
        at_nodes: NDArray[Any] = self._topology.instance[self._offered[:, there]]
        return at_nodes

    @cached_property
    def _all(self) -> NDArray[Any]:
        every: NDArray[Any] = self._topology.instance[np.unique(self._offered[self._offered >= 0])]
        return every

    @cached_property
    def node(self) -> NDArray[np.int64]:
        """Node of each candidate, (N, K)."""
        return self._at_nodes["node"].copy()

    @cached_property
    def _terms(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Network time, its part a megabyte, service a token, quality and weighted cost a token, (N, K) each."""
        instance = self._at_nodes
        path = self._topology.path[self.node, np.arange(self.node.shape[0])[:, None]]
        service = instance["work"] / self._topology.node["speed"][self.node]
        cost = COST_WEIGHT * instance["usd_per_token"] / COST_REF_USD
        return path["latency_ms"].copy(), path["ms_per_mb"].copy(), service, instance["quality"].copy(), cost

    def gain(self, tokens: float, payload_mb: float, per_quality: float, per_ms: float) -> Floats:
        """What a stage adds to the utility at each candidate, (N, K)."""
        network_ms, ms_per_mb, ms_per_token, quality, cost = self._terms
        time_ms = network_ms + payload_mb * ms_per_mb + tokens * ms_per_token
        gain: Floats = per_quality * quality - per_ms * time_ms - tokens * cost
        return gain

    def best(self, tokens: float, per_quality: float) -> float:
        """The most a stage adds by quality and cost."""
        return float(self._worth(tokens, per_quality).max())

    def anywhere(self, tokens: float, payload_mb: float, per_quality: float, per_ms: float, after: Floats) -> Floats:
        """What a stage and `after` (N,) add at the best instance of all, wherever it is offered, (N,)."""
        node, path = self._topology.node, self._topology.path
        at = self._all["node"]
        of_node = np.full(node.size, -np.inf)
        service_ms = tokens * self._all["work"] / node["speed"][at]
        np.maximum.at(of_node, at, self._worth(tokens, per_quality) - per_ms * service_ms)
        network_ms = path["latency_ms"] + payload_mb * path["ms_per_mb"]
        return np.asarray(((of_node + after)[:, None] - per_ms * network_ms).max(axis=0))

    def _worth(self, tokens: float, per_quality: float) -> Floats:
        worth: Floats = per_quality * self._all["quality"]
        return worth - tokens * COST_WEIGHT * self._all["usd_per_token"] / COST_REF_USD
