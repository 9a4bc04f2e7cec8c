"""What the entries of a Route observation are: names, units, bounds, meanings. Needs no compiler."""

from __future__ import annotations

from typing import Final

from edgebench.constants import MODEL_TYPES
from edgebench.sim.features import Feature

_LONG_S: Final = 600.0

CANDIDATE_FEATURES: Final = (
    Feature("propagation_s", 0.0, _LONG_S, "propagation and hops to the candidate's node of the input due last"),
    Feature("transmission_s", 0.0, _LONG_S, "the same input over its path's bottleneck bandwidth"),
    Feature("measured_extra_s", 0.0, _LONG_S, "extra delay remembered of that path's links: moving average, fading"),
    Feature("queue_s", 0.0, _LONG_S, "wait on arrival by the last published queue length"),
    Feature("loading_s", 0.0, _LONG_S, "time to load the model, 0 if it is resident"),
    Feature("service_s", 0.0, _LONG_S, "tokens × work / speed of the node"),
    Feature("quality", 0.0, 1.0, "quality of the model"),
    Feature("cost", 0.0, 10.0, "cost of the stage over the reference cost of a task"),
    Feature(
        "return_s", 0.0, _LONG_S, "way to the user of the largest answer (on a leaf its own), remembered extra too"
    ),
    Feature("onward_s", 0.0, _LONG_S, "quickest network and service of a typical child, longest of all, 0 of none"),
    Feature("speed", 0.0, 10.0, "speed of the node in tokens of unit work per ms"),
    Feature("stored", 0.0, 1.0, "share of the node's storage that resident models take"),
    Feature("down", 0.0, 1.0, "1 if the node was down when telemetry was last published"),
)
"""Rows of `candidates`, one column a candidate; columns beyond the last candidate are 0."""

TASK_FEATURES: Final = (
    Feature("quality_weight", 0.0, 1.0, "the user's weight of quality"),
    Feature("speed_weight", 0.0, 1.0, "the user's weight of speed"),
    Feature("deadline_s", 0.0, _LONG_S, "deadline of the task"),
    Feature("elapsed_s", 0.0, _LONG_S, "time since the task arrived"),
    Feature("stages_left", 0.0, 1.0, "stages yet to be decided, this one included, over 10"),
    Feature("stages", 0.0, 1.0, "stages of the workflow over 10"),
    *(Feature(f"is_{kind}", 0.0, 1.0, f"1 if this stage needs a {kind} model") for kind in MODEL_TYPES),
    *(Feature(f"next_{kind}", 0.0, 1.0, f"1 if a child of this stage needs a {kind} model") for kind in MODEL_TYPES),
    *(Feature(f"later_{kind}", 0.0, 1.0, f"other {kind} stages yet to be decided, over 10") for kind in MODEL_TYPES),
    Feature("tokens_k", 0.0, 10.0, "tokens of this stage, thousands"),
    Feature("payload_mb", 0.0, 100.0, "what this stage is sent in all"),
    Feature("quality_so_far", 0.0, 1.0, "sum of qualities so far over the stages of the workflow"),
    Feature("cost_so_far", 0.0, 10.0, "cost so far over the reference cost of a task"),
    Feature("in_flight", 0.0, 1.0, "tasks arrived and neither answered nor failed, over the tasks of an episode"),
)
"""Entries of `task`."""

LABELS: Final = (
    Feature("extra_now_s", 0.0, _LONG_S, "what the trap links of that path would add if the input left now"),
    Feature("return_extra_now_s", 0.0, _LONG_S, "what those of the way to the user would add to the answer now"),
    Feature("down_now", 0.0, 1.0, "1 if the node is down"),
)
"""Rows of `labels`, which an operator cannot know: in privileged observations alone."""

F: Final = len(CANDIDATE_FEATURES)
T: Final = len(TASK_FEATURES)
L: Final = len(LABELS)
CANDIDATE: Final = {feature.name: row for row, feature in enumerate(CANDIDATE_FEATURES)}
"""Row of `candidates` by name."""
TASK: Final = {feature.name: entry for entry, feature in enumerate(TASK_FEATURES)}
"""Entry of `task` by name."""
