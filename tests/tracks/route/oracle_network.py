"""The network of the oracle: shortest paths of networkx, offers by the documentation, worked out when asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import networkx

from edgebench import constants
from edgebench.constants import MODEL_TYPES

TYPICAL_MB = constants.PAYLOAD_MB[1]


class Lazily(dict[Any, Any]):
    """Values by key, each worked out when it is first asked for."""

    def __init__(self, work_out: Callable[[Any], Any]) -> None:
        self.work_out = work_out

    def __missing__(self, key: Any) -> Any:
        self[key] = self.work_out(key)
        return self[key]


class Network:
    """What stays the same in every episode of a region."""

    def __init__(self, region: Any) -> None:
        self.nodes = region.tables["nodes"].to_pylist()
        self.instances = region.tables["instances"].to_pylist()
        self.links = {}
        self.traps: list[dict[str, Any]] = []
        graph = networkx.Graph()
        for link in region.tables["links"].to_pylist():
            link["trap"] = len(self.traps) if link["is_trap"] else None
            if link["is_trap"]:
                self.traps.append(link)
            self.links[link["src"], link["dst"]] = self.links[link["dst"], link["src"]] = link
            graph.add_edge(link["src"], link["dst"], hop_ms=link["latency_ms"] + constants.HOP_MS)
        self.graph = graph
        self.far = Lazily(lambda source: networkx.single_source_dijkstra_path_length(graph, source, weight="hop_ms"))
        self.forward = Lazily(lambda ends: self._forward(*ends))
        self.paths = Lazily(lambda ends: self._path(*ends))
        self.types = sorted({instance["model_type"] for instance in self.instances})
        self.offers = Lazily(lambda place: self._offers(*place))
        self.onward_ms = Lazily(lambda place: self._onward_ms(*place))

    def _forward(self, node: int, target: int) -> int:
        """The lowest-numbered neighbour on a quickest path."""
        far = self.far[target]  # as far from the target as to it
        return min(
            other for other, way in self.graph[node].items() if abs(way["hop_ms"] + far[other] - far[node]) < 1e-9
        )

    def _path(self, source: int, target: int) -> dict[str, Any]:
        """The quickest; where several are, that which every node forwards to."""
        links, node = [], source
        while node != target:
            links.append(self.links[node, self.forward[node, target]])
            node = self.forward[node, target]
        return {
            "latency_ms": round(self.far[target][source], 9),
            "ms_per_mb": 8000.0 / min(link["bandwidth_mbps"] for link in links) if links else 0.0,
            "traps": [link["trap"] for link in links if link["is_trap"]],
        }

    def speed(self, node: int) -> float:
        """Tokens of unit work a millisecond."""
        return float(self.nodes[node]["compute"] * constants.TOKENS_PER_S_PER_COMPUTE / 1000.0)

    def reach_ms(self, source: int, instance: dict[str, Any]) -> float:
        """Time for a typical payload to reach an instance."""
        path = self.paths[source, instance["node_id"]]
        return float(path["latency_ms"] + TYPICAL_MB * path["ms_per_mb"])

    def quick_ms(self, source: int, instance: dict[str, Any]) -> float:
        """The same and the service of a typical stage."""
        tokens = constants.TOKENS[MODEL_TYPES.index(kind_of(instance["model_type"]))][0]
        return float(self.reach_ms(source, instance) + tokens * instance["work"] / self.speed(instance["node_id"]))

    def _onward_ms(self, source: int, kind: str) -> float:
        """Quickest network and service of a typical stage of a type."""
        return min(self.quick_ms(source, instance) for instance in self.instances if instance["model_type"] == kind)

    def _offers(self, node: int, kind: str) -> list[int]:
        """In turn the nearest, the quickest and the best not yet taken, the lower id where several are equal."""
        members = [instance for instance in self.instances if instance["model_type"] == kind]
        orders = [
            deque(sorted(members, key=lambda one: (self.reach_ms(node, one), one["instance_id"]))),
            deque(sorted(members, key=lambda one: (self.quick_ms(node, one), one["instance_id"]))),
            deque(sorted(members, key=lambda one: (-one["quality"], one["instance_id"]))),
        ]
        taken: list[int] = []
        while len(taken) < min(len(members), constants.CANDIDATES):
            order = orders[len(taken) % 3]
            while order[0]["instance_id"] in taken:
                order.popleft()
            taken.append(order[0]["instance_id"])
        return taken


def kind_of(model_type: str) -> str:
    """Text of text-07."""
    return model_type.split("-")[0]
