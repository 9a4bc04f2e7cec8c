"""The record of the Allocate track."""

from __future__ import annotations

from typing import Final

from edgebench.track import Metric, Track

TRACK: Final = Track(
    name="allocate",
    question="Which site's free cpu, memory, bandwidth and storage does a job get, and which job waits?",
    metric="completion",
    floor=0.0,
    metrics=(
        Metric("completion", "share of the jobs done in time, by priority", most=1.0, heading="completion"),
        Metric("success", "share of the jobs done in time, each counting alike", most=1.0, heading="success"),
        Metric("violations_1", "share of the jobs of priority 1 not done in time", most=1.0, heading="late 1"),
        Metric("violations_2", "the same of priority 2", most=1.0, heading="late 2"),
        Metric("violations_3", "the same of priority 3", most=1.0, heading="late 3"),
        Metric("latency_mean_ms", "mean time from arrival to the job's beginning; one not done counts its deadline"),
        Metric("latency_p95_ms", "95th percentile of the same", heading="p95 s", scale=1e-3, digits=2),
        Metric("utilisation_cpu", "compute units held, share of all over the episode", most=1.0, heading="cpu"),
        Metric("utilisation_memory", "the same of memory", most=1.0, heading="memory"),
        Metric("utilisation_bandwidth", "the same of bandwidth", most=1.0, heading="bandwidth"),
        Metric("utilisation_storage", "the same of storage", most=1.0, heading="storage"),
        Metric("fragmentation", "share of what is free that is of no use as another resource is short", most=1.0),
        Metric("waste", "share of what is held while inputs arrive or by work that a failing site loses", most=1.0),
        Metric("imbalance", "mean variance of the sites' utilisations", most=1.0),
        Metric("jain", "Jain's index of the sites' utilisations", most=1.0, heading="Jain"),
        Metric("trap_hits", "bad trap links crossed, a job", heading="trap hits", digits=2),
        Metric("refusals", "requests that found no room, came too late or met a site that is down, a job"),
        Metric("deferrals", "decisions to wait, a job"),
        Metric("points_done", "reward for jobs done in time", most=100.0),
        Metric("points_violated", "what the others cost", most=50.0),
        Metric("points_latency", "what latency cost"),
        Metric("points_imbalance", "what imbalance cost"),
        Metric("points_waste", "what waste cost"),
    ),
    env="edgebench.tracks.allocate.env:AllocateEnv",
    parallel="edgebench.tracks.allocate.parallel:AllocateParallelEnv",
    bound="edgebench.tracks.allocate.bound:episode_bounds",
    gate="edgebench.tracks.allocate.gate:PLAN",
    agents="reference_agents.allocate",
    worlds={
        "single": "edgebench.tracks.allocate.world:AllocateWorld",
        "team": "edgebench.tracks.allocate.team_world:AllocateTeamWorld",
    },
    sights={"single": "edgebench.tracks.allocate.world:Sight"},
    streams="edgebench.tracks.allocate.streams:STREAMS",
    first_agent="edgebench.first_agents.allocate",
    guide="priority-edf",
    hand="edgebench.play.allocate:HAND",
    losses="edgebench.explain.allocate:LOSSES",
)
