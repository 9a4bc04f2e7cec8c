"""The record of the toy track."""

from edgebench.track import Metric, Track

TRACK = Track(
    name="toy",
    question="Which of four sites has room?",
    metric="room",
    floor=0.0,
    metrics=(
        Metric("room", "mean share of the chosen site that is free", most=1.0, heading="room"),
        Metric("success", "share of choices that were the best", most=1.0, heading="success"),
    ),
    env="toy_track.env:ToyEnv",
    bound="toy_track.bound:episode_bounds",
    gate="toy_track.gate:PLAN",
    agents="toy_track.agents",
    streams="toy_track.streams:STREAMS",
)
