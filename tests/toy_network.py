"""Tiny networks, written out by hand, as the columns `edgebench.sim.topology.build_topology` reads."""

import numpy as np

from edgebench.constants import MODEL_TYPES
from edgebench.registry import SCENARIOS
from edgebench.sim.topology import build_topology
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.state import TASK
from edgebench.tracks.route.workflows import link_stages

KINDS = np.arange(len(MODEL_TYPES), dtype=np.int8)
"""Kind of each type where every kind is one type."""


def columns(links, compute, instances, traps=(), behaviour=None):
    """Columns of a network.

    Args:
        links: (src, dst, latency_ms, bandwidth_mbps) each.
        compute: Compute units of every node.
        instances: (node, type, quality, work, memory_gb, price a thousand tokens) each.
        traps: Positions of trap links among the links.
        behaviour: What differs from traps of the first kind, by column name without `trap_`.
    """
    src, dst, latency, bandwidth = (np.array(column) for column in zip(*links, strict=True))
    node, _, quality, work, memory, price = zip(*instances, strict=True)
    is_trap = np.isin(np.arange(len(links)), list(traps))
    trap = {"enter": 0.3, "leave": 0.2, "extra_min_ms": 1000.0, "extra_max_ms": 3000.0, "rest_ms": 0.0}
    trap |= {"mbps": np.nan, "loss": 0.0} | (behaviour or {})
    return {
        "nodes.node_id": np.arange(len(compute)),
        "nodes.lon": np.linspace(7.0, 8.0, len(compute)),
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


def toy_topology(links, compute, instances, traps=(), behaviour=None):
    """The topology of such a network."""
    kinds = np.array([MODEL_TYPES.index(kind) for _, kind, *_ in instances], np.int8)
    return build_topology(columns(links, compute, instances, traps, behaviour), kinds, KINDS)


def one_of_each(node_count, seed=0):
    """An instance of every type on every node, of varied quality, work and price."""
    draw = np.random.default_rng(seed)
    return [
        (node, kind, draw.uniform(0.2, 1.0), draw.uniform(0.5, 4.0), 4.0, draw.uniform(0.001, 0.05))
        for node in range(node_count)
        for kind in MODEL_TYPES
    ]


def task_record(stages, *, user_node=0, deadline_ms=10_000.0, quality_weight=0.5, answer_mb=1.0):
    """A chain as a record of `edgebench.tracks.route.state.TASK`; stages are (type, tokens, payload_mb)."""
    of_graph = [(kind, tokens, 1 << position >> 1) for position, (kind, tokens, _) in enumerate(stages)]
    prompt_mb, *outputs = [payload_mb for *_, payload_mb in stages]
    task = graph_record(
        of_graph, [*outputs, answer_mb], user_node=user_node, deadline_ms=deadline_ms, quality_weight=quality_weight
    )
    tasks = np.array([task])
    tasks["prompt_mb"] = prompt_mb
    link_stages(tasks)
    return tasks[0]


def graph_record(stages, output_mb, *, user_node=0, deadline_ms=10_000.0, quality_weight=0.5, prompt_mb=1.0):
    """A record of `edgebench.tracks.route.state.TASK`; stages are (type, tokens, parents)."""
    tasks = np.zeros(1, TASK)
    tasks["deadline_ms"], tasks["prompt_mb"], tasks["user_node"] = deadline_ms, prompt_mb, user_node
    tasks["quality_weight"], tasks["speed_weight"] = quality_weight, 1.0 - quality_weight
    tasks["stages"], tasks["stage_type"] = len(stages), -1
    for position, (kind, tokens, parents) in enumerate(stages):
        tasks["stage_type"][0, position] = MODEL_TYPES.index(kind)
        tasks["tokens"][0, position], tasks["parents"][0, position] = tokens, parents
        tasks["output_mb"][0, position] = output_mb[position]
    link_stages(tasks)
    return tasks[0]


def rules_of(scenario="calm", *, tick_ms=0.0, **parameters):
    """Rules of a registered scenario, some parameters of it replaced."""
    return make_rules({**SCENARIOS[scenario].parameters(), **parameters}, tick_ms=tick_ms)
