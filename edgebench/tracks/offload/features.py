"""What the entries of an Offload observation are: names, units, bounds, meanings. Needs no compiler."""

from __future__ import annotations

from typing import Final

from edgebench.sim.features import Feature
from edgebench.tracks.offload.constants import CLASSES

_SLOTS: Final = 100.0
_MOST: Final = 1000.0

NODE_FEATURES: Final = (
    *(Feature(f"arrivals_{kind}", 0.0, _MOST, f"{kind} requests to be split now, tens") for kind in CLASSES),
    Feature("load", 0.0, _SLOTS, "work of those over what the node does in a slot"),
    Feature("last_load", 0.0, _SLOTS, "the same a slot ago"),
    Feature("queue", 0.0, _SLOTS, "work that waits at the node, in slots of its own"),
    Feature("incoming", 0.0, _SLOTS, "work that neighbours brought in the last slot, in slots of the node"),
    Feature("memory_free", 0.0, 1.0, "share of the node's memory that is free"),
    Feature("capacity", 0.0, 10.0, "CPU shares the node has in a slot, thousands"),
    Feature("memory", 0.0, 10.0, "its memory, tens of GB"),
    Feature("worth", -1.0, 1.0, "worth settled in the last slot of the node's own users over the work that ended"),
    Feature("elapsed", 0.0, 1.0, "share of the episode that is over"),
    Feature("east", 0.0, 1.0, "place between the region's west and its east"),
)
"""Columns of `nodes`: what a node knows of itself, as it is."""

NEIGHBOUR_FEATURES: Final = (
    Feature("latency_ms", 0.0, 1000.0, "propagation and forwarding"),
    Feature("bandwidth", 0.0, 10.0, "work whose bytes the link carried or could have carried last slot, thousands"),
    Feature("backlog", 0.0, _SLOTS, "work that waits on the link, in slots of that bandwidth"),
    Feature("measured_extra_s", 0.0, 10.0, "what the link was measured to add to the way: moving average, fading"),
    Feature("sent", 0.0, _MOST, "requests given to the link in the last slot, tens"),
    Feature("lost", 0.0, _MOST, "requests sent over it that were found lost in the last slot, tens"),
    Feature("capacity", 0.0, 10.0, "CPU shares the neighbour has in a slot, thousands"),
    Feature("queue", 0.0, _SLOTS, "work that waits there, in slots of its own, as last published"),
    Feature("load", 0.0, _SLOTS, "work its own users asked for in that slot, in slots of its own"),
    Feature("memory_free", 0.0, 1.0, "share of its memory that was free then"),
    Feature("down", 0.0, 1.0, "1 if it was down then"),
)
"""Columns of a row of `neighbours`, one row a neighbour; rows beyond the last are 0."""

LABELS: Final = (
    Feature("bad", 0.0, 1.0, "1 if the link is a trap in its bad state now"),
    Feature("extra_now_s", 0.0, 100.0, "what the link adds to the way of what leaves now"),
    Feature("down_now", 0.0, 1.0, "1 if the neighbour is down now"),
)
"""Columns of a row of `labels`, one row a neighbour, which no operator can know: in privileged observations alone."""

F: Final = len(NODE_FEATURES)
G: Final = len(NEIGHBOUR_FEATURES)
L: Final = len(LABELS)
NODE: Final = {feature.name: column for column, feature in enumerate(NODE_FEATURES)}
"""Column of `nodes` by name."""
NEIGHBOUR: Final = {feature.name: column for column, feature in enumerate(NEIGHBOUR_FEATURES)}
"""Column of `neighbours` by name."""
