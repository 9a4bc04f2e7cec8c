"""Requests and inputs on their way from a job's origin to a site, and what is measured of them."""

from __future__ import annotations

import math

from edgebench.constants import MEASURE_ALPHA, MEASURE_MEMORY_MS
from edgebench.sim.chains import slot_of
from edgebench.sim.compiled import part
from edgebench.sim.jitter import late_ms
from edgebench.tracks.allocate.state import Sites, State, World


@part
def delays(
    sites: Sites, world: World, origin: int, site: int, payload_mb: float, now_ms: float
) -> tuple[float, float, int]:
    """Of what leaves at `now_ms`: ms until the request arrives, ms until its input has, bad trap links on the way.

    Latency of the quickest path, the extra of its trap links in the state they have when it leaves, and a late way's
    delay; then the input at the path's bottleneck, slower for every bad trap link that loses bandwidth or packets.
    """
    way, slot = sites.path[site, origin], slot_of(now_ms)
    extra_ms, per_mb_ms, hits, node = 0.0, way.ms_per_mb, 0, origin
    while sites.path[site, node].next_trap >= 0:
        trap = sites.path[site, node].next_trap
        extra_ms += world.extra_ms[trap, slot]
        if world.bad[trap, slot]:
            hits += 1
            per_mb_ms += sites.slow_ms_per_mb[trap]
        node = sites.path[site, node].past_trap
    nodes = sites.path.shape[0]
    late = late_ms(world.seed, nodes, origin, site, slot, world.jitter_chance, world.jitter_min_ms, world.jitter_max_ms)
    return way.latency_ms + extra_ms + late, payload_mb * per_mb_ms, hits


@part
def measure(sites: Sites, world: World, state: State, origin: int, site: int, sent_ms: float, now_ms: float) -> None:
    """A request that left at `sent_ms` has arrived: its trap links' extras enter their moving averages.

    An average fades with `MEASURE_MEMORY_MS`. It is kept as what it would have been at time 0, so that nothing need be
    done as time passes: an episode is too short for that to overflow.
    """
    slot, grown, node = slot_of(sent_ms), math.exp(now_ms / MEASURE_MEMORY_MS), origin
    while sites.path[site, node].next_trap >= 0:
        trap = sites.path[site, node].next_trap
        known = MEASURE_ALPHA * world.extra_ms[trap, slot] * grown
        state.measured[trap] = (1.0 - MEASURE_ALPHA) * state.measured[trap] + known
        node = sites.path[site, node].past_trap


@part
def remembered_ms(sites: Sites, state: State, origin: int, site: int, fade: float) -> float:
    """What is remembered of the extras on a path.

    Args:
        sites: Of the region.
        state: Of the episode.
        origin: Where the path begins,
        site: and where it ends.
        fade: Of `fading` for the time.
    """
    remembered, node = 0.0, origin
    while sites.path[site, node].next_trap >= 0:
        remembered += state.measured[sites.path[site, node].next_trap] * fade
        node = sites.path[site, node].past_trap
    return remembered


@part
def fading(now_ms: float) -> float:
    """How much is left at `now_ms` of an average kept as of time 0."""
    return math.exp(-now_ms / MEASURE_MEMORY_MS)
