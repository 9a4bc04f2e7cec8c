"""The figures of an episode that has ended."""

from __future__ import annotations

import numpy as np

from edgebench.tracks.offload.constants import LOSS_COST, REJECT_COST, RESPONSE_BIN_MS
from edgebench.tracks.offload.state import DROPPED, LATE, ON_TIME, OVERFLOW, REJECTED, Episode, Floats, Network, State

_NAMES = {"rejected": REJECTED, "late": LATE, "overflow": OVERFLOW, "dropped": DROPPED}


def episode_metrics(network: Network, episode: Episode, state: State) -> dict[str, float]:
    """Every metric of the track's record (`edgebench.tracks.offload.track`).

    Shares are of work: `value = on time - REJECT_COST x rejected - LOSS_COST x (late + overflow + dropped)`. The
    rewards of an episode sum to `SLOTS x value`. Where no request arrives all shares are 0.
    """
    asked = max(float(episode.total_work[0]), 1.0)
    shares = state.node["tally"].sum(axis=0) / asked
    lost = shares[LATE] + shares[OVERFLOW] + shares[DROPPED]
    used = state.node["busy"] / network.node["capacity"]
    totals = state.totals[0]
    return {
        "value": float(shares[ON_TIME] - REJECT_COST * shares[REJECTED] - LOSS_COST * lost),
        "success": float(shares[ON_TIME]),
        **{name: float(shares[outcome]) for name, outcome in _NAMES.items()},
        "response_p50_ms": response_ms(state.responses, 0.5),
        "response_p95_ms": response_ms(state.responses, 0.95),
        "forwarded": float(totals["forwarded"] / asked),
        "trap_hits": float(totals["over_traps"] / asked),
        "link_use": float(totals["carried"] / max(totals["could_carry"], 1)),
        "jain": jain(used),
    }


def response_ms(counted: Floats, share: float) -> float:
    """The time within which this share of the work done on time was done, to `RESPONSE_BIN_MS`; 0 of none."""
    if counted.sum() == 0.0:
        return 0.0
    return float(RESPONSE_BIN_MS * (1 + np.searchsorted(np.cumsum(counted), share * counted.sum())))


def jain(used: Floats) -> float:
    """Jain's index of how busy the nodes were (Jain, Chiu and Hawe, DEC-TR-301, 1984); 1 where none was."""
    squares = float(used.size * (used**2).sum())
    return float(used.sum() ** 2 / squares) if squares > 0.0 else 1.0
