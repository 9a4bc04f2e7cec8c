"""Raw files -> cells: OpenCellID and Mozilla Location Service tables, whatever their form."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import Final

import polars as pl

from builders.ledger import Ledger
from edgebench.errors import EdgeBenchError

RADIOS: Final = ("GSM", "UMTS", "LTE", "NR", "CDMA")
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
}
"""Names the Mozilla Location Service of 2014 and the OpenCellID API use."""
REQUIRED: Final = ("radio", "mcc", "net", "area", "cell", "lon", "lat")
WHOLE: Final = ("mcc", "net", "area", "cell", "range", "samples", "created", "updated")
SCHEMA: Final = {
    name: pl.String() if name == "radio" else pl.Int64() if name in WHOLE else pl.Float64()
    for name in (*REQUIRED, "range", "samples", "created", "updated")
}
"""Columns and types of the table `read_cells` returns."""

EXACT: Final = 2**53
"""Whole numbers below are exact as floats; the longest identity, of NR, has 36 bits."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_PREVIEW: Final = 100
_DOWNLOAD_AGAIN: Final = "download the file again; a refused token or a used-up quota yields a message, not cells"

_INCOMPLETE: Final = ("incomplete", "no radio, mcc, net, cell, longitude or latitude")
_RADIO: Final = ("radio", f"radio is none of {', '.join(RADIOS)}")
_GLOBE: Final = ("globe", "coordinates beyond 90 degrees of latitude or 180 of longitude")


def read_cells(path: Path, ledger: Ledger) -> pl.DataFrame:
    """Read a table of cells: OpenCellID full, diff or per-MCC (no header), or MLS; gzip or plain; LF or CRLF.

    With a header, columns may stand in any order and unknown ones are ignored; without one, the 14 columns of
    OpenCellID are expected. Rows without an identity or a position, of an unknown radio or with coordinates
    outside the globe are dropped and counted in `ledger`.

    Returns:
        radio (GSM, UMTS, LTE, NR or CDMA), mcc, net, area (or null), cell, lon, lat (degrees), range (metres),
        samples, created, updated (unix seconds); the last four are null where the file does not say.

    Raises:
        EdgeBenchError: The file is missing, empty, damaged, an error page, without the columns, or not numeric.
    """
    body = _body(path)
    text = _read_text(body, path)
    first_line = 1 if _is_data(body) else 2
    numbers = {name: _numbers(text[name], first_line, path) for name in SCHEMA if name != "radio"}
    cells = text.select(pl.col("radio").str.strip_chars(), **numbers)
    complete = _drop(cells, ~pl.any_horizontal(pl.col(REQUIRED).exclude("area").is_null()), *_INCOMPLETE, ledger)
    known = _drop(complete, pl.col("radio").is_in(RADIOS), *_RADIO, ledger)
    on_globe = _drop(known, pl.col("lat").is_between(-90, 90) & pl.col("lon").is_between(-180, 180), *_GLOBE, ledger)
    _refuse_lost_rows(cells, known, on_globe, path)
    return on_globe


def _drop(cells: pl.DataFrame, keep: pl.Expr, name: str, reason: str, ledger: Ledger) -> pl.DataFrame:
    kept = cells.filter(keep)
    ledger.record(name, reason, cells.height - kept.height, kept.height)
    return kept


def _body(path: Path) -> bytes:
    """The file's text, decompressed and without a byte-order mark; refuses what is no table of cells."""
    if not path.is_file():
        raise EdgeBenchError(
            "no such file of cells", where=str(path), mend="give the path of a downloaded CSV or .csv.gz"
        )
    body = path.read_bytes()
    if body.startswith(_GZIP_MAGIC):
        body = _decompress(body, path)
    elif path.suffix == ".gz" and body:
        raise EdgeBenchError(
            f"named .gz but not gzip; it begins: {_preview(body)}", where=str(path), mend=_DOWNLOAD_AGAIN
        )
    body = body.removeprefix(_BOM)
    if not body or body.isspace():
        raise EdgeBenchError("the file of cells is empty", where=str(path), mend=_DOWNLOAD_AGAIN)
    if body.lstrip()[:1] in (b"<", b"{", b"["):
        raise EdgeBenchError(
            f"a web page or message, not a table of cells; it begins: {_preview(body)}",
            where=str(path),
            mend=_DOWNLOAD_AGAIN,
        )
    return body


