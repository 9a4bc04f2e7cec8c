"""Text -> cells: OpenCellID and Mozilla Location Service tables and their relatives, block by block."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from builders.ledger import Ledger
from builders.raw_text import DOWNLOAD_AGAIN, preview, text_blocks
from edgebench.errors import EdgeBenchError

RADIOS: Final = ("GSM", "UMTS", "LTE", "NR", "CDMA")
UNKNOWN_RADIO: Final = "UNKNOWN"
"""Radio of a cell of a table without that column, where the cell number does not tell it."""
LONG_NUMBER: Final = 65536
"""Cell numbers of GSM have 16 bits; those from here on are of UMTS, LTE or NR."""
OPENCELLID_COLUMNS: Final = (
    *("radio", "mcc", "net", "area", "cell", "unit", "lon", "lat", "range", "samples"),
    *("changeable", "created", "updated", "averageSignal"),
)
"""The order of a per-MCC file, which is served without a header (measured on five countries)."""
SYNONYMS: Final = {
    "mnc": "net",
    "lac": "area",
    "cid": "cell",
    "cellid": "cell",
    "longitude": "lon",
    "latitude": "lat",
    "accuracy": "range",
}
"""Names the Mozilla Location Service of 2014, the OpenCellID API and lacells use."""
REQUIRED: Final = ("mcc", "net", "cell", "lon", "lat")
WHOLE: Final = ("mcc", "net", "area", "cell", "range", "samples", "created", "updated")
SCHEMA: Final = {
    name: pl.String() if name == "radio" else pl.Int64() if name in WHOLE else pl.Float64()
    for name in ("radio", "mcc", "net", "area", "cell", "lon", "lat", "range", "samples", "created", "updated")
}
"""Columns and types of the table `read_cells` returns."""
NOT_KNOWN: Final = -1
"""What some tables write in a whole column in place of nothing."""
EXACT: Final = 2**53
"""Whole numbers below are exact as floats; the longest identity, of NR, has 36 bits."""

_ROW: Final = "row"
_EXCESS: Final = "excess"
_INCOMPLETE: Final = "no radio, mcc, net, cell, longitude or latitude"
_GLOBE: Final = "coordinates beyond 90 degrees of latitude or 180 of longitude"


def read_cells(path: Path, ledger: Ledger, mcc: Collection[int] | None = None) -> pl.DataFrame:
    """Read a table of cells: OpenCellID full, diff or per-MCC (no header), MLS or lacells; gzip or plain; LF or CRLF.

    With a header, columns may stand in any order and unknown ones are ignored; without one, the 14 columns of
    OpenCellID are expected. No field may hold a line end. Rows of other countries are left behind block by block, so
    that memory is taken by the wanted ones alone; of the others only the number of fields and the encoding are
    judged. Rows without an identity or a position, of an unknown radio or with coordinates outside the globe are
    dropped. Every drop is counted in `ledger`; rows dropped and left of its first entry are the rows of the file.

    A table without radios has GSM for cell numbers below `LONG_NUMBER` and `UNKNOWN_RADIO` for others; a table
    without areas has null there.

    Args:
        path: The file.
        ledger: Receives an entry a filter.
        mcc: Mobile country codes of the rows to keep; None for all.

    Returns:
        radio (of `RADIOS`, or `UNKNOWN_RADIO`), mcc, net, area (or null), cell, lon, lat (degrees), range (metres),
        samples, created, updated (unix seconds); the last four are null where the file does not say, or says -1.

    Raises:
        EdgeBenchError: The file is missing, empty, damaged, an error page, without the columns, of other countries,
            or not numeric.
    """
    blocks = text_blocks(path)
    head = next(blocks)
    layout = _read_layout(head, path)
    parts, rows = [], 0
    for text in _bodies(head, blocks, layout):
        block = _Block(text, layout, rows)
        parts.append(_parse(block, mcc))
        rows += block.rows
    if not rows:
        raise EdgeBenchError("a header without any cell", where=str(path), mend=DOWNLOAD_AGAIN)
    cells = pl.concat(parts)
    if mcc is not None:
        _account_countries(cells, rows, mcc, head, layout, ledger)
    return _judge(cells, layout, ledger)


@dataclass(frozen=True)
class _Layout:
    """How the lines of a file are to be read: the place of each column that is there, and how many there are."""

    path: Path
    places: dict[str, int]
    width: int
    header_lines: int


@dataclass(frozen=True)
class _Block:
    """Whole lines of a file that follow `rows_before` rows."""

    text: bytes
    layout: _Layout
    rows_before: int

    @property
    def rows(self) -> int:
        """How many, empty ones included."""
        return self.text.count(b"\n") + (not self.text.endswith(b"\n"))

    def where(self, row: int) -> str:
        """The file and line of a row of this block."""
        return f"{self.layout.path}, line {self.layout.header_lines + self.rows_before + row + 1}"


def _first_fields(text: bytes, path: Path) -> list[str]:
    line = text.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    try:
        return [field.strip() for field in next(csv.reader([line]), [])]
    except csv.Error as error:
        raise EdgeBenchError(f"no CSV: {error}", where=f"{path}, line 1", mend=DOWNLOAD_AGAIN) from error


def _read_layout(head: bytes, path: Path) -> _Layout:
    fields = _first_fields(head, path)
    headless = next(iter(fields), "") in RADIOS
    if headless:
        if len(fields) != len(OPENCELLID_COLUMNS):
            raise EdgeBenchError(
                f"{len(fields)} columns without a header, expected the {len(OPENCELLID_COLUMNS)} of OpenCellID",
                where=f"{path}, line 1",
                mend=f"expected order: {','.join(OPENCELLID_COLUMNS)}; or add a header",
            )
        fields = list(OPENCELLID_COLUMNS)
    return _Layout(path, _places([field.lower() for field in fields], path), len(fields), int(not headless))


def _places(names: list[str], path: Path) -> dict[str, int]:
    places: dict[str, int] = {name: names.index(name) for name in SCHEMA if name in names}
    for synonym, name in SYNONYMS.items():
        if synonym in names:
            places.setdefault(name, names.index(synonym))
    missing = [name for name in REQUIRED if name not in places]
    if missing:
        raise EdgeBenchError(
            f"columns missing: {', '.join(missing)}; the file has: {preview(','.join(names).encode())}",
            where=str(path),
            mend=f"a header must name at least {', '.join(REQUIRED)}",
        )
    return places


def _bodies(head: bytes, blocks: Iterator[bytes], layout: _Layout) -> Iterator[bytes]:
    """The blocks without the header."""
    body = head.partition(b"\n")[2] if layout.header_lines else head
    if body:
        yield body
    yield from blocks


def _scan(block: _Block) -> pl.LazyFrame:
    """The columns that are there as text, with the row within the block and what exceeds the last column."""
    width = block.layout.width
    header = ",".join(map(str, range(width + 1))).encode() + b"\n"
    columns = {name: pl.col(str(place)) for name, place in block.layout.places.items()}
    lines = pl.scan_csv(header + block.text, infer_schema=False, row_index_name=_ROW)
    return lines.select(_ROW, pl.col(str(width)).alias(_EXCESS), **columns)


def _parse(block: _Block, mcc: Collection[int] | None) -> pl.DataFrame:
    """The rows of a block that may be of the wanted countries, as typed columns, null where they have none."""
    lines = _scan(block)
    if mcc is not None:
        # A code that is no plain number is kept here and judged with the other columns.
        country = pl.col("mcc").cast(pl.Int64, strict=False)
        lines = lines.filter(country.is_in(list(mcc)) | country.is_null() | pl.col(_EXCESS).is_not_null())
    try:
        text = lines.with_columns(pl.col(*block.layout.places).str.strip_chars()).collect()
    except pl.exceptions.PolarsError as error:
        raise _no_table(block, error) from error
    _refuse_excess(text, block)
    places = block.layout.places
    numbers = {name: _number(name) if name in places else pl.lit(None, SCHEMA[name]) for name in SCHEMA}
    radio = pl.col("radio") if "radio" in places else pl.lit(None, pl.String).alias("radio")
    wrong = pl.any_horizontal(_wrong(name) for name in places if name != "radio")
    cells = text.select(**(numbers | {"radio": radio}), wrong=wrong)
    if cells["wrong"].any():
        raise _wrong_number(text, block)
    cells = cells.drop("wrong")
    return cells if mcc is None else cells.filter(pl.col("mcc").is_in(list(mcc)) | pl.col("mcc").is_null())


def _number(name: str) -> pl.Expr:
    """A column of text as numbers, null where empty or unknown; whole ones may be written 12 or 12.0."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    if name in WHOLE:
        number = pl.when(number != NOT_KNOWN).then(number)
    return number.cast(SCHEMA[name], strict=False)


