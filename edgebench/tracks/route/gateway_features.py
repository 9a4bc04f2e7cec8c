"""What a gateway tells the others of its cluster: names, units, bounds, meanings. Needs no compiler."""

from __future__ import annotations

from typing import Final

from edgebench.sim.features import Feature

QUEUE, STORED, WAITING, DOWN, AGE, HEARD, OWN = range(7)
"""Columns of a row; a gateway sends those before `AGE`, the others are the receiver's."""
TOLD: Final = AGE

GATEWAY_FEATURES: Final = (
    Feature("queue_s", 0.0, 600.0, "wait at a node of the cluster by the last published queue lengths, mean"),
    Feature("stored", 0.0, 1.0, "share of a node's storage that resident models take, mean"),
    Feature("waiting", 0.0, 10.0, "decisions due at the gateway, over 10"),
    Feature("down", 0.0, 1.0, "share of the nodes that were down when telemetry was last published"),
    Feature("age_s", 0.0, 600.0, "time since the row left its gateway"),
    Feature("heard", 0.0, 1.0, "1 if the row has arrived, 0 if nothing has come from the gateway yet"),
    Feature("own", 0.0, 1.0, "1 in the row of the gateway that observes"),
)
"""Entries of a row of `cluster`, one row a gateway."""

C: Final = len(GATEWAY_FEATURES)
GATEWAY: Final = {feature.name: column for column, feature in enumerate(GATEWAY_FEATURES)}
"""Column of `cluster` by name."""
