"""What the entries of a Place observation are: names, units, bounds, meanings. Needs no compiler."""

from __future__ import annotations

from typing import Final

from edgebench.sim.features import Feature

_LONG_S: Final = 600.0

EXPERT_FEATURES: Final = (
    Feature("layer", 0.0, 1.0, "the expert's layer over the last one"),
    Feature("load", 0.0, 64.0, "rows of the last batch that picked it over the mean of its layer"),
    Feature("mean_load", 0.0, 64.0, "moving average of the same, the history before the episode first"),
    Feature("copies", 0.0, 8.0, "devices that hold it"),
    Feature("size_gb", 0.0, 100.0, "memory of a copy"),
)
"""Columns of `experts`, one row an expert: expert e of layer l in row l x E + e."""

DEVICE_FEATURES: Final = (
    Feature("row_ms", 0.0, 1000.0, "time of a row in one expert"),
    Feature("memory_gb", 0.0, 1000.0, "memory for experts"),
    Feature("free_gb", 0.0, 1000.0, "memory of the further copies that fit"),
    Feature("held", 0.0, 4096.0, "experts it holds"),
    Feature("busy_s", 0.0, _LONG_S, "compute of the last batch"),
    Feature("entry_s", 0.0, _LONG_S, "way from the users to it: path and extra remembered, mean by usual demand"),
    Feature("entry_row_ms", 0.0, 10_000.0, "transmission of a row on that way"),
    Feature("exit_s", 0.0, _LONG_S, "way from it to the users, as `entry_s`"),
    Feature("down", 0.0, 1.0, "1 if it was down when telemetry was last published"),
)
"""Columns of `devices`, one row a device."""

LINK_FEATURES: Final = (
    Feature("path_s", 0.0, _LONG_S, "propagation and hops on the quickest path"),
    Feature("row_ms", 0.0, 10_000.0, "transmission of a row over its bottleneck"),
    Feature("measured_extra_s", 0.0, _LONG_S, "extra remembered of its links: moving average, fading"),
)
"""Last axis of `links`, from device (first axis) to device."""

PROGRESS_FEATURES: Final = (
    Feature("edits_left", 0.0, 1.0, "edits left before the first batch over all of them"),
    Feature("batches_left", 0.0, 1.0, "batches left over all of them"),
)
"""Entries of `progress`."""

LABEL_FEATURES: Final = (
    Feature("extra_now_s", 0.0, _LONG_S, "what trap links on the way between two devices add to the next batch"),
    Feature("down_now", 0.0, 1.0, "1 if the second device is down in the next batch"),
)
"""Last axis of `labels`, from device (first axis) to device."""
