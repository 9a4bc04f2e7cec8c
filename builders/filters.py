"""Cells -> the cells a region can be built from; every row dropped is counted with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import polars as pl

from builders.cells import LONG_NUMBER
from builders.ledger import Ledger
from builders.polygon import inside_ring
from edgebench.errors import EdgeBenchError
from edgebench.spec import RegionSpec

IDENTITY: Final = ("radio", "mcc", "net", "area", "cell")
"""What names a cell; one row each after `filter_cells`."""
LEAST_SHARE: Final = 0.005
"""Operators with a smaller share of a country's cells are private or garbled (ichnaea issue 489)."""
LEAST_ECI: Final = LONG_NUMBER
"""A smaller LTE cell number is a mislabelled 2G or 3G cell: an eNodeB number would be 0 to 255 (ichnaea issue 415)."""
LEAST_SAMPLES: Final = 2
"""A position seen once is off by 2.3 km in the median, 119 km in the worst tenth (OpenCellID against MLS)."""
RANGE_MAX_M: Final = 100_000
"""No cell reaches further; dumps of 2020 hold ranges up to 855 km (ichnaea issue 1443)."""
FIRST_NETWORK: Final = int(datetime(1991, 7, 1, tzinfo=UTC).timestamp())
"""The first GSM network opened in July 1991; rows of 1970 and 1980 come from clocks that were not set."""
NEWEST_SHARE: Final = 0.99
"""The cell that follows this share of a region's cells by date tells about when the file was made."""
AHEAD_S: Final = 366 * 86_400
"""Dates that are a year ahead of that cell's come from clocks that were wrong; EdgeBench's choice."""
PILE: Final = 100
"""More cells than this on one coordinate stand for a default position, not a mast (286 in one country)."""


def filter_cells(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger, where: str) -> pl.DataFrame:
    """Keep what belongs to the region and can be trusted, one row a cell.

    Args:
        cells: Table of `builders.cells.read_cells`, of the region's countries.
        spec: Operators, bounding box and polygon.
        ledger: Receives one entry a filter, with 0 rows where nothing was dropped.
        where: The file, for messages.

    Returns:
        The same columns, sorted by identity and position, so that the order of raw rows has no effect.

    Raises:
        EdgeBenchError: Cells of another place, latitude and longitude swapped, or nothing left.
    """
    spec = replace(spec, nets=spec.nets or common_nets(cells))
    kept = in_box(cells, spec, ledger, where)
    for keep in (in_polygon, of_operators, true_eci, measured_twice, possible_range, possible_dates, once, no_piles):
        kept = keep(kept, spec, ledger)
    if kept.is_empty():
        lost = "; ".join(f"{entry.filter} {entry.rows}" for entry in ledger.entries if entry.rows)
        raise EdgeBenchError(
            f"no cell of region {spec.name} is left after the filters; rows dropped: {lost}",
            where=where,
            mend=f"give a file with cells of operators {_listed(spec.nets)}",
        )
    return kept.sort(*IDENTITY, "lon", "lat")


def common_nets(cells: pl.DataFrame) -> tuple[int, ...]:
    """Network codes that hold at least `LEAST_SHARE` of the cells of their country, ascending."""
    shares = cells.group_by("mcc", "net").len().with_columns(pl.col("len") / pl.col("len").sum().over("mcc"))
    return tuple(shares.filter(pl.col("len") >= LEAST_SHARE)["net"].unique().sort())


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
            mend="a bbox is W,S,E,N; if the file is wrong, exchange its columns: lon comes before lat without a header",
        )
    if kept.is_empty():
        raise EdgeBenchError(
            f"none of {cells.height} cells lies in region {spec.name}: lon, lat {_listed(spec.bbox)}",
            where=where,
            mend="give cells of that place, or change the region's bbox",
        )
    return kept


def in_polygon(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger) -> pl.DataFrame:
    """Cells inside the region's polygon, where it has one."""
    inside = pl.lit(True)
    if spec.polygon is not None:
        ring = inside_ring(spec.polygon, cells["lon"].to_numpy(), cells["lat"].to_numpy())
        inside = pl.lit(pl.Series(ring, dtype=pl.Boolean))
    return _keep(cells, inside, "polygon", "outside the polygon", ledger)


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
    """Cells not known to reach further than a cell can, or less far than nowhere."""
    keep = pl.col("range").is_between(0, RANGE_MAX_M).fill_null(True)
    return _keep(cells, keep, "range", f"range below 0 or above {RANGE_MAX_M} m", ledger)


def possible_dates(cells: pl.DataFrame, spec: RegionSpec, ledger: Ledger) -> pl.DataFrame:
    """Cells not known to be older than mobile networks, updated before they were seen, or newer than the file."""
    made, updated = pl.col("created"), pl.col("updated")
    # The upper of two neighbours, so that in a table of up to a hundred cells none is too new.
    newest = updated.quantile(NEWEST_SHARE, "higher") + AHEAD_S
    right = [made >= FIRST_NETWORK, updated >= FIRST_NETWORK, made <= updated, updated <= newest]
    keep = pl.all_horizontal([known.fill_null(True) for known in right])
    reason = "created or updated before July 1991, updated before created, or a year after all but 1 % of the cells"
    return _keep(cells, keep, "dates", reason, ledger)


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
