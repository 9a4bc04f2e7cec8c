"""What is known of a row: the one place that asks the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edgebench.leaderboard.ledger import SELF_REPORTED, status_of

MEANINGS: Final = {
    "verified": "rerun here: every episode was equal",
    SELF_REPORTED: "figures recomputed from the submitted episodes, which were not played again",
    "mismatch": "rerun here: episodes differ",
    "unreproducible": "could not be rerun here",
}
"""Statuses of a row, the best first."""


def row_status(folder: Path) -> str:
    """The status of the entry in `folder`, a key of `MEANINGS`."""
    return status_of(folder).mark
