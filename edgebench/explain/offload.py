"""Where the value of Offload's requests is lost.

Work done on time brings 1, rejected work costs REJECT_COST and lost work LOSS_COST, as shares of all work. The shares
sum to 1, so that `1 - value` is `(1 + REJECT_COST) rejected + (1 + LOSS_COST) (late + overflow + dropped)`.
"""

from __future__ import annotations

from typing import Final

from edgebench.explain.losses import Losses
from edgebench.tracks.offload.constants import LOSS_COST, REJECT_COST
from edgebench.tracks.offload.simulation import Simulation

_WEIGHTS: Final = {
    "rejected": 1.0 + REJECT_COST,
    "late": 1.0 + LOSS_COST,
    "overflow": 1.0 + LOSS_COST,
    "dropped": 1.0 + LOSS_COST,
}


def losses_of(simulation: Simulation) -> dict[str, float]:
    """The parts of an ended episode; they sum to 1 - value where any request arrived."""
    shares = simulation.metrics()
    return {name: weight * shares[name] for name, weight in _WEIGHTS.items()}


LOSSES: Final = Losses(
    what="1 - value",
    of_metric=lambda value: 1.0 - value,
    parts={
        "rejected": "work rejected at once",
        "late": "work taken on and not done by its deadline",
        "overflow": "work lost for want of memory",
        "dropped": "work lost with nodes that failed",
    },
    of_episode=losses_of,
)
