"""LP-yesterday: the best split of a slot whose neighbours are asked for what they were asked for last, by HiGHS.

Command: edgebench eval lp-yesterday --track offload
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from reference_agents.offload.sight import Floats, Observation, demand, is_there, of_node, passage, room, shares

_KEPT_SLOTS: Final = 1.8
_MOST_EXTRA_S: Final = 0.8
_PRICE: Final = 0.02
"""What forwarding costs, so that nothing is sent for nothing."""


class Agent:
    """Solves one linear programme a slot: most work kept or sent to where there will be room."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode with its links."""
        links = {name: info["topology"][f"links.{name}"] for name in ("src", "dst", "latency_ms")}
        self._ends: dict[tuple[int, int], int] = {}
        nodes = len(info["topology"]["nodes.node_id"])
        tail, head = np.r_[links["src"], links["dst"]], np.r_[links["dst"], links["src"]]
        order = np.lexsort((head, np.tile(links["latency_ms"], 2), tail))
        self._head = np.full((nodes, 8), -1, np.int64)
        for node in range(nodes):
            mine = head[order[tail[order] == node]][:8]
            self._head[node, : mine.size] = mine

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """The programme's amounts as shares."""
        asked = demand(observation)
        node, column = np.nonzero(is_there(observation))
        kept, sent = self._solve(observation, asked, node, column)
        forwarded = np.zeros(self._head.shape)
        forwarded[node, column] = sent
        return shares(kept, forwarded, np.maximum(0.0, asked - kept - forwarded.sum(axis=1)))

    def _solve(
        self, observation: Observation, asked: Floats, node: NDArray[np.intp], column: NDArray[np.intp]
    ) -> tuple[Floats, Floats]:
        """Work kept at each node, (N,), and sent on each link, (links,)."""
        nodes, links, capacity = asked.size, node.size, of_node(observation, "capacity")
        yesterday = of_node(observation, "last_load") * capacity
        here = room(observation, _KEPT_SLOTS)
        there = np.maximum(0.0, here - np.minimum(yesterday, here))
        each, sent = np.arange(nodes), nodes + np.arange(links)
        rows = np.r_[each, node, nodes + self._head[node, column]]
        limits: Any = csr_array((np.ones(rows.size), (rows, np.r_[each, sent, sent])), shape=(2 * nodes, nodes + links))
        most: Any = np.r_[here, passage(observation, _MOST_EXTRA_S)[node, column]]
        found: Any = linprog(
            np.r_[-np.ones(nodes), np.full(links, _PRICE - 1.0)],
            A_ub=limits,
            b_ub=np.r_[asked, there],
            bounds=list(zip(np.zeros(most.size), most, strict=True)),
            method="highs",
        )
        return found.x[:nodes], found.x[nodes:]