def _wrong(name: str) -> pl.Expr:
    """Where a column of text is neither empty nor a number, or no whole one that must be."""
    text, number = pl.col(name), pl.col(name).cast(pl.Float64, strict=False)
    wrong = (text != "") & ~number.is_finite().fill_null(False)
    if name in WHOLE:
        wrong |= (number != number.floor()) | (number.abs() >= EXACT)
    return wrong.fill_null(False)


def _wrong_number(text: pl.DataFrame, block: _Block) -> EdgeBenchError:
    """Names the first wrong entry of the first column that has one."""
    for name in SCHEMA:
        if name not in block.layout.places or name == "radio":
            continue
        entries = text.filter(_wrong(name))
        if entries.height:
            kind = "a whole number" if name in WHOLE else "a number"
            return EdgeBenchError(
                f"{name} is {preview(str(entries[name][0]).encode())}, not {kind}",
                where=block.where(entries[_ROW][0]),
                mend="correct or remove the line",
            )
    raise AssertionError("called where nothing is wrong")


def _refuse_excess(text: pl.DataFrame, block: _Block) -> None:
    excess = text.filter(pl.col(_EXCESS).is_not_null())
    if excess.height:
        raise EdgeBenchError(
            f"not a CSV table: more than the {block.layout.width} fields of its first line",
            where=block.where(excess[_ROW][0]),
            mend="correct or remove the line",
        )


