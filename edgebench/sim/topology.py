"""The part of the simulation that never changes: paths, instances and the candidates of every node."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench import constants
from edgebench.sim.compiled import compiled
from edgebench.sim.offers import offer
from edgebench.sim.paths import MS_PER_MB_AT_1_MBPS, make_network, paths_to

NODE: Final = np.dtype(
    [
        ("speed", "f8"),  # tokens of unit work per ms
        ("storage_gb", "f8"),
        ("per_storage", "f8"),  # one over it
        ("first", "i8"),  # offset of its instances in on_node
        ("instances", "i8"),  # how many
        ("east", "f8"),  # place between the region's west (0) and its east (1)
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
    [
        ("enter", "f8"),
        ("leave", "f8"),
        ("extra_min_ms", "f8"),
        ("extra_max_ms", "f8"),
        ("rest_ms", "f8"),  # extra delay while good
        ("slow_ms_per_mb", "f8"),  # what a transfer loses to less bandwidth and lost packets while bad
    ],
    align=True,
)


LATENCY_S, S_PER_MB = range(2)
"""Rows of `Topology.way`: of the path to a candidate, propagation and hops, and transmission a megabyte."""
WAYS: Final = 2
S_PER_TOKEN, IS_GOOD, COST_PER_TOKEN, LOAD_S, NODE_SPEED = range(5)
"""Rows of `Topology.offer` and `Topology.every`: service, quality, cost over the reference cost, loading, speed."""
TRAITS: Final = 5


class Topology(NamedTuple):
    """Static arrays of a region; N nodes, M instances, C trap links, E model types, K candidates.

    What a decision looks up of its candidates lies side by side: `candidates`, `host`, `way`, `trap_bits`, `offer`.

    The quickest paths to a target are a tree. In depth-first order the nodes behind a link stand next to each other, so
    that `place` and `span` tell whether a path crosses a trap link without walking it.
    """

    node: NDArray[Any]  # (N,) of NODE
    path: NDArray[Any]  # (N, N) of PATH, [to, from]
    place: NDArray[np.uint16]  # (N, N) [to, from]: where a node stands in the tree of the paths to a target
    span: NDArray[np.uint16]  # (N, C, 2) [to]: first place behind a trap link, and the place after the last
    instance: NDArray[Any]  # (M,) of INSTANCE
    instance_type: NDArray[np.int8]  # (M,) type of each instance
    instance_node: NDArray[np.int32]  # (M,) node of each once more, side by side
    trap: NDArray[Any]  # (C,) of TRAP_LINK
    on_node: NDArray[np.int32]  # (M,) instances grouped by node
    candidates: NDArray[np.int32]  # (N, E, K) instances offered at a node, -1 beyond the last
    host: NDArray[np.int32]  # (N, E, K) their nodes
    way: NDArray[np.float64]  # (N, E, WAYS, K) of the paths there
    trap_bits: NDArray[np.uint64]  # (N, E, C / 64, K) bit t: the path there crosses trap link t
    offer: NDArray[np.float32]  # (N, E, TRAITS, K) of the candidates
    every: NDArray[np.float32]  # (TRAITS, M) of all instances
    onward_ms: NDArray[np.float64]  # (N, E) quickest network and service of a typical stage of each type
    kind: NDArray[np.int8]  # (E,) index into `edgebench.constants.MODEL_TYPES` of each type


Columns = dict[str, NDArray[Any]]
_TARGETS: Final = 256  # whose paths are searched at once
_MOST_NODES: Final = 2**16 - 1  # whose places fit into 16 bits
_OF_TRAPS: Final = ("enter", "leave", "extra_min_ms", "extra_max_ms", "rest_ms")


def build_topology(columns: Columns, instance_type: NDArray[np.int8], kind_of_type: NDArray[np.int8]) -> Topology:
    """Derive the static arrays from a region's columns, keyed `<table>.<column>` (`edgebench.schema`).

    Args:
        columns: Of nodes, links and instances.
        instance_type: (M,) type of each instance, below E; of every type there is one at least.
        kind_of_type: (E,) index into `edgebench.constants.MODEL_TYPES` of each type.

    Raises:
        ValueError: A model does not fit into its node.
    """
    path, place, span = _paths(columns)
    instance = _instances(columns)
    node = _nodes(columns, instance)
    if (instance["memory_gb"] > node["storage_gb"][instance["node"]]).any():
        raise ValueError("a model needs more memory than its node has")
    candidates, onward_ms = offer(path, instance, node["speed"], instance_type, kind_of_type)
    every = _traits(node, instance)
    is_there, host = candidates >= 0, instance["node"][candidates].astype(np.int32)
    ways = np.where(is_there, path[host, np.arange(len(path))[:, None, None]], np.zeros((), PATH))
    offered = np.where(is_there, every[:, candidates], np.float32(0.0))
    trap_bits = np.zeros((*candidates.shape[:2], words_of(span.shape[1]), candidates.shape[2]), np.uint64)
    _mark_traps(path, candidates, host, trap_bits)
    return Topology(
        node=node,
        path=path,
        place=place,
        span=span,
        instance=instance,
        instance_type=instance_type,
        instance_node=instance["node"].astype(np.int32),
        trap=_traps(columns),
        on_node=np.argsort(instance["node"], kind="stable").astype(np.int32),
        candidates=candidates,
        host=host,
        way=np.stack([ways["latency_ms"] / 1000.0, ways["ms_per_mb"] / 1000.0], axis=2),
        trap_bits=trap_bits,
        offer=np.ascontiguousarray(offered.transpose(1, 2, 0, 3)),
        every=every,
        onward_ms=np.ascontiguousarray(onward_ms),
        kind=kind_of_type,
    )


def public_topology(public: Columns) -> Topology:
    """The static arrays as an operator knows them, without traps, from what `Region.public` gives."""
    links = len(public["links.src"])
    traps = {f"links.trap_{name}": np.zeros(links) for name in (*_OF_TRAPS, "mbps", "loss")}
    columns = {**public, **traps, "links.is_trap": np.zeros(links, np.bool_)}
    types = public["instances.model_type"], public["types.kind"]
    return build_topology(columns, *(codes.astype(np.int8) for codes in types))


def _traits(node: NDArray[Any], instance: NDArray[Any]) -> NDArray[np.float32]:
    """What decisions look up of every instance, (TRAITS, M)."""
    speed = node["speed"][instance["node"]]
    traits = np.empty((TRAITS, instance.size), np.float32)
    traits[S_PER_TOKEN] = instance["work"] / speed / 1000.0
    traits[IS_GOOD] = instance["quality"]
    traits[COST_PER_TOKEN] = instance["usd_per_token"] / constants.COST_REF_USD
    traits[LOAD_S] = instance["memory_gb"] / constants.LOAD_GB_PER_S
    traits[NODE_SPEED] = speed
    return traits


def _nodes(columns: Columns, instance: NDArray[Any]) -> NDArray[Any]:
    node = np.zeros(len(columns["nodes.node_id"]), NODE)
    node["speed"] = columns["nodes.compute"].astype(np.float64) * constants.TOKENS_PER_S_PER_COMPUTE / 1000.0
    node["storage_gb"] = columns["nodes.storage_gb"]
    node["per_storage"] = 1.0 / node["storage_gb"]
    node["instances"] = np.bincount(instance["node"], minlength=node.size)
    node["first"] = np.cumsum(node["instances"]) - node["instances"]
    lon = columns["nodes.lon"].astype(np.float64)
    node["east"] = (lon - lon.min()) / max(float(np.ptp(lon)), 1e-9)
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
    for field in _OF_TRAPS:
        trap[field] = columns[f"links.trap_{field}"][is_trap]
    full, loss = columns["links.bandwidth_mbps"][is_trap], columns["links.trap_loss"][is_trap]
    left = np.fmin(full, columns["links.trap_mbps"][is_trap].astype(np.float64))
    trap["slow_ms_per_mb"] = MS_PER_MB_AT_1_MBPS / left / (1.0 - loss) - MS_PER_MB_AT_1_MBPS / full
    return trap


def words_of(bits: int) -> int:
    """Words of 64 bits that hold so many."""
    return -(-bits // 64)


def _paths(columns: Columns) -> tuple[NDArray[Any], NDArray[np.uint16], NDArray[np.uint16]]:
    """Paths, places and spans of `Topology`; 26 bytes a pair of nodes, and a block of targets' searches beside them."""
    nodes = len(columns["nodes.node_id"])
    if nodes > _MOST_NODES:
        raise ValueError(f"more than {_MOST_NODES} nodes")
    names = ("src", "dst", "latency_ms", "bandwidth_mbps")
    network = make_network(nodes, *(np.asarray(columns[f"links.{name}"]) for name in names))
    is_trap = columns["links.is_trap"].astype(bool)
    trap_index = np.append(np.where(is_trap, np.cumsum(is_trap) - 1, -1), -1)
    path, place = np.empty((nodes, nodes), PATH), np.empty((nodes, nodes), np.uint16)
    span = np.zeros((nodes, int(is_trap.sum()), 2), np.uint16)
    for begin in range(0, nodes, _TARGETS):
        block = slice(begin, min(begin + _TARGETS, nodes))
        found = paths_to(network, np.arange(block.start, block.stop))
        path[block]["latency_ms"], path[block]["ms_per_mb"] = found.delay_ms, found.ms_per_mb
        path[block]["next_trap"], path[block]["past_trap"] = trap_index[found.next_link], found.next_node
        _place_nodes(found.nearest, found.next_node, path[block], place[block], span[block])
        _find_first_traps(found.nearest, found.next_node, path[block])
    return path, place, span


