import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.cells import SCHEMA
from builders.gather import gather
from builders.geo import sphere_km
from builders.sites import find_sites
from builders.stations import find_stations

PLACE = {"radio": "LTE", "mcc": 228, "net": 1, "area": 1, "cell": 256_000, "lon": 8.54, "lat": 47.37}


def sites_of(*changes: dict[str, object]) -> pl.DataFrame:
    return find_sites(pl.DataFrame([{**PLACE, **change} for change in changes], schema=SCHEMA))


def stations_of(*changes: dict[str, object]) -> pl.DataFrame:
    return find_stations(pl.DataFrame([{**PLACE, **change} for change in changes], schema=SCHEMA))


def test_columns_and_types():
    assert sites_of({}).schema == pl.Schema(
        {
            "site_id": pl.Int32(),
            "lat": pl.Float64(),
            "lon": pl.Float64(),
            **{name: pl.Int32() for name in ("cells", "gsm", "umts", "lte", "nr", "operators")},
        }
    )


def test_a_site_lies_at_the_median_of_an_enodeb_s_cells():
    sites = sites_of({"lat": 47.30}, {"cell": 256_001, "lat": 47.31, "area": 2}, {"cell": 256_002, "lat": 47.90})
    assert sites.rows() == [(0, 47.31, 8.54, 3, 0, 0, 3, 0, 1)]


SAME_STATION = {
    "LTE": ({"cell": 256_000, "area": 1}, {"cell": 256_255, "area": 2}),
    "UMTS": ({"cell": 65536 * 7 + 120}, {"cell": 65536 * 9 + 129}),
    "GSM": ({"cell": 120}, {"cell": 129}),
}
OTHER_STATION = {
    "LTE": ({"cell": 256_255}, {"cell": 256_256}),
    "UMTS": ({"cell": 120}, {"cell": 130}),
    "UMTS of another area": ({"cell": 120}, {"cell": 121, "area": 2}),
    "GSM": ({"cell": 129}, {"cell": 130}),
    "GSM of another area": ({"cell": 120}, {"cell": 121, "area": 2}),
    "CDMA": ({"cell": 120}, {"cell": 121}),
    "NR": ({"cell": 4096}, {"cell": 4097}),
    "UNKNOWN": ({"cell": 4096 * 256}, {"cell": 4096 * 256 + 1}),
    "GSM of unknown area": ({"cell": 120, "area": None}, {"cell": 121, "area": None}),
    "UMTS of unknown area": ({"cell": 120, "area": None}, {"cell": 121, "area": None}),
    "LTE of another operator": ({"cell": 256_000}, {"cell": 256_000, "net": 2}),
}


@pytest.mark.parametrize("radio", SAME_STATION)
def test_cells_numbered_as_one_station_are_one_site(radio):
    here, there = SAME_STATION[radio]
    assert sites_of({"radio": radio, **here}, {"radio": radio, "lat": 47.39, **there})["cells"].to_list() == [2]


@pytest.mark.parametrize("case", OTHER_STATION)
def test_cells_of_two_stations_are_two_sites_unless_they_stand_together(case):
    here, there = ({"radio": case.split()[0], **change} for change in OTHER_STATION[case])
    assert sites_of(here, {**there, "lat": 47.39})["cells"].to_list() == [1, 1]
    assert sites_of(here, {**there, "lat": 47.3702})["cells"].to_list() == [2]


def test_radios_are_counted_and_sites_sorted_by_position():
    radios = [{"radio": radio, "cell": 70_000} for radio in ("GSM", "UMTS", "CDMA", "LTE", "NR", "UNKNOWN")]
    sites = sites_of({"lat": 47.9}, *radios)
    assert sites.rows() == [(0, 47.37, 8.54, 6, 1, 2, 1, 1, 1), (1, 47.9, 8.54, 1, 0, 0, 1, 0, 1)]


NORTH_M = 1 / 111_195
"""Degrees of latitude in a metre."""


@pytest.mark.parametrize("lat", [47.3700, 47.37005, 47.3705, 47.3709])
@pytest.mark.parametrize(("metres", "masts"), [(20, 1), (74, 1), (76, 2)])
def test_distance_alone_parts_masts_wherever_they_stand(lat, metres, masts):
    other = {"lat": lat + metres * NORTH_M, "net": 2, "cell": 512_000}
    sites = sites_of({"lat": lat}, other)
    assert sites.height == masts
    assert sites["operators"].to_list() == [2] * (masts == 1) + [1, 1] * (masts == 2)


def test_distance_is_that_on_the_ground_not_in_degrees():
    north = {"lat": 69.0}, {"lat": 69.0, "lon": 8.5415, "cell": 512_000}
    south = {"lat": 0.0}, {"lat": 0.0, "lon": 8.5415, "cell": 512_000}
    assert (sites_of(*north).height, sites_of(*south).height) == (1, 2)


def test_a_row_of_masts_does_not_grow_into_one_site():
    row = [{"cell": 256 * (1000 + k), "lat": 47.0 + 60 * k * NORTH_M} for k in range(40)]
    sites = sites_of(*row)
    assert 13 <= sites.height <= 20
    assert sites["cells"].max() <= 3


def test_the_station_with_most_cells_stands_at_the_middle_of_its_site():
    side = [{"cell": 256 * (2000 + k), "lat": 47.37 + k * 70 * NORTH_M} for k in (-1, 1)]
    main = [{"cell": 256_000 + k} for k in range(3)]
    assert sites_of(*side, *main)["cells"].to_list() == [5]


def test_nr_cells_of_one_operator_are_gathered_those_of_two_are_not():
    cells = [{"radio": "NR", "cell": 4096 + k, "lat": 47.37 + k * 90 * NORTH_M} for k in range(2)]
    assert stations_of(*cells)["cells"].to_list() == [2]
    assert stations_of(cells[0], {**cells[1], "net": 2})["cells"].to_list() == [1, 1]
    assert stations_of(cells[0], {**cells[1], "radio": "UNKNOWN"})["cells"].to_list() == [1, 1]
    assert stations_of(cells[0], {**cells[1], "lat": 47.3720})["cells"].to_list() == [1, 1]


def greedy(places: list[tuple[int, int]], reach_m: int) -> list[int]:
    """The rule of `gather`, point by point."""
    where = np.rint(sphere_km(np.array(places)[:, 0] / 1e6, np.array(places)[:, 1] / 1e6) * 1e6)

    def square(one: int, other: int) -> float:
        return float(np.square(where[one] - where[other]).sum())

    centres: list[int] = []
    for point in range(len(places)):
        if all(square(point, centre) > (reach_m * 1000) ** 2 for centre in centres):
            centres.append(point)
    return [min(centres, key=lambda centre: (square(point, centre), centre)) for point in range(len(places))]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=60, unique=True))
def test_gathering_many_at_a_time_is_gathering_one_by_one(grid):
    places = [(47_000_000 + 60 * row, 8_000_000 + 80 * column) for row, column in grid]
    lat, lon = np.array(places, np.int64).T
    assert gather(lat, lon, 75).tolist() == greedy(places, 75)
