"""Learning curves: `curve.csv`, which training writes beside its checkpoint, as a chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.foreign import json_object
from edgebench.harness.agents import CHECKPOINT_FILES, CURVE, checkpoint_sha256
from edgebench.leaderboard.curve import SEED, read_curve
from edgebench.paths import home
from edgebench.site.plots import COLOURS, Chart, chart
from edgebench.site.world import RUNS, Row

_COLUMNS: Final = (("train", "training episodes"), ("val", "validation split"))
Line = tuple[str, NDArray[np.float64], NDArray[np.float64]]
"""A name, decisions and metric, both (points,)."""


def trained_here() -> dict[str, Path]:
    """Folders below `runs/` that hold a curve, by the digest of the checkpoint beside it."""
    found = sorted(path.parent for path in (home() / RUNS).rglob(CURVE))
    return {
        checkpoint_sha256(folder): folder
        for folder in found
        if all((folder / name).is_file() for name in CHECKPOINT_FILES)
    }


def curve_of(row: Row, trained: dict[str, Path]) -> Chart | None:
    """The learning curve of a checkpoint: of its own folder, or of the training here that made it; else None."""
    if row.entry.agent["kind"] != "checkpoint":
        return None
    folder = row.folder if (row.folder / CURVE).is_file() else trained.get(row.entry.agent["sha256"])
    return None if folder is None else draw_curve(folder)


def draw_curve(folder: Path) -> Chart | None:
    """The chart of the curve in a folder; None where it holds none that can be drawn.

    Of several training seeds each has a line, and the one whose weights lie beside them says so.
    """
    rows = read_curve(folder, []) or []
    if any(SEED in row for row in rows):
        lines = list(_seed_lines(rows, _entered_seed(folder)))
    else:
        lines = [_line(name, rows, column) for column, name in _COLUMNS]
    drawn = [line for line in lines if len(line[1]) > 1]
    return chart(drawn, "decisions learned from", "mean primary metric") if drawn else None


def _seed_lines(rows: Sequence[dict[str, float]], entered: int | None) -> Iterator[Line]:
    """On `val`; the first seeds, where there are more than colours."""
    for seed in sorted({row[SEED] for row in rows})[:COLOURS]:
        name = f"seed {seed:g}, entered" if seed == entered else f"seed {seed:g}"
        yield _line(name, [row for row in rows if row[SEED] == seed], "val")


def _entered_seed(folder: Path) -> int | None:
    """The training seed of the checkpoint in a folder, None where its record tells none."""
    try:
        return int(json_object((folder / CHECKPOINT_FILES[0]).read_text(encoding="utf-8"))["job"]["seed"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _line(name: str, rows: Sequence[dict[str, float]], column: str) -> Line:
    points = np.array([(row["decisions"], row.get(column, np.nan)) for row in rows], np.float64).reshape(-1, 2)
    known = points[np.isfinite(points).all(axis=1)]
    return name, known[:, 0], known[:, 1]