@compiled
def _place_nodes(
    nearest: NDArray[np.int32],
    next_node: NDArray[np.int32],
    path: NDArray[Any],
    place: NDArray[np.uint16],
    span: NDArray[np.uint16],
) -> None:
    """Lay out the trees of paths depth first; of every path `next_trap` is that of its next link alone."""
    nodes = nearest.shape[1]
    size, free = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    for target in range(nearest.shape[0]):
        for node in range(nodes):
            size[node] = 1
        for position in range(nodes - 1, 0, -1):
            node = nearest[target, position]
            size[next_node[target, node]] += size[node]
        place[target, nearest[target, 0]], free[nearest[target, 0]] = 0, 1
        for position in range(1, nodes):
            node = nearest[target, position]
            parent, trap = next_node[target, node], path[target, node].next_trap
            place[target, node], free[node] = free[parent], free[parent] + 1
            free[parent] += size[node]
            if trap >= 0:
                span[target, trap, 0], span[target, trap, 1] = place[target, node], place[target, node] + size[node]


@compiled
def _find_first_traps(nearest: NDArray[np.int32], next_node: NDArray[np.int32], path: NDArray[Any]) -> None:
    """From the next link of every path to its first trap, from the nearest sources to the farthest."""
    for target in range(nearest.shape[0]):
        for source in nearest[target]:
            here, beyond = path[target, source], path[target, next_node[target, source]]
            if here.next_trap < 0:
                here.next_trap, here.past_trap = beyond.next_trap, beyond.past_trap


@compiled
def _mark_traps(
    path: NDArray[Any], candidates: NDArray[np.int32], host: NDArray[np.int32], trap_bits: NDArray[np.uint64]
) -> None:
    """Set the bits of the trap links on the way to every candidate."""
    for here in range(candidates.shape[0]):
        for code in range(candidates.shape[1]):
            for slot in range(candidates.shape[2]):
                target, node = host[here, code, slot], here
                while candidates[here, code, slot] >= 0 and path[target, node].next_trap >= 0:
                    way = path[target, node]
                    bit = np.uint64(1) << np.uint64(way.next_trap & 63)
                    trap_bits[here, code, way.next_trap >> 6, slot] |= bit
                    node = way.past_trap
