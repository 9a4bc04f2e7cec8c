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
CONTEXT: Final = tuple(feature.name for feature in OFFER_FEATURES[:_OWN])
"""Features of the site, the queue and the first job; times and counts are logarithms."""
_LOGS: Final = np.array([name.endswith("_s") or "waiting" in name for name in CONTEXT])


def see(offers: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Rows, (n, D, `ROWS`), context, (n, `CONTEXT`), and which rows there are, (n, D), of n sites' observations."""
    rows = offers[:, _OWN:].reshape(len(offers), MAX_NEIGHBOURS, len(ROWS)).copy()
    there = rows[:, :, -1] > 0.0
    rows[:, :, -1] = np.log1p(10.0 * rows[:, :, -1])
    context = offers[:, :_OWN].copy()
    context[:, _LOGS] = np.log1p(context[:, _LOGS]) / 4.0
    return rows, np.minimum(context, 3.0), there
