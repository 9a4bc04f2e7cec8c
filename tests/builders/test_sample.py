import gzip

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from builders.cells import OPENCELLID_COLUMNS, read_cells
from builders.filters import filter_cells
from builders.ledger import Ledger
from builders.node_methods import HOST_SHARE
from builders.sample import (
    FOLDER,
    SAMPLE_REGIONS,
    SCALES,
    SNAPSHOT,
    WINDOW_S,
    calibration,
    make_sample,
    sample_path,
    write_samples,
)
from builders.sites import find_sites
from edgebench.registry import REGIONS, REGISTERED, region_spec

FIGURES = calibration()
SAMPLES = {region: pl.read_csv(sample_path(region)) for region in SAMPLE_REGIONS}
each_region = pytest.mark.parametrize("region", SAMPLE_REGIONS)
each_radio = pytest.mark.parametrize("radio", ["GSM", "UMTS", "LTE", "NR"])


def shares(cells: pl.DataFrame, column: str) -> dict[str, float]:
    return {str(value): share for value, share in cells[column].value_counts(normalize=True).rows()}


def all_cells(radio: str) -> pl.DataFrame:
    return pl.concat(cells.filter(pl.col("radio") == radio) for cells in SAMPLES.values())


@pytest.mark.parametrize("region", [*SAMPLE_REGIONS, *SCALES])
def test_the_generator_makes_the_bundled_file(region):
    assert_frame_equal(make_sample(region), pl.read_csv(sample_path(region)), check_exact=True)


