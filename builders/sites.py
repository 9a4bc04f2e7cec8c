"""Cells -> sites: the masts behind the cells."""

from __future__ import annotations

from typing import Final

import polars as pl

from builders.geo import MICRO

GRID: Final = 1_000
"""Side of the grid cell in which stations share a mast, in micro-degrees (0.001 degrees, 111 m northwards)."""
UNKNOWN_AREA: Final = -1


def find_sites(cells: pl.DataFrame) -> pl.DataFrame:
    """Group cells into stations by the numbering of their radio, and stations within about 100 m into sites.

    A station is an eNodeB for LTE (cell >> 8), a base number for GSM (cell // 10) and UMTS (16-bit cell // 10)
    within an area, a base station for CDMA, and a grid cell for NR, whose numbering each operator chooses. It lies at
    the median of its cells: one cell's position is where phones were, hundreds of metres from the mast. Stations of
    all operators in one grid cell are one site, at the median of the stations. Nothing depends on the order of rows.

    Args:
        cells: Table of `builders.cells.read_cells`, filtered.

    Returns:
        site_id (0 ...), lat, lon (degrees, six decimals), cells, gsm, umts (with CDMA), lte, nr (Int32 counts),
        sorted by position.
    """
    stations = _stations(cells)
    counts = ("cells", "gsm", "umts", "lte", "nr")
    return (
        stations.group_by(pl.col("lat") // GRID, pl.col("lon") // GRID)
        .agg(_middle("lat").alias("y"), _middle("lon").alias("x"), pl.col(*counts).sum().cast(pl.Int32))
        .sort("y", "x")
        .select(
            pl.int_range(pl.len(), dtype=pl.Int32).alias("site_id"),
            (pl.col("y") / MICRO).alias("lat"),
            (pl.col("x") / MICRO).alias("lon"),
            *counts,
        )
    )


def _stations(cells: pl.DataFrame) -> pl.DataFrame:
    """One row a station: lat and lon in micro-degrees, and how many cells of which radio."""
    micro = [(pl.col(axis) * MICRO + 0.5).floor().cast(pl.Int64).alias(axis) for axis in ("lat", "lon")]
    radios = {"gsm": ("GSM",), "umts": ("UMTS", "CDMA"), "lte": ("LTE",), "nr": ("NR",)}
    numbered = cells.with_columns(micro).with_columns(_station_area(), _station_number())
    return numbered.group_by("radio", "mcc", "net", "station_area", "station").agg(
        _middle("lat"),
        _middle("lon"),
        pl.len().alias("cells"),
        *[pl.col("radio").is_in(names).sum().alias(column) for column, names in radios.items()],
    )


def _station_area() -> pl.Expr:
    """LTE and NR stations are numbered across areas; NR uses the field for its grid row."""
    known = pl.col("area").fill_null(UNKNOWN_AREA)
    return (
        pl.when(pl.col("radio") == "LTE")
        .then(UNKNOWN_AREA)
        .when(pl.col("radio") == "NR")
        .then(pl.col("lat") // GRID)
        .otherwise(known)
        .alias("station_area")
    )


def _station_number() -> pl.Expr:
    cell = pl.col("cell")
    return (
        pl.when(pl.col("radio") == "LTE")
        .then(cell // 256)
        .when(pl.col("radio") == "UMTS")
        .then((cell % 65536) // 10)
        .when(pl.col("radio") == "GSM")
        .then(cell // 10)
        .when(pl.col("radio") == "NR")
        .then(pl.col("lon") // GRID)
        .otherwise(cell)
        .alias("station")
    )


def _middle(axis: str) -> pl.Expr:
    """The median of whole micro-degrees; of two middle values the lower half, so that it stays whole."""
    return pl.col(axis).median().floor().cast(pl.Int64)
