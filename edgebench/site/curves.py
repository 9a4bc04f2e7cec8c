"""Learning curves: `curve.csv`, which training writes beside its checkpoint."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.harness.agents import CHECKPOINT_FILES, checkpoint_sha256
from edgebench.paths import home
from edgebench.site.plots import Chart, chart
from edgebench.site.world import RUNS, Row

CURVE: Final = "curve.csv"
_COLUMNS: Final = (("train", "training episodes"), ("val", "validation split"))


def trained_here() -> dict[str, Path]:
    """Curves below `runs/` by the digest of the checkpoint that lies beside each."""
    found = sorted((home() / RUNS).rglob(CURVE))
    return {
        checkpoint_sha256(path.parent): path
        for path in found
        if all((path.parent / name).is_file() for name in CHECKPOINT_FILES)
    }


def curve_of(row: Row, trained: dict[str, Path]) -> Chart | None:
    """The learning curve of a checkpoint: of its own folder, or of the training here that made it; else None."""
    if row.entry.agent["kind"] != "checkpoint":
        return None
    own = row.folder / CURVE
    path = own if own.is_file() else trained.get(row.entry.agent["sha256"])
    return None if path is None else read_curve(path)


def read_curve(path: Path) -> Chart | None:
    """The chart of a curve; None where the file holds none that can be drawn."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    series = []
    for column, name in _COLUMNS:
        points = [(_number(row, "decisions"), _number(row, column)) for row in rows]
        known = np.array([point for point in points if all(map(math.isfinite, point))], np.float64).reshape(-1, 2)
        if len(known) > 1:
            series.append((name, _column(known, 0), _column(known, 1)))
    return chart(series, "decisions learned from", "mean primary metric") if series else None


def _number(row: dict[str, str], name: str) -> float:
    try:
        return float(row.get(name) or "nan")
    except (ValueError, TypeError):
        return math.nan


def _column(points: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    return np.asarray(points[:, number], np.float64)
