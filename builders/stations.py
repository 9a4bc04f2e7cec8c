"""Cells -> stations: the base stations of one operator and radio, each at the median of its cells."""

from __future__ import annotations

from typing import Final

import polars as pl

from builders.gather import gather
from builders.geo import MICRO

STATION_REACH_M: Final = 100
"""Cells without a telling number that stand no further apart than this around one of them are one station.

Base stations of all operators stand 100 m apart in the middle of cities (opencellid.md, section 6); with four
operators those of one are 200 m apart, so half of that parts them.
"""
COUNTS: Final = ("cells", "gsm", "umts", "lte", "nr")
_RADIOS: Final = {"gsm": ("GSM",), "umts": ("UMTS", "CDMA"), "lte": ("LTE",), "nr": ("NR",)}
_BY_AREA: Final = ("GSM", "UMTS", "CDMA")
_STATION: Final = ("radio", "mcc", "net", "station_area", "station")
_PLACE: Final = ("radio", "mcc", "net", "lat", "lon")


def find_stations(cells: pl.DataFrame) -> pl.DataFrame:
    """Group cells into stations, by the numbering of their radio where it tells and by place where it does not.

    A station is an eNodeB for LTE (cell >> 8); a base number for GSM (cell // 10) and UMTS (16-bit cell // 10), and
    one cell for CDMA, within an area. NR numbers are cut as each operator likes, cells of unknown radio have none
    that could be read, and those of GSM, UMTS and CDMA recur in every area: cells of NR, of unknown radio and of
    unknown area are gathered around each other, within `STATION_REACH_M`.

    Args:
        cells: Table of `builders.cells.read_cells`, filtered.

    Returns:
        radio, mcc, net, lat, lon (whole micro-degrees, the median of the cells), cells, gsm, umts (with CDMA), lte,
        nr (how many cells); sorted by all of them.
    """
    micro = [(pl.col(axis) * MICRO + 0.5).floor().cast(pl.Int64).alias(axis) for axis in ("lat", "lon")]
    placed = cells.with_columns(micro)
    by_number = (pl.col("radio") == "LTE") | (pl.col("radio").is_in(_BY_AREA) & pl.col("area").is_not_null())
    numbered, silent = placed.filter(by_number), placed.filter(~by_number)
    number = [_station_area().alias("station_area"), _station_number().alias("station")]
    around = silent.join(_around(silent), on=_PLACE, how="left")
    return (
        pl.concat([_join(numbered.with_columns(number)), _join(around)]).drop("station_area", "station").sort(pl.all())
    )


def _station_area() -> pl.Expr:
    """LTE stations are numbered across areas."""
    return pl.when(pl.col("radio") == "LTE").then(-1).otherwise(pl.col("area"))


def _station_number() -> pl.Expr:
    cell = pl.col("cell")
    return (
        pl.when(pl.col("radio") == "LTE")
        .then(cell // 256)
        .when(pl.col("radio") == "UMTS")
        .then((cell % 65536) // 10)
        .when(pl.col("radio") == "GSM")
        .then(cell // 10)
        .otherwise(cell)
    )


def _around(cells: pl.DataFrame) -> pl.DataFrame:
    """For each place of an operator's cells of one radio the place they are gathered around: station_area, station."""
    places = cells.group_by(_PLACE).len().sort("len", *_PLACE, descending=[True, *[False] * len(_PLACE)])
    owner = places.select(pl.concat_str("radio", "mcc", "net", separator=" ").rank("dense").cast(pl.Int64))
    lat, lon = places["lat"].to_numpy(), places["lon"].to_numpy()
    centre = gather(lat, lon, STATION_REACH_M, apart=owner.to_series().to_numpy())
    return places.select(_PLACE).with_columns(
        pl.Series("station_area", lat[centre], pl.Int64), pl.Series("station", lon[centre], pl.Int64)
    )


def _join(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.group_by(_STATION).agg(
        middle("lat"),
        middle("lon"),
        pl.len().alias("cells"),
        *[pl.col("radio").is_in(names).sum().alias(column) for column, names in _RADIOS.items()],
    )


def middle(axis: str) -> pl.Expr:
    """The median of whole micro-degrees; of two middle values the lower half, so that it stays whole."""
    return pl.col(axis).median().floor().cast(pl.Int64)
