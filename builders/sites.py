"""Stations -> sites: the masts, whoever stands on them."""

from __future__ import annotations

from typing import Final

import polars as pl

from builders.gather import gather
from builders.geo import MICRO
from builders.stations import COUNTS, find_stations, middle

MAST_REACH_M: Final = 75
"""Stations no further from a site's first one share its mast; those of one mast are 50-100 m apart in the data."""


def find_sites(cells: pl.DataFrame) -> pl.DataFrame:
    """Group cells into stations and stations of all radios and operators that share a mast into sites.

    A site is gathered around the station with most cells, within `MAST_REACH_M`, and lies at the median of its
    stations. Nothing depends on the order of rows, nor on where a grid line runs.

    Args:
        cells: Table of `builders.cells.read_cells`, filtered.

    Returns:
        site_id (0 ...), lat, lon (degrees, six decimals), cells, gsm, umts (with CDMA), lte, nr, operators (Int32
        counts; cells of unknown radio are in `cells` alone), sorted by position.
    """
    return merge_stations(find_stations(cells))


def merge_stations(stations: pl.DataFrame) -> pl.DataFrame:
    """The sites of `builders.stations.find_stations`' table; columns as of `find_sites`."""
    places = stations.group_by("lat", "lon").agg(pl.col("cells").sum())
    places = places.sort("cells", "lat", "lon", descending=[True, False, False])
    mast = gather(places["lat"].to_numpy(), places["lon"].to_numpy(), MAST_REACH_M)
    masts = stations.join(places.select("lat", "lon", pl.Series("mast", mast)), on=["lat", "lon"], how="left")
    operators = pl.struct("mcc", "net").n_unique().alias("operators")
    return (
        masts.group_by("mast")
        .agg(middle("lat").alias("y"), middle("lon").alias("x"), pl.col(*COUNTS).sum(), operators)
        .sort("y", "x", *COUNTS, "operators")
        .select(
            pl.int_range(pl.len(), dtype=pl.Int32).alias("site_id"),
            (pl.col("y") / MICRO).alias("lat"),
            (pl.col("x") / MICRO).alias("lon"),
            pl.col(*COUNTS, "operators").cast(pl.Int32),
        )
    )