def _decompress(packed: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(packed)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise EdgeBenchError(
            f"truncated or damaged gzip: {error}",
            where=str(path),
            mend="it did not arrive whole: download it again",
        ) from error


def _preview(body: bytes) -> str:
    shown = body[:_PREVIEW].decode("utf-8", "replace")
    return repr("".join(char if char.isprintable() else " " for char in shown).strip())


def _first_fields(body: bytes) -> list[str]:
    end = body.find(b"\n")
    line = (body if end < 0 else body[:end]).decode("utf-8", "replace").rstrip("\r")
    return [field.strip() for field in next(csv.reader([line]), [])]


def _is_data(body: bytes) -> bool:
    """Whether the first line is a cell, not a header."""
    return next(iter(_first_fields(body)), "") in RADIOS


def _read_text(body: bytes, path: Path) -> pl.DataFrame:
    """The columns of `SCHEMA` as text, null where the file has none."""
    headless = _is_data(body)
    position = _column_positions(body, headless, path)
    try:
        table = pl.read_csv(body, has_header=not headless, infer_schema=False)
    except pl.exceptions.NoDataError as error:
        raise _only_header(path) from error
    except pl.exceptions.PolarsError as error:
        raise _no_table(body, path, error) from error
    if table.is_empty():
        raise _only_header(path)
    present = {name: table.to_series(place) for name, place in position.items()}
    absent = pl.Series([None], dtype=pl.String).new_from_index(0, table.height)
    return pl.DataFrame({name: present.get(name, absent) for name in SCHEMA})


def _column_positions(body: bytes, headless: bool, path: Path) -> dict[str, int]:
    fields = _first_fields(body)
    if headless:
        if len(fields) != len(OPENCELLID_COLUMNS):
            raise EdgeBenchError(
                f"{len(fields)} columns without a header, expected the {len(OPENCELLID_COLUMNS)} of OpenCellID",
                where=f"{path}, line 1",
                mend=f"expected order: {','.join(OPENCELLID_COLUMNS)}; or add a header",
            )
        fields = list(OPENCELLID_COLUMNS)
    names = [field.lower() for field in fields]
    position: dict[str, int] = {name: names.index(name) for name in SCHEMA if name in names}
    for synonym, name in SYNONYMS.items():
        if synonym in names:
            position.setdefault(name, names.index(synonym))
    missing = [name for name in REQUIRED if name not in position]
    if missing:
        raise EdgeBenchError(
            f"columns missing: {', '.join(missing)}; the file has: {_preview(','.join(fields).encode())}",
            where=str(path),
            mend=f"a header must name at least {', '.join(REQUIRED)}",
        )
    return position


def _no_table(body: bytes, path: Path, error: Exception) -> EdgeBenchError:
    width = len(_first_fields(body))
    place = str(path)
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.count(b",") >= width or "\ufffd" in line.decode("utf-8", "replace"):
            place = f"{path}, line {number}"
            break
    return EdgeBenchError(f"not a CSV table: {str(error).splitlines()[0]}", where=place, mend=_DOWNLOAD_AGAIN)


def _only_header(path: Path) -> EdgeBenchError:
    return EdgeBenchError("a header without any cell", where=str(path), mend=_DOWNLOAD_AGAIN)


def _numbers(text: pl.Series, first_line: int, path: Path) -> pl.Series:
    """A column as numbers, null where empty; whole ones may be written 12 or 12.0."""
    stripped = text.str.strip_chars()
    number = stripped.cast(pl.Float64, strict=False)
    wrong = stripped.is_not_null() & (stripped != "") & ~number.is_finite().fill_null(False)
    if text.name in WHOLE:
        wrong |= ((number != number.floor()) | (number.abs() >= EXACT)).fill_null(False)
    row = wrong.arg_max()
    if row is not None and wrong[row]:
        kind = "a whole number" if text.name in WHOLE else "a number"
        raise EdgeBenchError(
            f"{text.name} is {_preview(str(text[row]).encode())}, not {kind}",
            where=f"{path}, line {row + first_line}",
            mend="correct or remove the line",
        )
    return number.cast(SCHEMA[text.name])


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
