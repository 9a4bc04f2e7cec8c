"""Cells -> the cells a region can be built from; every row dropped is counted with its reason."""

from __future__ import annotations

from typing import Final

import polars as pl

from builders.ledger import Ledger
from edgebench.errors import EdgeBenchError
from edgebench.spec import RegionSpec

IDENTITY: Final = ("radio", "mcc", "net", "area", "cell")
"""What names a cell; one row each after `filter_cells`."""
LEAST_ECI: Final = 65536
"""A smaller LTE cell number is a mislabelled 2G or 3G cell: an eNodeB number would be 0 to 255 (ichnaea issue 415)."""
LEAST_SAMPLES: Final = 2
"""A position seen once is off by 2.3 km in the median, 119 km in the worst tenth (OpenCellID against MLS)."""
PILE: Final = 100
"""More cells than this on one coordinate stand for a default position, not a mast (286 in one country)."""
RANGE_MAX_M: Final = 100_000
"""No cell reaches further; earlier dumps hold ranges up to 855 km."""


def filter_cells(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger, where: str) -> pl.DataFrame:
    """Keep what belongs to the region and can be trusted, one row a cell.

    Args:
        cells: Table of `builders.cells.read_cells`.
        spec: Country codes, operators and bounding box.
        ledger: Receives one entry a filter, with 0 rows where nothing was dropped.
        where: The file, for messages.

    Returns:
        The same columns, sorted by identity and position, so that the order of raw rows has no effect.

    Raises:
        EdgeBenchError: Cells of another country or place, latitude and longitude swapped, or nothing left.
    """
    country = in_country(cells, spec, ledger, where)
    kept = in_box(country, spec, ledger, where)
    for keep in (of_operators, true_eci, measured_twice, possible_range, once, no_piles):
        kept = keep(kept, spec, ledger)
    if kept.is_empty():
        lost = "; ".join(f"{entry.filter} {entry.rows}" for entry in ledger.entries if entry.rows)
        raise EdgeBenchError(
            f"no cell of region {spec.name} is left after the filters; rows dropped: {lost}",
            where=where,
            mend=f"give a file with cells of operators {_listed(spec.nets)}",
        )
    return kept.sort(*IDENTITY, "lon", "lat")


def in_country(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger, where: str) -> pl.DataFrame:
    """Cells of the region's mobile country codes."""
    kept = _keep(cells, pl.col("mcc").is_in(spec.mcc), "country", f"mcc is none of {_listed(spec.mcc)}", ledger)
    if kept.is_empty():
        found = cells["mcc"].value_counts(sort=True)["mcc"].head(10).to_list()
        raise EdgeBenchError(
            f"cells of another country: {spec.name} wants mcc {_listed(spec.mcc)}, the file has {_listed(found)}",
            where=where,
            mend="give the file of the region's country, or choose the region of the file's country",
        )
    return kept


def in_box(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger, where: str) -> pl.DataFrame:
    """Cells inside the region's bounding box."""
    kept = _keep(cells, _inside("lon", "lat", spec), "box", f"outside lon, lat {_listed(spec.bbox)}", ledger)
    if kept.height * 2 >= cells.height:
        return kept
    swapped = cells.filter(_inside("lat", "lon", spec)).height
    if swapped > kept.height:
        raise EdgeBenchError(
            f"lat and lon look swapped: {kept.height} of {cells.height} cells lie in region {spec.name}, "
            f"{swapped} would with lat and lon exchanged",
            where=where,
            mend="exchange the two columns; lon comes before lat where there is no header",
        )
    if kept.is_empty():
        raise EdgeBenchError(
            f"none of {cells.height} cells lies in region {spec.name}: lon, lat {_listed(spec.bbox)}",
            where=where,
            mend="give cells of that place, or change the region's bbox",
        )
    return kept


def of_operators(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger) -> pl.DataFrame:
    """Cells of the region's operators; other network codes are private or garbled."""
    return _keep(cells, pl.col("net").is_in(spec.nets), "operator", f"net is none of {_listed(spec.nets)}", ledger)


def true_eci(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger) -> pl.DataFrame:
    """LTE cells whose number can be an E-UTRAN cell identity."""
    keep = (pl.col("radio") != "LTE") | (pl.col("cell") >= LEAST_ECI)
    return _keep(cells, keep, "eci", f"LTE cell number below {LEAST_ECI}", ledger)


def measured_twice(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger) -> pl.DataFrame:
    """Cells not known to rest on a single measurement."""
    keep = (pl.col("samples") >= LEAST_SAMPLES).fill_null(True)
    return _keep(cells, keep, "samples", f"fewer than {LEAST_SAMPLES} samples", ledger)


def possible_range(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger) -> pl.DataFrame:
    """Cells not known to reach further than a cell can."""
    keep = (pl.col("range") <= RANGE_MAX_M).fill_null(True)
    return _keep(cells, keep, "range", f"range above {RANGE_MAX_M} m", ledger)


def once(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger) -> pl.DataFrame:
    """One row a cell: the one updated last, then the one with most samples, then the first by position."""
    ordered = cells.sort(
        *("updated", "samples", "lon", "lat"),
        descending=[True, True, False, False],
        nulls_last=True,
        maintain_order=False,
    )
    kept = ordered.unique(IDENTITY, keep="first", maintain_order=True)
    ledger.record("duplicate", "the same cell in a newer or better row", cells.height - kept.height, kept.height)
    return kept


def no_piles(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger) -> pl.DataFrame:
    """Cells not heaped on a default position."""
    keep = pl.len().over("lon", "lat") <= PILE
    return _keep(cells, keep, "pile", f"more than {PILE} cells on one coordinate", ledger)


def _inside(lon: str, lat: str, spec: RegionSpec) -> pl.Expr:
    west, south, east, north = spec.bbox
    return pl.col(lon).is_between(west, east) & pl.col(lat).is_between(south, north)


def _keep(cells: pl.DataFrame, keep: pl.Expr, name: str, reason: str, ledger: Ledger) -> pl.DataFrame:
    kept = cells.filter(keep)
    ledger.record(name, reason, cells.height - kept.height, kept.height)
    return kept


def _listed(values: tuple[float, ...] | list[int]) -> str:
    return ", ".join(str(value) for value in values)
