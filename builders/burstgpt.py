"""Token lengths from a trace in the columns of BurstGPT (https://github.com/HPMLL/BurstGPT)."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError

COLUMNS: Final = ("Timestamp", "Model", "Request tokens", "Response tokens", "Total tokens", "Log Type")
"""The columns of a published trace; later ones have more. The total alone is read."""
TOTAL: Final = "Total tokens"


class TokenTrace(NamedTuple):
    """What a trace holds."""

    lengths: NDArray[np.int32]  # total tokens of each request, ascending
    rows: int  # rows of the file
    dropped: int  # rows whose total is empty or 0: requests that failed


def read_trace(path: Path) -> TokenTrace:
    """Read the total tokens of every request of a BurstGPT CSV, plain or gzip, with its header.

    The lengths are sorted: what is drawn from them does not depend on the order of the rows.

    Raises:
        EdgeBenchError: The file is not there or not such a CSV, a total is not a whole number or negative, or no
            request has tokens.
    """
    totals = _read_totals(path)
    if (totals < 0).any():
        raise _bad(path, f"column {TOTAL!r} holds {totals.min()!r}", "token counts are not negative")
    kept = totals.filter(totals.fill_null(0) > 0)
    if kept.is_empty():
        raise _bad(path, "no request has tokens", "give a trace with completed requests")
    if int(kept.max() or 0) > np.iinfo(np.int32).max:  # type: ignore[arg-type]
        raise _bad(path, f"column {TOTAL!r} holds {kept.max()!r}", "token counts fit 32 bits")
    return TokenTrace(np.sort(kept.to_numpy()).astype(np.int32), len(totals), len(totals) - len(kept))


def describe_trace(path: Path) -> dict[str, int]:
    """Rows of a trace and how many were dropped, for the manifest."""
    trace = read_trace(path)
    return {"rows": trace.rows, "dropped": trace.dropped}


def _read_totals(path: Path) -> pl.Series:
    if not path.is_file():
        raise EdgeBenchError("there is no such file of token lengths", where=str(path), mend="give a BurstGPT CSV")
    try:
        header = pl.read_csv(path, n_rows=0).columns
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise _bad(path, f"it lacks {', '.join(missing)}", f"the header must hold {','.join(COLUMNS)}")
        text = pl.read_csv(path, columns=[TOTAL], schema_overrides={TOTAL: pl.String})[TOTAL].str.strip_chars()
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        raise _bad(path, str(error).splitlines()[0], "give a BurstGPT CSV, plain or gzip") from error
    totals = text.replace("", None).cast(pl.Int64, strict=False)
    wrong = text.filter(totals.is_null() & text.is_not_null() & (text != ""))
    if len(wrong):
        raise _bad(path, f"column {TOTAL!r} holds {wrong[0]!r}", "token counts are whole numbers")
    return totals


def _bad(path: Path, what: str, mend: str) -> EdgeBenchError:
    return EdgeBenchError(f"not a trace of token lengths: {what}", where=str(path), mend=mend)
