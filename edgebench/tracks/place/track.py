"""The record of the Place track."""

from __future__ import annotations

from typing import Final

from edgebench.track import Metric, Track

TRACK: Final = Track(
    name="place",
    question="Where do the experts of a mixture-of-experts model stand, and which of them twice?",
    metric="relative_speed",
    floor=0.0,
    metrics=(
        Metric(
            "relative_speed",
            "latency of the contiguous placement over the policy's, of all batches",
            heading="relative speed",
        ),
        Metric("success", "share of batches served in time with all experts", most=1.0, heading="success"),
        Metric("latency_mean_ms", "mean latency of a batch", heading="mean s", scale=1e-3, digits=2),
        Metric("latency_p95_ms", "95th percentile of the same", heading="p95 s", scale=1e-3, digits=2),
        Metric("network_ms", "propagation, hops and transmission, mean a batch"),
        Metric("trap_ms", "trap extras and late ways, mean a batch"),
        Metric("compute_ms", "busiest device of every layer, mean a batch"),
        Metric("loading_ms", "loading experts, as far as compute does not hide it, mean a batch"),
        Metric("lost_ms", "waiting for devices that are down, mean a batch"),
        Metric("imbalance", "compute of the busiest device over the mean", least=0.0, heading="imbalance", digits=2),
        Metric("crossing_share", "share of moves that leave a node", most=1.0, heading="crossing", digits=2),
        Metric("all_to_all_mb", "megabytes between nodes, mean a batch"),
        Metric("loaded_gb", "experts loaded while batches flow", heading="loaded GB", digits=1),
        Metric("copies", "copies of an expert, mean", heading="copies", digits=2),
        Metric("trap_hits", "bad trap links crossed, a row", heading="trap hits", digits=2),
        Metric("jain", "Jain's index of the devices' compute", most=1.0, heading="Jain"),
    ),
    env="edgebench.tracks.place.env:PlaceEnv",
    parallel="edgebench.tracks.place.parallel:PlaceParallelEnv",
    bound="edgebench.tracks.place.bound:episode_bounds",
    gate="edgebench.tracks.place.gate:PLAN",
    agents="reference_agents.place",
    worlds={
        "single": "edgebench.tracks.place.world:PlaceWorld",
        "team": "edgebench.tracks.place.world:PlaceTeamWorld",
    },
    sights={"single": "edgebench.tracks.place.world:Sight"},
    streams="edgebench.tracks.place.streams:STREAMS",
    first_agent="edgebench.first_agents.place",
    guide="hierarchical-eplb",
    hand="edgebench.play.place:HAND",
    losses="edgebench.explain.place:LOSSES",
)
