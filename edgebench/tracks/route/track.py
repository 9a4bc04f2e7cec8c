"""The record of the Route track."""

from __future__ import annotations

from typing import Final

from edgebench.track import Metric, Track

TRACK: Final = Track(
    name="route",
    question="Which model instance runs the next stage of a user's workflow?",
    metric="utility",
    floor=0.0,
    metrics=(
        Metric("utility", "mean utility of a task, a failed one counting 0", most=1.0, heading="utility"),
        Metric("success", "share of tasks answered within two deadlines", most=1.0, heading="success"),
        Metric("quality", "mean quality of the answered tasks' stages, 0 where none was", most=1.0, heading="quality"),
        Metric("latency_mean_ms", "mean time from arrival to answer; a failed task counts two deadlines"),
        Metric("latency_p50_ms", "median of the same", heading="p50 s", scale=1e-3, digits=2),
        Metric("latency_p95_ms", "95th percentile of the same", heading="p95 s", scale=1e-3, digits=2),
        Metric("latency_p99_ms", "99th percentile of the same", heading="p99 s", scale=1e-3, digits=2),
        Metric("cost_usd", "mean cost of a task", heading="cost USD", digits=4),
        Metric("trap_hits", "bad trap links crossed, a task", heading="trap hits", digits=2),
        Metric("network_ms", "propagation, hops and transmission, mean a task"),
        Metric("trap_ms", "trap extras, mean a task"),
        Metric("queueing_ms", "waiting for nodes, mean a task"),
        Metric("loading_ms", "loading models, mean a task"),
        Metric("service_ms", "running models, mean a task"),
        Metric("jain", "Jain's index of the nodes' busy times", most=1.0, heading="Jain"),
    ),
    env="edgebench.tracks.route.env:RouteEnv",
    vector="edgebench.tracks.route.vector:RouteVectorEnv",
    parallel="edgebench.tracks.route.parallel:RouteParallelEnv",
    aec="edgebench.tracks.route.aec:RouteAecEnv",
    bound="edgebench.tracks.route.bound:episode_bounds",
    gate="edgebench.tracks.route.gate:PLAN",
    agents="reference_agents.route",
    worlds={
        "single": "edgebench.tracks.route.world:RouteWorld",
        "team": "edgebench.tracks.route.team_world:RouteTeamWorld",
    },
    sights={"single": "edgebench.tracks.route.world:Sight"},
    row_check="edgebench.tracks.route.metrics:row_problems",
    first_agent="edgebench.first_agents.route",
    guide="lookahead",
    hand="edgebench.play.route:HAND",
    losses="edgebench.explain.route:LOSSES",
)
