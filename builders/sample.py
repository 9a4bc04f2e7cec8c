"""The bundled sample: cells in OpenCellID's columns, generated around real cities after measured figures.

Not one row is taken from OpenCellID or anyone else: cities.csv holds public facts, calibration.json figures.
`python -m builders.sample` writes the files again.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import ndtri

from builders.cells import OPENCELLID_COLUMNS
from builders.geo import sphere_km
from edgebench.atomic import atomic_path
from edgebench.registry import region_spec
from edgebench.sim.counter import uniforms
from edgebench.spec import RegionSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDER: Final = Path(__file__).resolve().parent / "data"
SAMPLE_REGIONS: Final = ("s1", "s2", "s3", "s4")
"""The regions `calibration.json` has figures of."""
SCALES: Final = {"trap500": ("s1", 10_000), "trap1000": ("s2", 17_000), "trap2000": ("s3", 30_000)}
"""The trap scales: the region whose figures and cities are followed, and the cells; six sites a node or more."""
SNAPSHOT: Final = 1769826605
"""When the sample pretends to have been exported: 2026-01-31 02:30:05 UTC."""
WINDOW_S: Final = 549 * 86400
"""An export holds cells updated in the last 18 months."""
UPDATED_BEGIN: Final = 0.54
"""Density of updates at the window's begin over its mean: 3 % of the rows a month, rising to 8 %."""
KM_PER_DEGREE: Final = 111.195
CITY_POPULATION: Final = 100_000.0
STATIONS_PER_MAST: Final = 1.5
"""Operators share masts; the figure is EdgeBench's."""
ROAD_WIDTH_KM: Final = 2.0
"""How far from the straight line between two cities the thin background lies, standard deviation."""
CITY_EXPONENT: Final = 1.2
"""A city's weight is its population to this power; with the next two, fitted to the shares of the densest tiles."""
CITY_DECAY_KM: Final = 0.4
"""Density falls as exp(-r / decay) from the centre (Clark, "Urban Population Densities", 1951); for 100,000 people."""
RURAL_SHARE: Final = 0.25
"""Share of masts along the roads between cities."""


def sample_path(region_name: str) -> Path:
    """The bundled sample of a region, a per-MCC file of cells with a header."""
    return FOLDER / f"sample_{region_name}.csv.gz"


def write_samples(folder: Path) -> None:
    """Write `sample_<region>.csv.gz` of every registered region into `folder`, the same bytes every time."""
    for region in (*SAMPLE_REGIONS, *SCALES):
        packed = gzip.compress(make_sample(region).write_csv().encode(), compresslevel=9, mtime=0)
        with atomic_path(folder / sample_path(region).name) as temporary:
            temporary.write_bytes(packed)
            temporary.chmod(0o644)


def calibration() -> dict[str, Any]:
    """The figures the sample follows: `radios`, `regions` and shares of single columns, with their source."""
    figures: dict[str, Any] = json.loads((FOLDER / "calibration.json").read_text(encoding="utf-8"))
    return figures


def make_sample(region: str) -> pl.DataFrame:
    """Generate the cells of a region, sorted by identity: the 14 columns of OpenCellID, always the same values."""
    figures, spec, draw = calibration(), region_spec(region), _Draws((*SAMPLE_REGIONS, *SCALES).index(region))
    country, count = SCALES.get(region, (region, 0))
    about = figures["regions"][country]
    stations = _stations(figures, about, count or about["cells"], draw)
    stations = stations.with_columns(*_masts(stations.height, country, draw))
    cells = _positions(_cells(stations, about, draw), figures, spec, draw)
    measured = cells.with_columns(*_measurements(cells, figures, draw)).with_columns(mcc=pl.lit(spec.mcc[0], pl.Int64))
    return measured.select(OPENCELLID_COLUMNS).sort("radio", "net", "area", "cell")


