import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from builders.cells import SCHEMA
from builders.filters import filter_cells
from builders.ledger import Ledger
from builders.sites import find_sites
from edgebench.errors import EdgeBenchError
from edgebench.registry import region_spec

S1 = region_spec("s1")
GOOD = {
    "radio": "LTE",
    "mcc": 228,
    "net": 1,
    "area": 65,
    "cell": 26187265,
    "lon": 8.5417,
    "lat": 47.3769,
    "range": 1000,
    "samples": 7,
    "created": 1,
    "updated": 2,
}


def cells(*changes: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([{**GOOD, **change} for change in changes], schema=SCHEMA)


def kept(*changes: dict[str, object]) -> tuple[pl.DataFrame, dict[str, int]]:
    ledger = Ledger()
    left = filter_cells(cells(*changes), S1, ledger, "file")
    return left, {entry.filter: entry.rows for entry in ledger.entries}


def refusal(*changes: dict[str, object]) -> str:
    with pytest.raises(EdgeBenchError) as caught:
        kept(*changes)
    assert caught.value.where == "file"
    return caught.value.what


DROPPED = {
    "country": {"mcc": 262},
    "box": {"lat": 48.5},
    "operator": {"net": 60},
    "eci": {"cell": 65535},
    "samples": {"samples": 1},
    "range": {"range": 100_001},
    "duplicate": {"updated": 1},
}


@pytest.mark.parametrize("name", DROPPED)
def test_each_filter_drops_what_it_is_for(name):
    left, drops = kept({}, DROPPED[name])
    assert left.rows() == cells({}).rows()
    assert drops == {key: int(key == name) for key in (*DROPPED, "pile")}


def test_a_pile_of_cells_on_one_coordinate_is_dropped():
    pile = [{"cell": 70_000 + k, "lon": 7.0} for k in range(101)]
    left, drops = kept({}, *pile)
    assert (left.height, drops["pile"]) == (1, 101)
    assert kept({}, *pile[:100])[0].height == 101


@pytest.mark.parametrize(
    "change",
    [
        {"samples": None, "range": None},
        {"samples": 2, "range": 100_000},
        {"radio": "GSM", "cell": 12},
        {"cell": 65536},
        {"area": None},
        {"net": 3},
    ],
)
def test_what_may_be_right_stays(change):
    assert kept(change)[0].height == 1


def test_of_two_rows_the_newer_one_with_more_samples_stays():
    rows = [{"samples": 9}, {"samples": 5, "updated": 3}, {"samples": 6, "updated": 3}, {"updated": None}]
    for order in (rows, rows[::-1]):
        assert kept(*order)[0]["samples"].to_list() == [6]


def test_a_null_area_is_an_identity_of_its_own():
    assert kept({"area": None}, {"area": None, "updated": 1}, {})[0]["area"].to_list() == [None, 65]


def test_cells_of_another_country_are_refused():
    what = refusal({"mcc": 262}, {"mcc": 262, "cell": 70000}, {"mcc": 208})
    assert "wants mcc 228, the file has 262, 208" in what


def test_swapped_coordinates_are_refused_and_said_so():
    assert "swapped" in refusal({"lat": 8.5417, "lon": 47.3769})
    assert "swapped" in refusal(*[{"lat": 8.5, "lon": 47.3, "cell": 70_000 + k} for k in range(9)], {})


def test_cells_of_another_place_are_refused():
    assert "none of 1 cells lies in region s1" in refusal({"lat": 41.0, "lon": 12.0})


def test_nothing_left_names_the_filters():
    assert "rows dropped: operator 1; samples 1" in refusal({"net": 60}, {"samples": 1})


cell_rows = st.fixed_dictionaries(
    {
        "radio": st.sampled_from(["GSM", "UMTS", "LTE", "NR", "CDMA"]),
        "net": st.integers(1, 4),
        "area": st.sampled_from([None, 1, 2]),
        "cell": st.integers(65_500, 66_500),
        "lon": st.integers(85_400, 85_440).map(lambda k: k / 10_000),
        "lat": st.integers(473_700, 473_740).map(lambda k: k / 10_000),
        "samples": st.sampled_from([None, 1, 2, 50]),
        "updated": st.integers(1, 3),
    }
)


@settings(deadline=None)
@given(st.lists(cell_rows, min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_neither_cells_nor_sites(rows, random):
    shuffled = random.sample(rows, len(rows))
    first, again = (filter_cells(cells({}, *order), S1, Ledger(), "file") for order in (rows, shuffled))
    assert_frame_equal(first, again)
    assert_frame_equal(find_sites(first), find_sites(again))


@settings(deadline=None)
@given(st.lists(cell_rows, max_size=40))
def test_the_ledger_balances(rows):
    ledger = Ledger()
    left = filter_cells(cells({}, *rows), S1, ledger, "file")
    assert sum(entry.rows for entry in ledger.entries) + left.height == len(rows) + 1
    assert ledger.entries[-1].left == left.height
