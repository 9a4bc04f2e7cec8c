"""Tiny networks, written out by hand, as the columns `edgebench.sim.topology.build_topology` reads."""

import numpy as np

from edgebench.constants import MODEL_TYPES
from edgebench.sim.state import TASK
from edgebench.sim.topology import build_topology


def columns(links, compute, instances, traps=()):
    """Columns of a network.

    Args:
        links: (src, dst, latency_ms, bandwidth_mbps) each.
        compute: Compute units of every node.
        instances: (node, type, quality, work, memory_gb, price a thousand tokens) each.
        traps: Positions of trap links among the links.
    """
    src, dst, latency, bandwidth = (np.array(column) for column in zip(*links, strict=True))
    node, _, quality, work, memory, price = zip(*instances, strict=True)
    is_trap = np.isin(np.arange(len(links)), list(traps))
    trap = {"enter": 0.3, "leave": 0.2, "extra_min_ms": 1000.0, "extra_max_ms": 3000.0}
    return {
        "nodes.node_id": np.arange(len(compute)),
        "nodes.compute": np.array(compute),
        "nodes.storage_gb": np.full(len(compute), 20),
        "links.src": src,
        "links.dst": dst,
        "links.latency_ms": latency.astype(float),
        "links.bandwidth_mbps": bandwidth.astype(float),
        "links.is_trap": is_trap,
        **{f"links.trap_{name}": np.where(is_trap, value, np.nan) for name, value in trap.items()},
        "instances.node_id": np.array(node),
        "instances.quality": np.array(quality, float),
        "instances.work": np.array(work, float),
        "instances.memory_gb": np.array(memory, float),
        "instances.price_usd_per_1k_tokens": np.array(price, float),
    }


def toy_topology(links, compute, instances, traps=()):
    """The topology of such a network."""
    kinds = np.array([MODEL_TYPES.index(kind) for _, kind, *_ in instances], np.int8)
    return build_topology(columns(links, compute, instances, traps), kinds)


def one_of_each(node_count, seed=0):
    """An instance of every type on every node, of varied quality, work and price."""
    draw = np.random.default_rng(seed)
    return [
        (node, kind, draw.uniform(0.2, 1.0), draw.uniform(0.5, 4.0), 4.0, draw.uniform(0.001, 0.05))
        for node in range(node_count)
        for kind in MODEL_TYPES
    ]


def task_record(stages, *, user_node=0, deadline_ms=10_000.0, quality_weight=0.5, answer_mb=1.0):
    """A task of `edgebench.sim.state.TASK`; stages are (type, tokens, payload_mb)."""
    task = np.zeros(1, TASK)[0]
    task["deadline_ms"], task["answer_mb"], task["user_node"] = deadline_ms, answer_mb, user_node
    task["quality_weight"], task["speed_weight"] = quality_weight, 1.0 - quality_weight
    task["stages"], task["stage_type"] = len(stages), -1
    for position, (kind, tokens, payload_mb) in enumerate(stages):
        task["stage_type"][position] = MODEL_TYPES.index(kind)
        task["tokens"][position], task["payload_mb"][position] = tokens, payload_mb
    return task