class _Draws:
    """Hashed draws of one region; every call takes a stream of its own, in the order of the calls."""

    def __init__(self, seed: int) -> None:
        self._seed, self._stream = seed, 300

    def uniform(self, count: int) -> Floats:
        """`count` draws strictly between 0 and 1."""
        self._stream += 1
        return np.asarray(uniforms(self._seed, self._stream, count) + 2.0**-54, np.float64)

    def normal(self, count: int) -> Floats:
        """`count` standard normal draws."""
        return np.asarray(ndtri(self.uniform(count)), np.float64)

    def among(self, shares: dict[str, float], count: int) -> Ints:
        """`count` of the integers that are the keys of `shares`."""
        keys = np.array([int(key) for key in shares], np.int64)
        bounds = np.cumsum(list(shares.values()))
        return keys[np.searchsorted(bounds / bounds[-1], self.uniform(count), side="right")]


def _stations(figures: dict[str, Any], about: dict[str, Any], cells: int, draw: _Draws) -> pl.DataFrame:
    """One row a station: radio, net, its number `base` within both, its count of cells `size`."""
    parts = []
    for net, share in about["operators"].items():
        for radio, part in about["radio_given_operator"][net].items():
            pmf = about["cells_per_enb"] if radio == "LTE" else figures["cells_per_station"][radio]
            sizes = _sizes(round(cells * share * part), pmf, draw)
            columns = {"radio": radio, "net": int(net), "base": np.arange(len(sizes)), "size": sizes}
            parts.append(pl.DataFrame(columns, schema_overrides={"net": pl.Int64}))
    return pl.concat(parts)


def _sizes(cells: int, pmf: dict[str, float], draw: _Draws) -> Ints:
    """Cells of as many stations as `cells` fill; the last one gets what is left."""
    sizes = draw.among(pmf, max(cells, 1))
    ends = np.cumsum(sizes)
    full = int(np.searchsorted(ends, cells, side="right"))
    rest = cells - (int(ends[full - 1]) if full else 0)
    return np.append(sizes[:full], rest) if rest else sizes[:full]


def _masts(stations: int, country: str, draw: _Draws) -> list[pl.Series]:
    """Where each station stands: the city it belongs to, and the latitude and longitude of its mast in degrees."""
    cities = pl.read_csv(FOLDER / "cities.csv").filter(pl.col("region") == country)
    place, people = cities.select("lat", "lon").to_numpy(), cities["population"].to_numpy().astype(np.float64)
    count = int(stations / STATIONS_PER_MAST)
    home, urban = _in_cities(place, people, count, draw)
    near, rural = _along_roads(place, count, draw)
    is_rural = draw.uniform(count) < RURAL_SHARE
    city, mast = np.where(is_rural, near, home), np.where(is_rural[:, None], rural, urban)
    chosen = (draw.uniform(stations) * count).astype(np.int64)
    columns = {"city": city[chosen], "lat": mast[chosen, 0], "lon": mast[chosen, 1]}
    return [pl.Series(name, values) for name, values in columns.items()]


def _in_cities(place: Floats, people: Floats, count: int, draw: _Draws) -> tuple[Ints, Floats]:
    """Points in cities: the city, and the position in degrees [count, 2]."""
    weight = np.cumsum(people**CITY_EXPONENT)
    home = np.searchsorted(weight / weight[-1], (np.arange(count) + draw.uniform(count)) / count, side="right")
    decay_km = CITY_DECAY_KM * np.sqrt(people[home] / CITY_POPULATION)
    radius_km = -decay_km * np.log(draw.uniform(count) * draw.uniform(count))
    return home, _moved(place[home], radius_km, draw.uniform(count))


def _along_roads(place: Floats, count: int, draw: _Draws) -> tuple[Ints, Floats]:
    """Points near a line from a city to one of its three nearest: the city, and the position in degrees [count, 2]."""
    points = sphere_km(place[:, 0], place[:, 1])
    _, near = cKDTree(points).query(points, k=4)
    start = (draw.uniform(count) * len(place)).astype(np.int64)
    end = np.asarray(near, np.int64)[start, 1 + (3 * draw.uniform(count)).astype(np.int64)]
    along = draw.uniform(count)[:, None]
    road = place[start] * (1.0 - along) + place[end] * along
    return start, _moved(road, ROAD_WIDTH_KM * np.abs(draw.normal(count)), draw.uniform(count))


