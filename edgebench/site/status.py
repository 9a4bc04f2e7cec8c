"""What the marks of rows mean."""

from __future__ import annotations

from typing import Final

from edgebench.leaderboard.ledger import MISMATCH, SELF_REPORTED, UNREPRODUCIBLE, VERIFIED

MEANINGS: Final = {
    VERIFIED: "rerun here: every episode was equal",
    SELF_REPORTED: "figures recomputed from the submitted episodes, which were not played again",
    MISMATCH: "rerun here: episodes differ",
    UNREPRODUCIBLE: "could not be rerun here",
}
"""Statuses of a row, the best first."""
