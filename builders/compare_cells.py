"""What changed between two dumps: cells gone, new and moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import polars as pl

from builders.cells import read_cells
from builders.filters import IDENTITY
from builders.geo import haversine_km
from builders.ledger import Ledger

MOVED_M: Final = 1.0
"""Positions are estimates that new measurements shift; a shorter way is rounding."""
_QUANTILES: Final = (0.5, 0.9, 0.99, 1.0)


def compare_cells(first: Path, second: Path) -> dict[str, Any]:
    """Compare two files of cells by identity (radio, mcc, net, area, cell), the first row of one counting.

    Returns:
        `files`: name and cells of each; `changes`: by radio and in all, cells in both, gone, new, and moved more than
        `MOVED_M` metres; `moved_m`: quantiles of how far those moved (null where none did).

    Raises:
        EdgeBenchError: A file cannot be read (`builders.cells.read_cells`).
    """
    tables = [_identified(path) for path in (first, second)]
    joined = tables[0].join(tables[1], on=IDENTITY, how="full", coalesce=True, suffix="_now", nulls_equal=True)
    ways = _metres(joined)
    marked = joined.select(
        "radio",
        gone=pl.col("lat_now").is_null(),
        new=pl.col("lat").is_null(),
        moved=pl.lit(ways) > MOVED_M,
    )
    changes = [_changes("all", marked), *(_changes(str(radio[0]), part) for radio, part in _by_radio(marked))]
    moved = ways.filter(ways > MOVED_M)
    return {
        "files": [_described(path, table) for path, table in zip((first, second), tables, strict=True)],
        "changes": changes,
        "moved_m": {f"q{quantile:g}": moved.quantile(quantile) for quantile in _QUANTILES},
    }


def _described(path: Path, cells: pl.DataFrame) -> dict[str, Any]:
    return {"file": path.name, "cells": cells.height}


def _identified(path: Path) -> pl.DataFrame:
    cells = read_cells(path, Ledger()).select(*IDENTITY, "lat", "lon")
    return cells.unique(IDENTITY, keep="first", maintain_order=True)


def _metres(joined: pl.DataFrame) -> pl.Series:
    """How far each cell is from where it was; null where it is in one file only."""
    columns = (joined[name].to_numpy() for name in ("lat", "lon", "lat_now", "lon_now"))
    return pl.Series(1000.0 * haversine_km(*columns), nan_to_null=True)


def _by_radio(marked: pl.DataFrame) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
    return list(marked.sort("radio").group_by("radio", maintain_order=True))


def _changes(radio: str, marked: pl.DataFrame) -> dict[str, Any]:
    gone, new, moved = (int(marked[name].sum()) for name in ("gone", "new", "moved"))
    return {"radio": radio, "both": marked.height - gone - new, "gone": gone, "new": new, "moved": moved}
