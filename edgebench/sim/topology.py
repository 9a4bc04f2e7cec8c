"""The part of the simulation that never changes: paths, instances and the candidates of every node."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench import constants
from edgebench.sim.compiled import compiled

TYPES: Final = len(constants.MODEL_TYPES)
_TYPICAL_MB: Final = constants.PAYLOAD_MB[1]
_MS_PER_MB_AT_1_MBPS: Final = 8000.0
_LATENCY_DECIMALS: Final = 9
_SAME_MS: Final = 1e-7

NODE: Final = np.dtype(
    [
        ("speed", "f8"),  # tokens of unit work per ms
        ("storage_gb", "f8"),
        ("first", "i4"),  # offset of its instances in on_node
        ("instances", "i4"),  # how many
        ("onward_ms", "f8", (TYPES,)),  # quickest network and service of a typical stage of each type
    ],
    align=True,
)
PATH: Final = np.dtype(
    [
        ("latency_ms", "f8"),  # propagation and hops along the quickest path
        ("ms_per_mb", "f8"),  # transmission over the path's bottleneck, 0 on the node itself
        ("next_trap", "i4"),  # trap index of the path's first trap link, -1 where it has none
        ("past_trap", "i4"),  # node at that link's far end
    ],
    align=True,
)
INSTANCE: Final = np.dtype(
    [("quality", "f8"), ("work", "f8"), ("memory_gb", "f8"), ("usd_per_token", "f8"), ("node", "i8")], align=True
)
TRAP_LINK: Final = np.dtype(
    [("enter", "f8"), ("leave", "f8"), ("extra_min_ms", "f8"), ("extra_max_ms", "f8")], align=True
)


class Topology(NamedTuple):
    """Static arrays of a region; N nodes, M instances, C trap links, K candidates."""

    node: NDArray[Any]  # (N,) of NODE
    path: NDArray[Any]  # (N, N) of PATH, [to, from]
    instance: NDArray[Any]  # (M,) of INSTANCE
    trap: NDArray[Any]  # (C,) of TRAP_LINK
    on_node: NDArray[np.int32]  # (M,) instances grouped by node
    candidates: NDArray[np.int32]  # (N, types, K) instances offered at a node, -1 beyond the last


Columns = dict[str, NDArray[np.generic]]


def build_topology(columns: Columns, instance_type: NDArray[np.int8]) -> Topology:
    """Derive the static arrays from a region's columns, keyed `<table>.<column>` (`edgebench.schema`).

    Raises:
        ValueError: A model does not fit into its node.
    """
    path = _paths(columns)
    instance = _instances(columns)
    node = _nodes(columns, instance)
    if (instance["memory_gb"] > node["storage_gb"][instance["node"]]).any():
        raise ValueError("a model needs more memory than its node has")
    reach = (path["latency_ms"] + _TYPICAL_MB * path["ms_per_mb"])[instance["node"], :].T
    tokens = np.array([law[0] for law in constants.TOKENS])[instance_type]
    quick = reach + tokens * instance["work"] / node["speed"][instance["node"]]
    for kind in range(TYPES):
        node["onward_ms"][:, kind] = quick[:, instance_type == kind].min(axis=1)
    return Topology(
        node=node,
        path=path,
        instance=instance,
        trap=_traps(columns),
        on_node=np.argsort(instance["node"], kind="stable").astype(np.int32),
        candidates=_candidates(reach, quick, instance["quality"], instance_type),
    )


def public_topology(public: Columns) -> Topology:
    """The static arrays as an operator knows them, without traps, from what `Region.public` gives."""
    links = len(public["links.src"])
    traps = {f"links.trap_{name}": np.zeros(links) for name in TRAP_LINK.names or ()}
    columns = {**public, **traps, "links.is_trap": np.zeros(links, np.bool_)}
    return build_topology(columns, public["instances.model_type"].astype(np.int8))


def _nodes(columns: Columns, instance: NDArray[Any]) -> NDArray[Any]:
    node = np.zeros(len(columns["nodes.node_id"]), NODE)
    node["speed"] = columns["nodes.compute"].astype(np.float64) * constants.TOKENS_PER_S_PER_COMPUTE / 1000.0
    node["storage_gb"] = columns["nodes.storage_gb"]
    node["instances"] = np.bincount(instance["node"], minlength=node.size)
    node["first"] = np.cumsum(node["instances"]) - node["instances"]
    return node


def _instances(columns: Columns) -> NDArray[Any]:
    instance = np.zeros(len(columns["instances.node_id"]), INSTANCE)
    for field in ("quality", "work", "memory_gb"):
        instance[field] = columns[f"instances.{field}"]
    instance["usd_per_token"] = columns["instances.price_usd_per_1k_tokens"].astype(np.float64) / 1000.0
    instance["node"] = columns["instances.node_id"]
    return instance


def _traps(columns: Columns) -> NDArray[Any]:
    is_trap = columns["links.is_trap"].astype(bool)
    trap = np.zeros(int(is_trap.sum()), TRAP_LINK)
    for field in TRAP_LINK.names or ():
        trap[field] = columns[f"links.trap_{field}"][is_trap]
    return trap


def _paths(columns: Columns) -> NDArray[Any]:
    """Quickest paths between all pairs, (N, N) of PATH.

    Sums are rounded and equal ones told apart by node number, so that no path hangs on the order of additions.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    count = len(columns["nodes.node_id"])
    src, dst = columns["links.src"].astype(np.int64), columns["links.dst"].astype(np.int64)
    hop = columns["links.latency_ms"].astype(np.float64) + constants.HOP_MS
    weights = csr_array((np.r_[hop, hop], (np.r_[src, dst], np.r_[dst, src])), shape=(count, count))
    latency = np.round(dijkstra(weights, directed=True), _LATENCY_DECIMALS)
    link = np.full((count, count), -1, np.int64)
    link[src, dst] = link[dst, src] = np.arange(len(src))
    path = np.zeros((count, count), PATH)
    path["latency_ms"] = latency
    next_node = _next_nodes(latency, src, dst, hop)
    next_link = link[np.arange(count), next_node]
    is_trap = columns["links.is_trap"].astype(bool)
    trap_index = np.append(np.where(is_trap, np.cumsum(is_trap) - 1, -1), -1)
    ms_per_mb = np.append(_MS_PER_MB_AT_1_MBPS / columns["links.bandwidth_mbps"].astype(np.float64), 0.0)
    path["next_trap"], path["past_trap"] = trap_index[next_link], next_node
    path["ms_per_mb"] = ms_per_mb[next_link]
    _follow(np.argsort(latency, axis=1, kind="stable"), next_node, path)
    return path


