"""The record of the Offload track."""

from __future__ import annotations

from typing import Final

from edgebench.track import Metric, Track

TRACK: Final = Track(
    name="offload",
    question="Where does each node send its users' requests: itself, a neighbour, or nowhere?",
    metric="value",
    floor=-1.0,
    metrics=(
        Metric(
            "value",
            "share of work done on time, less a quarter of what was rejected and all that was lost",
            least=-1.0,
            most=1.0,
            heading="value",
        ),
        Metric("success", "share of work done on time", most=1.0, heading="on time"),
        Metric("rejected", "share of work rejected at once", most=1.0, heading="rejected"),
        Metric("late", "share of work taken on and not done by its deadline", most=1.0, heading="late"),
        Metric("overflow", "share of work lost for want of memory", most=1.0),
        Metric("dropped", "share of work lost with nodes that failed", most=1.0),
        Metric("response_p50_ms", "median time from arrival to answer of work done on time"),
        Metric("response_p95_ms", "95th percentile of the same", heading="p95 s", scale=1e-3, digits=2),
        Metric("forwarded", "share of work given to neighbours", most=1.0, heading="forwarded"),
        Metric("trap_hits", "share of work sent over links that were bad traps", most=1.0, heading="trap hits"),
        Metric("link_use", "work that links carried over what they could have carried", most=1.0),
        Metric("jain", "Jain's index of how busy the nodes were", most=1.0, heading="Jain"),
    ),
    env="edgebench.tracks.offload.env:OffloadEnv",
    parallel="edgebench.tracks.offload.parallel:OffloadParallelEnv",
    bound="edgebench.tracks.offload.bound:episode_bounds",
    gate="edgebench.tracks.offload.gate:PLAN",
    agents="reference_agents.offload",
    worlds={
        "single": "edgebench.tracks.offload.world:OffloadWorld",
        "team": "edgebench.tracks.offload.world:OffloadWorld",
    },
    sights={"single": "edgebench.tracks.offload.world:Sight", "team": "edgebench.tracks.offload.world:Sight"},
    streams="edgebench.tracks.offload.streams:STREAMS",
    first_agent="edgebench.first_agents.offload",
    guide="proportional",
    hand="edgebench.play.offload:HAND",
    losses="edgebench.explain.offload:LOSSES",
)
