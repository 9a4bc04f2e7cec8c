"""What is known of the network: measurements of links when their messages have arrived, and what nodes publish."""

from __future__ import annotations

import math
from typing import Final

from edgebench.constants import MEASURE_ALPHA, MEASURE_MEMORY_MS, TELEMETRY_MS, TRAP_SLOT_MS
from edgebench.sim.compiled import part
from edgebench.tracks.offload.constants import AGES, SLOTS, WORK_SHARES
from edgebench.tracks.offload.state import Episode, K, Network, Record, State

PERIOD_SLOTS: Final = round(TELEMETRY_MS / TRAP_SLOT_MS)
"""Nodes publish in every such slot, at its beginning."""
_FADE: Final = math.exp(-TRAP_SLOT_MS / MEASURE_MEMORY_MS)


@part
def start_measurement(link: Record, extra_ms: float, slot: int) -> None:
    """Something left on a link in a slot: what it met is known when it has arrived, or after the last deadline."""
    link.pending_s[slot % AGES] = min(extra_ms / 1000.0, float(AGES))
    link.pending_due[slot % AGES] = slot + min(1 + int(extra_ms / 1000.0), AGES)


@part
def publish(network: Network, episode: Episode, state: State) -> None:
    """At the beginning of a slot take in the measurements that are known by now; once a period every node publishes.

    After the last slot nobody tells anything.
    """
    slot = state.slot[0]
    if slot >= SLOTS:
        return
    for node in range(network.node.shape[0]):
        for column in range(network.node[node].degree):
            _take_in(state.link[node, column], slot)
        if slot % PERIOD_SLOTS == 0:
            _tell(network.node[node], episode, state.node[node], node, slot)


@part
def _take_in(link: Record, slot: int) -> None:
    link.extra_s *= _FADE
    for age in range(AGES, 0, -1):
        ring = (slot - age) % AGES
        if 0 <= link.pending_due[ring] <= slot:
            link.pending_due[ring] = -1
            link.extra_s = (1.0 - MEASURE_ALPHA) * link.extra_s + MEASURE_ALPHA * link.pending_s[ring]


@part
def _tell(node: Record, episode: Episode, here: Record, number: int, slot: int) -> None:
    here.told_queue = here.queued / node.capacity
    here.told_free = 1.0 - here.used_mb / node.memory_mb
    here.told_load = arriving(episode, slot, number) / node.capacity
    here.told_down = float(episode.node[slot, number].down)


@part
def arriving(episode: Episode, slot: int, node: int) -> int:
    """Work that a node's own users ask for in a slot, 0 outside the episode."""
    work = 0
    if 0 <= slot < SLOTS:
        now = episode.node[slot, node]
        for kind in range(K):
            work += now.arrivals[kind] * WORK_SHARES[kind]
    return work
