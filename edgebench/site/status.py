"""What is known of a row: the one place that asks the ledger."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Final

SELF_REPORTED: Final = "self-reported"
MEANINGS: Final = {
    "verified": "rerun here: every episode was equal",
    SELF_REPORTED: "figures recomputed from the submitted episodes, which were not played again",
    "mismatch": "rerun here: episodes differ",
    "unreproducible": "could not be rerun here",
}
"""Statuses of a row, the best first."""
_LEDGER: Final = "edgebench.leaderboard.ledger"


def row_status(folder: Path) -> str:
    """The status of the entry in `folder`, a key of `MEANINGS`; self-reported where no ledger is kept."""
    if importlib.util.find_spec(_LEDGER) is None:
        return SELF_REPORTED
    return str(importlib.import_module(_LEDGER).status_of(folder).mark)
