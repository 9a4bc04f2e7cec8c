"""The gate's plan of the Offload track: who plays, and who fails on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.harness.gate import GatePlan
from edgebench.tracks.offload.state import LOCAL, REJECT

_Shares = NDArray[np.float32]
_Spoil = Callable[[Mapping[str, Any], _Shares], _Shares]


def _reject_everything(observation: Mapping[str, Any], shares: _Shares) -> _Shares:
    return _all_to(shares, REJECT)


def _reject_a_tenth(observation: Mapping[str, Any], shares: _Shares) -> _Shares:
    return np.asarray(0.9 * shares + 0.1 * _all_to(shares, REJECT), np.float32)


def _never_reject(observation: Mapping[str, Any], shares: _Shares) -> _Shares:
    shares = shares.copy()
    shares[:, LOCAL] += shares[:, REJECT]
    shares[:, REJECT] = 0.0
    return shares


def _send_everything_away(observation: Mapping[str, Any], shares: _Shares) -> _Shares:
    return _all_to(shares, 1)


def _all_to(shares: _Shares, column: int) -> _Shares:
    everything = np.zeros_like(shares)
    everything[:, column] = 1.0
    return everything


PLAN: Final = GatePlan(
    trivial=("all-local",),
    heuristics=("keep-then-forward", "nearest-slack", "proportional", "lp-yesterday"),
    failing={
        "by rejecting everything": _reject_everything,
        "by rejecting a tenth of everything": _reject_a_tenth,
        "by keeping what should be rejected": _never_reject,
        "by sending everything to the nearest": _send_everything_away,
    },
)
