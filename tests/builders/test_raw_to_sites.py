"""What must not matter from the raw file to the sites: order of rows and columns, duplicates, cells far away."""

import random
import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from builders.cells import OPENCELLID_COLUMNS, read_cells
from builders.filters import filter_cells
from builders.ledger import Ledger
from builders.sites import find_sites
from edgebench.registry import region_spec

S1 = region_spec("s1")
MADE = 1_700_000_000


@st.composite
def raw_cells(draw: st.DrawFn) -> dict[str, object]:
    """A row near Zurich, good or bad."""
    return {
        "radio": draw(st.sampled_from(["GSM", "UMTS", "LTE", "NR", "CDMA", "WIMAX"])),
        "mcc": draw(st.sampled_from([228, 228, 228, 262])),
        "net": draw(st.integers(1, 4)),
        "area": draw(st.sampled_from(["", -1, 1, 2])),
        "cell": draw(st.integers(65_500, 67_000)),
        "unit": -1,
        "lon": f"{8.54 + draw(st.integers(0, 60)) / 10_000:.4f}",
        "lat": f"{47.37 + draw(st.integers(0, 60)) / 10_000:.4f}",
        "range": draw(st.sampled_from(["", -1, 1000, 200_000])),
        "samples": draw(st.sampled_from(["", -1, 1, 2, 50])),
        "changeable": 1,
        "created": draw(st.sampled_from(["", 0, MADE])),
        "updated": MADE + draw(st.integers(-1, 3)),
        "averageSignal": 0,
    }


GOOD = dict(
    zip(OPENCELLID_COLUMNS, ("LTE", 228, 1, 7, 26187265, 0, 8.55, 47.38, 900, 9, 1, MADE, MADE, 0), strict=True)
)
ROWS = st.lists(raw_cells(), max_size=40).map(lambda rows: [GOOD, *rows])


def sites_of(rows: list[dict[str, object]], columns: tuple[str, ...] = OPENCELLID_COLUMNS) -> pl.DataFrame:
    lines = [",".join(columns), *(",".join(str(row[name]) for name in columns) for row in rows)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        return find_sites(filter_cells(read_cells(path, Ledger(), S1.mcc), S1, Ledger(), "file"))


@settings(deadline=None, max_examples=30)
@given(ROWS, st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(rows, seed):
    assert_frame_equal(sites_of(rows), sites_of(random.Random(seed).sample(rows, len(rows))))


@settings(deadline=None, max_examples=30)
@given(ROWS, st.permutations(OPENCELLID_COLUMNS))
def test_the_order_of_columns_does_not_matter(rows, columns):
    assert_frame_equal(sites_of(rows), sites_of(rows, tuple(columns)))


@settings(deadline=None, max_examples=30)
@given(ROWS, st.data())
def test_rows_that_are_there_twice_count_once(rows, data):
    again = data.draw(st.lists(st.sampled_from(rows), max_size=20))
    assert_frame_equal(sites_of(rows), sites_of(rows + again))


@settings(deadline=None, max_examples=30)
@given(ROWS, st.lists(raw_cells(), max_size=20), st.booleans())
def test_cells_far_outside_change_nothing(rows, far, abroad):
    away = {"mcc": 208} if abroad else {"lon": 6.0, "lat": 48.9}
    assert_frame_equal(sites_of(rows), sites_of(rows + [row | away for row in far][: len(rows)]))
