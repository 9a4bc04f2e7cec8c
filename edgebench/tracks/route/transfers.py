"""What is sent: from where, how long it takes, what is measured on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.constants import TRAP_SLOT_MS
from edgebench.sim.compiled import part, rare
from edgebench.sim.jitter import late_ms
from edgebench.sim.topology import Topology
from edgebench.tracks.route.monitors import extra_now, is_bad_now, list_trap, measure
from edgebench.tracks.route.state import INPUTS, PROPAGATION, SEED, TRANSMISSION, TRAP, State


@part
def gather(state: State, task: Any, progress: Any, stages: int) -> None:
    """Fill `state.inputs`: outputs of the stages whose bits are given, or the user's prompt where there are none."""
    state.inputs[0].node, state.inputs[0].megabytes = task.user_node, task.prompt_mb
    count, stage = 0, 0
    while stages >> stage:
        if stages >> stage & 1:
            state.inputs[count].node = progress.at_node[stage]
            state.inputs[count].megabytes = task.output_mb[stage]
            count += 1
        stage += 1
    state.cursor[INPUTS] = max(count, 1)


@part
def send(topology: Topology, state: State, progress: Any, node: int) -> float:
    """Send all of `state.inputs` to `node` at once; returns when the last is there.

    Each takes `propagation + hops + trap extras of every link of its path + megabytes / bottleneck bandwidth`; a trap
    link is met in the state it has when the transfers start. The parts of the task's time are those of the slowest.
    """
    now, there_ms, slowest_ms, slowest_extra, slowest = progress.ready_ms, -np.inf, 0.0, 0.0, 0
    for number in range(state.cursor[INPUTS]):
        sent = state.inputs[number]
        path = topology.path[node, sent.node]
        late_ms = jitter(state, topology.node.shape[0], sent.node, node, now)
        extra = 0.0
        if path.next_trap >= 0:
            extra = path_extra(topology, state, sent.node, node, sent.megabytes, now)
        known_at_ms = now + path.latency_ms + extra + sent.megabytes * path.ms_per_mb + late_ms
        if path.next_trap >= 0:
            progress.trap_hits += _measure_path(topology, state, sent, node, now, known_at_ms)
        if known_at_ms > there_ms:
            there_ms, slowest_ms, slowest_extra, slowest = known_at_ms, path.latency_ms + late_ms, extra, number
    sent = state.inputs[slowest]
    progress.parts_ms[PROPAGATION] += slowest_ms
    progress.parts_ms[TRANSMISSION] += sent.megabytes * topology.path[node, sent.node].ms_per_mb
    progress.parts_ms[TRAP] += slowest_extra
    return there_ms


@part
def jitter(state: State, nodes: int, source: int, target: int, now_ms: float) -> float:
    """What the way to another node takes longer at `now_ms`, in ms: nothing, or uniform between bounds."""
    rules, slot = state.rules[0], int(now_ms / TRAP_SLOT_MS)
    chance, least_ms, most_ms = rules.jitter_chance, rules.jitter_min_ms, rules.jitter_max_ms
    return late_ms(state.cursor[SEED], nodes, source, target, slot, chance, least_ms, most_ms)


@rare
def path_extra(topology: Topology, state: State, source: int, target: int, megabytes: float, now_ms: float) -> float:
    """Trap extras in ms of `megabytes` on the path from `source` to `target`, sent at `now_ms`."""
    extra = 0.0
    node = source
    while topology.path[target, node].next_trap >= 0:
        path = topology.path[target, node]
        extra += extra_now(topology, state, path.next_trap, megabytes, now_ms)
        node = path.past_trap
    return extra


@part
def _measure_path(topology: Topology, state: State, sent: Any, target: int, now_ms: float, known_at_ms: float) -> int:
    """Measure every trap link of a path; returns how many were bad."""
    hits = 0
    node = sent.node
    while topology.path[target, node].next_trap >= 0:
        path = topology.path[target, node]
        trap = path.next_trap
        extra = extra_now(topology, state, trap, sent.megabytes, now_ms)
        measure(state.monitor[trap], extra, now_ms, known_at_ms)
        if extra > 0.0:
            list_trap(state, trap)
        hits += is_bad_now(topology, state, trap, now_ms)
        node = path.past_trap
    return hits
