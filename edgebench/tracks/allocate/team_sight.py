"""How learning sees a site's offer: the site, the queue and the first job as context, its neighbours as rows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.conditions import MAX_NEIGHBOURS
from edgebench.tracks.allocate.constants import RESOURCES
from edgebench.tracks.allocate.offer_features import OFFER_FEATURES

Floats = NDArray[np.float32]
ROWS: Final = (*(f"used_{name}" for name in RESOURCES), "latency_s")
"""Features of a neighbour, as it last published; the latency is a logarithm."""
_OWN: Final = len(OFFER_FEATURES) - MAX_NEIGHBOURS * len(ROWS)
FITTING: Final = tuple(f"fitting_{name}" for name in RESOURCES)
"""Of each resource the share to offer of what is free so that the first job fits with little to spare, and with the
more to spare the longer its way is: the broker, who gives it to the tightest offer, does not look at ways."""
_TOLD: Final = tuple(feature.name for feature in OFFER_FEATURES[:_OWN])
CONTEXT: Final = (*_TOLD, *FITTING)
"""Features of the site, the queue and the first job; times and counts are logarithms."""
_LOGS: Final = np.array([name.endswith("_s") or "waiting" in name for name in _TOLD])
_USED, _COMING, _NEED = (
    [_TOLD.index(f"{what}_{name}") for name in RESOURCES] for what in ("used", "coming", "head_need")
)
_PRIORITY: Final = [_TOLD.index("head_priority")]
_WAY: Final = [_TOLD.index(f"head_{part}_s") for part in ("latency", "transmission", "extra")]
_SPARE: Final = 0.05
"""So that the job still fits where a policy adds a little of its own."""
_LEAST: Final = 1e-6


def see(offers: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Rows, (n, D, `ROWS`), context, (n, `CONTEXT`), and which rows there are, (n, D), of n sites' observations."""
    rows = offers[:, _OWN:].reshape(len(offers), MAX_NEIGHBOURS, len(ROWS)).copy()
    there = rows[:, :, -1] > 0.0
    rows[:, :, -1] = np.log1p(10.0 * rows[:, :, -1])
    told = offers[:, :_OWN].copy()
    told[:, _LOGS] = np.log1p(told[:, _LOGS]) / 4.0
    return rows, np.concatenate([np.minimum(told, 3.0), _fitting(told)], 1), there


def _fitting(told: Floats) -> Floats:
    """(n, `FITTING`); all that is free where no job waits."""
    free = np.maximum(1.0 - told[:, _USED] - told[:, _COMING], _LEAST)
    shares = told[:, _NEED] / free + _SPARE + told[:, _WAY].sum(1, keepdims=True)
    waits = told[:, _PRIORITY] > 0.0
    return np.where(waits, np.minimum(shares, 1.0), 1.0).astype(np.float32)
