import polars as pl
import pytest

from builders.cells import SCHEMA
from builders.sites import find_sites

PLACE = {"radio": "LTE", "mcc": 228, "net": 1, "area": 1, "cell": 256_000, "lon": 8.54, "lat": 47.37}


def sites_of(*changes: dict[str, object]) -> pl.DataFrame:
    return find_sites(pl.DataFrame([{**PLACE, **change} for change in changes], schema=SCHEMA))


def test_columns_and_types():
    assert sites_of({}).schema == pl.Schema(
        {
            "site_id": pl.Int32(),
            "lat": pl.Float64(),
            "lon": pl.Float64(),
            **{name: pl.Int32() for name in ("cells", "gsm", "umts", "lte", "nr")},
        }
    )


def test_a_site_lies_at_the_median_of_an_enodeb_s_cells():
    sites = sites_of({"lat": 47.30}, {"cell": 256_001, "lat": 47.31, "area": 2}, {"cell": 256_002, "lat": 47.90})
    assert sites.rows() == [(0, 47.31, 8.54, 3, 0, 0, 3, 0)]


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
    radios = [{"radio": radio, "cell": 70_000} for radio in ("GSM", "UMTS", "CDMA", "LTE", "NR")]
    sites = sites_of({"lat": 47.9}, *radios)
    assert sites.rows() == [(0, 47.37, 8.54, 5, 1, 2, 1, 1), (1, 47.9, 8.54, 1, 0, 0, 1, 0)]