def _no_table(block: _Block, error: Exception) -> EdgeBenchError:
    for row, line in enumerate(block.text.split(b"\n")):
        if "\ufffd" in line.decode("utf-8", "replace"):
            place = block.where(row)
            break
    else:
        place = str(block.layout.path)
    return EdgeBenchError(f"not a CSV table: {str(error).splitlines()[0]}", where=place, mend=DOWNLOAD_AGAIN)


def _account_countries(
    cells: pl.DataFrame, rows: int, mcc: Collection[int], head: bytes, layout: _Layout, ledger: Ledger
) -> None:
    wanted = ", ".join(map(str, mcc))
    ledger.record("country", f"mcc is none of {wanted}", rows - cells.height, cells.height)
    if cells.height == cells["mcc"].null_count() and cells.height < rows:
        beginning = next(_bodies(head, iter(()), layout))
        codes = _scan(_Block(beginning, layout, 0)).collect()["mcc"].drop_nulls().value_counts(sort=True)["mcc"]
        raise EdgeBenchError(
            f"cells of another country: mcc {wanted} wanted, the file has {', '.join(codes.head(10))}",
            where=str(layout.path),
            mend="give the file of the region's country, or choose the region of the file's country",
        )


def _judge(cells: pl.DataFrame, layout: _Layout, ledger: Ledger) -> pl.DataFrame:
    """Drop and count what cannot be used."""
    radios = RADIOS if "radio" in layout.places else (*RADIOS, UNKNOWN_RADIO)
    if "radio" not in layout.places:
        cells = _with_radio(cells, ledger)
    needed = pl.col("radio", *REQUIRED)
    complete = _drop(cells, ~pl.any_horizontal(needed.is_null()), "incomplete", _INCOMPLETE, ledger)
    reason = f"radio is none of {', '.join(RADIOS)}"
    known = _drop(complete, pl.col("radio").is_in(radios), "radio", reason, ledger)
    globe = pl.col("lat").is_between(-90, 90) & pl.col("lon").is_between(-180, 180)
    on_globe = _drop(known, globe, "globe", _GLOBE, ledger)
    _refuse_lost_rows(cells, known, on_globe, layout.path)
    return on_globe


def _drop(cells: pl.DataFrame, keep: pl.Expr, name: str, reason: str, ledger: Ledger) -> pl.DataFrame:
    kept = cells.filter(keep)
    ledger.record(name, reason, cells.height - kept.height, kept.height)
    return kept


def _with_radio(cells: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    number = pl.when(pl.col("cell") < LONG_NUMBER).then(pl.lit("GSM")).otherwise(pl.lit(UNKNOWN_RADIO))
    told = cells.with_columns(radio=number)
    gsm = int((told["radio"] == "GSM").sum())
    rest = told.height - gsm
    reason = f"no radio column: {gsm} cell numbers below {LONG_NUMBER} taken for GSM, {rest} of unknown radio"
    ledger.record("no radio", reason, 0, told.height)
    return told


def _refuse_lost_rows(cells: pl.DataFrame, known: pl.DataFrame, on_globe: pl.DataFrame, path: Path) -> None:
    if known.is_empty():
        shown = cells["radio"].drop_nulls().unique().sort().head(5).to_list()
        raise EdgeBenchError(
            f"no row has a known radio, an identity and a position; radios found: {shown}",
            where=str(path),
            mend=f"radio must be one of {', '.join(RADIOS)}, and every column but area filled",
        )
    if on_globe.height * 2 < known.height:
        raise EdgeBenchError(
            f"{known.height - on_globe.height} of {known.height} positions are off the globe; are lat and lon swapped?",
            where=str(path),
            mend="lon and lat must be WGS84 degrees, lon before lat where there is no header",
        )
