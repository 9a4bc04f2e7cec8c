from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from builders.cells import SCHEMA
from builders.filters import AHEAD_S, FIRST_NETWORK, common_nets, filter_cells
from builders.ledger import Ledger
from builders.sites import find_sites
from edgebench.errors import EdgeBenchError
from edgebench.registry import region_spec
from edgebench.spec import RegionSpec

S1 = region_spec("s1")
MADE = 1_459_814_306
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
    "created": MADE,
    "updated": MADE + 2,
}


def cells(*changes: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([{**GOOD, **change} for change in changes], schema=SCHEMA)


def kept(*changes: dict[str, object], spec: RegionSpec = S1) -> tuple[pl.DataFrame, dict[str, int]]:
    ledger = Ledger()
    left = filter_cells(cells(*changes), spec, ledger, "file")
    return left, {entry.filter: entry.rows for entry in ledger.entries}


def refusal(*changes: dict[str, object]) -> str:
    with pytest.raises(EdgeBenchError) as caught:
        kept(*changes)
    assert caught.value.where == "file"
    return caught.value.what


EASTERN = replace(S1, polygon=((7.0, 45.9), (10.4, 45.9), (10.4, 48.9), (7.0, 48.9)))
DROPPED = {
    "box": {"lat": 48.5},
    "polygon": {"lon": 6.0},
    "operator": {"net": 60},
    "eci": {"cell": 65535},
    "samples": {"samples": 1},
    "range": {"range": 100_001},
    "dates": {"created": MADE + 3},
    "duplicate": {"updated": MADE + 1},
}


@pytest.mark.parametrize("name", DROPPED)
def test_each_filter_drops_what_it_is_for(name):
    left, drops = kept({}, DROPPED[name], spec=EASTERN)
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
        {"range": 0, "created": None, "updated": None},
        {"created": FIRST_NETWORK, "updated": FIRST_NETWORK},
        {"cell": 65536},
        {"area": None},
        {"net": 3},
    ],
)
def test_what_may_be_right_stays(change):
    assert kept(change)[0].height == 1


def test_of_two_rows_the_newer_one_with_more_samples_stays():
    rows = [{"samples": 9}, {"samples": 5, "updated": MADE + 3}, {"samples": 6, "updated": MADE + 3}, {"updated": None}]
    for order in (rows, rows[::-1]):
        assert kept(*order)[0]["samples"].to_list() == [6]


def test_a_null_area_is_an_identity_of_its_own():
    assert kept({"area": None}, {"area": None, "updated": MADE + 1}, {})[0]["area"].to_list() == [None, 65]


IMPOSSIBLE = {
    "updated before it was made": ("dates", {"created": MADE + 3}),
    "made before there were networks": ("dates", {"created": FIRST_NETWORK - 1}),
    "updated before there were networks": ("dates", {"created": None, "updated": 0}),
    "a negative range": ("range", {"range": -2}),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_cannot_be_is_dropped(case):
    name, change = IMPOSSIBLE[case]
    left, drops = kept({}, {"cell": 70_000, **change})
    assert (left.height, drops[name]) == (1, 1)


@pytest.mark.parametrize(("others", "dropped"), [(99, 0), (100, 1)])
def test_a_date_far_ahead_is_dropped_where_a_hundred_cells_tell_the_file_s_age(others, dropped):
    ahead = {"updated": MADE + 2 + AHEAD_S + 1}
    ages = [{"cell": 70_000 + k, "lon": 7.0 + k / 1000} for k in range(others)]
    assert kept(ahead, *ages)[1]["dates"] == dropped
    assert kept({"updated": MADE + 2 + AHEAD_S}, *ages)[1]["dates"] == 0


def test_without_named_operators_those_with_few_cells_are_dropped():
    open_to_all = replace(S1, nets=())
    common = [{"cell": 70_000 + k, "net": 1 + k % 2, "lon": 7.0 + k / 1000} for k in range(398)]
    assert kept(*common, {"net": 60}, spec=open_to_all)[1]["operator"] == 1
    assert kept(*common, {"net": 60}, {"net": 60, "cell": 80_000}, spec=open_to_all)[1]["operator"] == 0


def test_an_operator_s_share_is_that_of_its_own_country():
    big = [{"mcc": 262, "cell": 70_000 + k} for k in range(1000)]
    assert common_nets(cells(*big, {"net": 7})) == (1, 7)
    assert common_nets(cells(*big, {"net": 7, "mcc": 262})) == (1,)


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
        "updated": st.integers(MADE, MADE + 3),
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