@compiled
def _next_nodes(
    latency: NDArray[np.float64], src: NDArray[np.int64], dst: NDArray[np.int64], hop: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Next node from every source to every target, [to, from]: the lowest-numbered neighbour on a quickest path."""
    count = latency.shape[0]
    following = np.full((count, count), count, np.int64)
    for target in range(count):
        following[target, target] = target
        for link in range(src.size):
            for node, other in ((src[link], dst[link]), (dst[link], src[link])):
                on_path = hop[link] + latency[target, other] < latency[target, node] + _SAME_MS
                if on_path and other < following[target, node] and node != target:
                    following[target, node] = other
    return following


@compiled
def _follow(order: NDArray[np.int64], next_node: NDArray[np.int64], path: NDArray[Any]) -> None:
    """From the next link of every path to its slowest link and first trap, from the nearest sources to the farthest."""
    for target in range(order.shape[0]):
        for source in order[target]:
            here, beyond = path[target, source], path[target, next_node[target, source]]
            here.ms_per_mb = max(here.ms_per_mb, beyond.ms_per_mb)
            if here.next_trap < 0:
                here.next_trap, here.past_trap = beyond.next_trap, beyond.past_trap


def _candidates(
    reach: NDArray[np.float64],
    quick: NDArray[np.float64],
    quality: NDArray[np.float64],
    instance_type: NDArray[np.int8],
) -> NDArray[np.int32]:
    """Up to K instances per node and type: in turn the nearest, the quickest and the best not yet taken."""
    node_count = reach.shape[0]
    offered = np.full((node_count, TYPES, constants.CANDIDATES), -1, np.int32)
    for kind in range(TYPES):
        members = np.flatnonzero(instance_type == kind).astype(np.int32)
        nearest = np.argsort(reach[:, members], axis=1, kind="stable")
        quickest = np.argsort(quick[:, members], axis=1, kind="stable")
        best = np.tile(np.argsort(-quality[members], kind="stable"), (node_count, 1))
        _take_in_turn(members, np.stack((nearest, quickest, best)), offered[:, kind])
    return offered


@compiled
def _take_in_turn(members: NDArray[np.int32], orders: NDArray[np.int64], offered: NDArray[np.int32]) -> None:
    wanted = min(offered.shape[1], members.size)
    for node in range(offered.shape[0]):
        taken = np.zeros(members.size, np.bool_)
        position = np.zeros(orders.shape[0], np.int64)
        for slot in range(wanted):
            turn = slot % orders.shape[0]
            while taken[orders[turn, node, position[turn]]]:
                position[turn] += 1
            choice = orders[turn, node, position[turn]]
            taken[choice] = True
            offered[node, slot] = members[choice]