def _moved(start: Floats, km: Floats, turn: Floats) -> Floats:
    """Positions `km` away from `start` [n, 2], in a direction given as a share of a full turn."""
    angle = 2.0 * np.pi * turn
    lat = start[:, 0] + km * np.sin(angle) / KM_PER_DEGREE
    lon = start[:, 1] + km * np.cos(angle) / (KM_PER_DEGREE * np.cos(np.radians(start[:, 0])))
    return np.stack([lat, lon], axis=1)


def _cells(stations: pl.DataFrame, about: dict[str, Any], draw: _Draws) -> pl.DataFrame:
    """One row a cell with its area and number; `lat` and `lon` are still the mast's."""
    sector = _sectors(stations["size"].to_numpy(), about["sectors"], draw)
    cells = stations.select(pl.all().repeat_by("size").explode()).with_columns(
        k=pl.int_range(pl.len()).over("radio", "net", "base"), sector=pl.Series(sector)
    )
    base, city, k = pl.col("base"), pl.col("city"), pl.col("k")
    area = {"GSM": 100 + city, "UMTS": 20_000 + city, "LTE": 40_000 + city, "NR": 10_000_000 + 256 * city}
    number = {
        "GSM": 10 * base + k + 1001,
        "UMTS": 65536 * (10 + city) + 10 * base + k + 1001,
        "LTE": 256 * (1000 + 7 * base) + pl.col("sector"),
        "NR": 4096 * (1_000_000 + 11 * base) + k + 1,
    }
    return cells.with_columns(_by_radio(area).alias("area"), _by_radio(number).alias("cell"))


def _by_radio(choices: dict[str, pl.Expr]) -> pl.Expr:
    return pl.coalesce(*[pl.when(pl.col("radio") == radio).then(value) for radio, value in choices.items()])


def _sectors(sizes: Ints, shares: dict[str, float], draw: _Draws) -> Ints:
    """Distinct sector numbers for each station, the common ones first (Efraimidis and Spirakis, weighted sampling)."""
    names = np.array([int(name) for name in shares], np.int64)
    rates = np.array(list(shares.values()))
    keys = -np.log(draw.uniform(len(sizes) * len(names))).reshape(len(sizes), -1) / rates
    order = np.argsort(keys, axis=1, kind="stable")
    return names[order][np.arange(len(names)) < sizes[:, None]]


def _positions(cells: pl.DataFrame, figures: dict[str, Any], spec: RegionSpec, draw: _Draws) -> pl.DataFrame:
    """Cells where phones measured them: log-normally far from the mast, four decimals, inside the region's box."""
    far = figures["cell_offset_m"]
    sigma = np.log(far["q90"] / far["median"]) / ndtri(0.9)
    km = far["median"] / 1000.0 * np.exp(sigma * draw.normal(cells.height))
    moved = _moved(cells.select("lat", "lon").to_numpy(), km, draw.uniform(cells.height))
    west, south, east, north = spec.bbox
    placed = cells.with_columns(lat=pl.Series(np.round(moved[:, 0], 4)), lon=pl.Series(np.round(moved[:, 1], 4)))
    return placed.filter(pl.col("lat").is_between(south, north) & pl.col("lon").is_between(west, east))