def test_writing_twice_gives_the_same_bytes_without_a_time(tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        write_samples(folder)
    for region in (*SAMPLE_REGIONS, *SCALES):
        first, again = ((tmp_path / name / sample_path(region).name).read_bytes() for name in "ab")
        assert first == again
        assert first[3:8] == bytes(5)
        assert gzip.decompress(first) == gzip.decompress(sample_path(region).read_bytes())


def test_the_samples_are_small():
    assert {*SAMPLE_REGIONS} == {*REGIONS} and {*SAMPLE_REGIONS, *SCALES} == {
        spec.network for spec in REGISTERED.values()
    }
    assert sum(sample_path(region).stat().st_size for region in SAMPLE_REGIONS) < 1_000_000
    assert sum(sample_path(region).stat().st_size for region in SCALES) < 1_500_000
    for region, least, most in (("s1", 6000, 9000), ("s2", 6000, 9000), ("s3", 6000, 9000), ("s4", 3500, 4500)):
        assert least <= SAMPLES[region].height <= most


@each_region
def test_rows_look_like_opencellid_s(region):
    cells, spec = SAMPLES[region], region_spec(region)
    assert tuple(cells.columns) == OPENCELLID_COLUMNS
    assert cells.null_count().sum_horizontal().item() == 0
    assert cells.select("radio", "mcc", "net", "area", "cell").is_duplicated().sum() == 0
    assert set(cells["mcc"]) == {spec.mcc[0]}
    assert set(cells["net"]) == set(spec.nets)
    assert set(cells["changeable"]) == {1}
    assert set(cells["averageSignal"]) == {0}
    for axis in ("lat", "lon"):
        assert cells[axis].equals(cells[axis].round(4))


@pytest.mark.parametrize(
    ("radio", "least", "bits"), [("GSM", 1, 16), ("UMTS", 65536, 28), ("LTE", 65536, 28), ("NR", 2**28, 36)]
)
def test_identities_have_the_right_width(radio, least, bits):
    cells = all_cells(radio)
    assert cells["cell"].min() >= least
    assert cells["cell"].max() < 2**bits
    assert cells["area"].max() < 2 ** (24 if radio == "NR" else 16)


@each_region
def test_radio_mix_and_operator_shares(region):
    about = FIGURES["regions"][region]
    mix = {"GSM": 0.0, "UMTS": 0.0, "LTE": 0.0, "NR": 0.0}
    for net, share in about["operators"].items():
        for radio, part in about["radio_given_operator"][net].items():
            mix[radio] += share * part
    found = shares(SAMPLES[region], "radio")
    for radio, share in mix.items():
        assert found.get(radio, 0.0) == pytest.approx(share, abs=0.005)
    for net, share in about["operators"].items():
        assert shares(SAMPLES[region], "net")[net] == pytest.approx(share, abs=0.005)


@each_region
def test_cells_of_an_enodeb(region):
    lte = SAMPLES[region].filter(pl.col("radio") == "LTE")
    sizes = lte.group_by("net", pl.col("cell") // 256).len()["len"]
    pmf = {int(size): share for size, share in FIGURES["regions"][region]["cells_per_enb"].items()}
    assert sizes.mean() == pytest.approx(sum(size * share for size, share in pmf.items()), rel=0.05)
    for size in (1, 2, 3):
        assert (sizes == size).mean() == pytest.approx(pmf[size], abs=0.03)
    assert {str(sector) for sector in lte["cell"] % 256} <= set(FIGURES["regions"][region]["sectors"])


@each_radio
def test_the_range_follows_from_the_samples(radio):
    cells = all_cells(radio)
    once, few, many = (
        cells.filter(pl.col("samples").is_between(least, most))["range"]
        for least, most in ((1, 1), (2, 20), (21, 2000))
    )
    assert (once == 1000).all()
    assert (few >= 1000).all()
    assert many.min() >= 500
    for part in (many < 1000, many == 1000, many > 1000, few == 1000, few > 1000):
        assert part.any()
    assert cells["range"].max() < 100_000
    long = cells.filter(pl.col("range") > 1000)["range"]
    assert long.median() == pytest.approx(FIGURES["radios"][radio]["range_above_1000_m"]["median"], rel=0.2)


@each_radio
def test_range_shares_of_each_class_of_samples(radio):
    cells, least = all_cells(radio), 1
    for rule in FIGURES["radios"][radio]["range_rule"]:
        part = cells.filter(pl.col("samples").is_between(least, rule["samples_to"]))["range"]
        least = rule["samples_to"] + 1
        if len(part) >= 100:
            assert (part == 1000).mean() == pytest.approx(rule["at_1000"], abs=2.0 / np.sqrt(len(part)))
            assert (part < 1000).mean() == pytest.approx(rule["below_1000"], abs=2.0 / np.sqrt(len(part)))


@each_radio
def test_quantiles_of_the_samples(radio):
    samples = all_cells(radio)["samples"]
    for share, value in FIGURES["radios"][radio]["samples_quantiles"].items():
        assert samples.quantile(float(share), "nearest") == pytest.approx(value, rel=0.3, abs=2)


def test_units_and_times():
    cells = pl.concat(SAMPLES.values())
    for unit, share in FIGURES["unit_unknown"].items():
        assert (cells["unit"] == int(unit)).mean() == pytest.approx(share, abs=0.01)
    never = cells.filter(pl.col("created") == pl.col("updated"))
    assert never.height / cells.height == pytest.approx(FIGURES["created_is_updated"], abs=0.01)
    assert set(never["samples"]) == {1}
    assert (cells["created"] <= cells["updated"]).all()
    assert cells["updated"].is_between(SNAPSHOT - WINDOW_S, SNAPSHOT).all()
    years = shares(cells.with_columns(year=pl.from_epoch("created").dt.year()), "year")
    for year, share in FIGURES["created_year"].items():
        assert years.get(year, 0.0) == pytest.approx(share, abs=0.015)


def concentration(cells: pl.DataFrame, share: float) -> float:
    """Share of cells in the densest `share` of the non-empty tiles of 0.05 degrees; tiles may count in part."""
    tiles = cells.group_by((pl.col("lat") / 0.05).floor(), (pl.col("lon") / 0.05).floor()).len()["len"]
    rising = np.concatenate([[0], tiles.sort(descending=True).cast(pl.Float64).cum_sum().to_numpy()])
    return float(np.interp(share * len(tiles), np.arange(len(rising)), rising) / rising[-1])


@each_region
def test_cells_are_as_concentrated_as_published(region):
    tiles = FIGURES["regions"][region]["tiles"]
    assert concentration(SAMPLES[region], 0.01) == pytest.approx(tiles["top1pct"], abs=0.05)
    assert concentration(SAMPLES[region], 0.10) == pytest.approx(tiles["top10pct"], abs=0.05)


@each_region
def test_a_sample_holds_many_more_sites_than_nodes(region):
    spec, ledger = region_spec(region), Ledger()
    sites = find_sites(filter_cells(read_cells(sample_path(region), ledger), spec, ledger, region))
    assert sites.height > 15 * spec.nodes
    assert {entry.filter for entry in ledger.entries if entry.rows} == {"samples"}


@pytest.mark.parametrize("region", SCALES)
def test_a_trap_scale_has_sites_enough_to_choose_from(region):
    spec, ledger = region_spec(region), Ledger()
    sites = find_sites(filter_cells(read_cells(sample_path(region), ledger), spec, ledger, region))
    assert HOST_SHARE * sites.height > 4 * spec.nodes


@pytest.mark.parametrize(("region", "least"), [("s1", 15), ("s2", 25), ("s3", 35), ("s4", 30)])
def test_cities_lie_in_their_region(region, least):
    cities = pl.read_csv(FOLDER / "cities.csv").filter(pl.col("region") == region)
    west, south, east, north = region_spec(region).bbox
    assert cities.height >= least
    assert cities["name"].n_unique() == cities.height
    assert cities["lat"].is_between(south, north).all()
    assert cities["lon"].is_between(west, east).all()