def _measurements(cells: pl.DataFrame, figures: dict[str, Any], draw: _Draws) -> list[pl.Series]:
    """The columns that say how a cell was measured."""
    count = cells.height
    radio = cells["radio"].to_numpy()
    samples, reach = np.ones(count, np.int64), np.ones(count, np.int64)
    draws = [draw.uniform(count) for _ in range(3)]
    for name, rules in figures["radios"].items():
        rows = np.flatnonzero(radio == name)
        samples[rows] = _samples(draws[0][rows], rules["samples_cdf"])
        reach[rows] = _ranges(samples[rows], draws[1][rows], draws[2][rows], rules)
    created, updated = _times(samples, figures, draw)
    unit = draw.among({**figures["unit_unknown"], "1": 1.0 - sum(figures["unit_unknown"].values())}, count)
    code = 1 + (503 * draw.uniform(count)).astype(np.int64)
    columns = {"unit": np.where(unit == 1, code, unit), "range": reach, "samples": samples}
    constant = {"changeable": np.ones(count, np.int64), "averageSignal": np.zeros(count, np.int64)}
    times = {"created": created, "updated": updated}
    return [pl.Series(name, values) for name, values in {**columns, **constant, **times}.items()]


def _samples(u: Floats, cdf: dict[str, float]) -> Ints:
    """Sample counts with the given distribution function, linear between its knots."""
    knots = [0.0, *map(float, cdf)]
    return np.ceil(np.round(np.interp(u, [0.0, *cdf.values()], knots), 9)).astype(np.int64)


def _ranges(samples: Ints, choice: Floats, size: Floats, rules: dict[str, Any]) -> Ints:
    """Range in metres: exactly 1000, or 500 to 999, or above 1000 (1000 plus a log-normal), as the samples decide."""
    above = rules["range_above_1000_m"]
    mean = np.log(above["median"] - 1000.0)
    sigma = (np.log(above["q99"] - 1000.0) - mean) / ndtri(0.99)
    row = np.searchsorted([rule["samples_to"] for rule in rules["range_rule"]], samples)
    at_1000 = np.array([rule["at_1000"] for rule in rules["range_rule"]])[row]
    below = np.array([rule["below_1000"] for rule in rules["range_rule"]])[row]
    short = 500 + np.floor(500 * size)
    long = 1000 + np.ceil(np.minimum(np.round(np.exp(mean + sigma * ndtri(size)), 6), 97_000.0))
    return np.where(choice < at_1000, 1000, np.where(choice < at_1000 + below, short, long)).astype(np.int64)


def _times(samples: Ints, figures: dict[str, Any], draw: _Draws) -> tuple[Ints, Ints]:
    """Unix seconds of creation and last update; the two agree for most cells that were measured once."""
    count, never = len(samples), figures["created_is_updated"]
    rise = _rise(draw.uniform(count))
    once = (samples == 1) & (draw.uniform(count) < never / np.mean(samples == 1))
    year = draw.among(_years_of_updated_cells(figures["created_year"], never), count)
    start = np.array([_year_start(first) for first in year])
    span = np.minimum(np.array([_year_start(first + 1) for first in year]), SNAPSHOT) - start
    created = start + np.floor(span * draw.uniform(count))
    seen = np.maximum(np.where(once, 0, created), SNAPSHOT - WINDOW_S)
    updated = seen + np.ceil((SNAPSHOT - seen) * rise)
    return np.where(once, updated, created).astype(np.int64), updated.astype(np.int64)


def _rise(u: Floats) -> Floats:
    """Where in the window an update falls (0 to 1): its density rises linearly from `UPDATED_BEGIN`."""
    slope = 1.0 - UPDATED_BEGIN
    return np.asarray((np.sqrt(UPDATED_BEGIN**2 + 4.0 * slope * u) - UPDATED_BEGIN) / (2.0 * slope), np.float64)


def _years_of_updated_cells(created_year: dict[str, float], never: float) -> dict[str, float]:
    """Years of creation of the cells updated later: the published years less those of the cells never updated."""
    shares = {}
    for year, share in created_year.items():
        ends = np.array([_year_start(int(year)), _year_start(int(year) + 1)])
        part = np.clip((ends - (SNAPSHOT - WINDOW_S)) / WINDOW_S, 0.0, 1.0)
        fresh = UPDATED_BEGIN * part + (1.0 - UPDATED_BEGIN) * part**2
        shares[year] = share - never * float(fresh[1] - fresh[0])
    return shares


def _year_start(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


if __name__ == "__main__":
    write_samples(FOLDER)
