from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.arrivals import draw_arrivals
from builders.users import owners_of
from edgebench.constants import BURST_TASKS, DIURNAL_PEAK_HOUR, ON_OFF_S, ON_TASKS, SPLIT_TASKS, SPLIT_USERS
from edgebench.spec import ArrivalProcess

PROCESSES = ("poisson", "bursty", "on-off", "diurnal")
USERS = sum(SPLIT_USERS.values())
TASKS = tuple(SPLIT_TASKS.values())


def arrivals(process: ArrivalProcess, rate: float = 1.4, seed: int = 8, lon: np.ndarray | None = None) -> pl.DataFrame:
    return draw_arrivals(owners_of(seed), np.full(USERS, 7.4) if lon is None else lon, process, rate, seed)


def splits_of(table: pl.DataFrame) -> list[pl.DataFrame]:
    starts = np.cumsum((0, *TASKS[:-1]))
    return [table[start : start + count] for start, count in zip(starts.tolist(), TASKS, strict=True)]


def gaps_s(process: ArrivalProcess, rate: float = 1.4) -> np.ndarray:
    train = splits_of(arrivals(process, rate))[0]["arrival_ms"].to_numpy() / 1000.0
    return np.diff(train, prepend=0.0)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(PROCESSES), st.floats(1e-3, 1e3), st.integers(0, 2**62))
def test_every_process_has_the_same_mean_rate_and_rises(process: ArrivalProcess, rate: float, seed: int) -> None:
    table = arrivals(process, rate, seed)
    for part, owners in zip(splits_of(table), owners_of(seed), strict=True):
        moments = part["arrival_ms"].to_numpy()
        assert (np.diff(moments, prepend=0.0) > 0).all()
        assert moments[-1] / 1000.0 * rate / len(moments) == pytest.approx(1.0, abs=5.0 / len(moments) ** 0.5)
        assert sorted(part["user_id"]) == sorted(owners.tolist())
    assert table.equals(arrivals(process, rate, seed))
    assert not table["arrival_ms"].equals(arrivals(process, rate, seed + 1)["arrival_ms"])


@pytest.mark.parametrize("process", PROCESSES)
def test_twice_the_rate_is_the_same_in_half_the_time(process: ArrivalProcess) -> None:
    slow, fast = (arrivals(process, rate)["arrival_ms"].to_numpy() for rate in (1.0, 2.0))
    assert fast == pytest.approx(slow / 2.0, rel=1e-6, abs=1.0)


@pytest.mark.parametrize("process", PROCESSES)
def test_even_a_flood_of_arrivals_rises_strictly(process: ArrivalProcess) -> None:
    for part in splits_of(arrivals(process, 1e9)):
        assert (np.diff(part["arrival_ms"]) > 0).all()


def test_poisson_gaps_are_exponential() -> None:
    gaps = gaps_s("poisson")
    assert gaps.std() == pytest.approx(1 / 1.4, rel=0.1)
    assert np.median(gaps) == pytest.approx(np.log(2) / 1.4, rel=0.1)


def test_bursts_have_short_gaps_after_a_long_one() -> None:
    gaps = gaps_s("bursty").reshape(-1, BURST_TASKS) * 1.4 * 2.745
    assert ((gaps[:, 0] >= 20) & (gaps[:, 0] <= 25)).all()
    assert ((gaps[:, 1:] >= 0.5) & (gaps[:, 1:] <= 0.6)).all()


def test_nobody_asks_in_an_off_period() -> None:
    rate = 1.4
    moments = np.cumsum(gaps_s("on-off", rate))
    on, off = (seconds / sum(ON_OFF_S) * ON_TASKS / rate for seconds in ON_OFF_S)
    in_cycle = (moments - off / 2.0) % (on + off)
    assert in_cycle.max() < on + 1e-5
    assert in_cycle.mean() == pytest.approx(on / 2.0, rel=0.05)
    assert len(moments) * (on + off) / moments[-1] == pytest.approx(ON_TASKS, rel=0.1)


def test_a_split_is_a_day_and_its_rate_follows_the_sun() -> None:
    train = splits_of(arrivals("diurnal", 1.4, lon=np.zeros(USERS)))[0]
    hours = train["arrival_ms"].to_numpy() / 1000.0 * 1.4 / 1000 * 24.0
    assert hours.max() < 24.0
    counts = np.histogram(hours, 24, (0.0, 24.0))[0]
    hour = np.arange(24) + 0.5
    expected = 1000 / 24 * (1 + 0.8 * np.cos((hour - DIURNAL_PEAK_HOUR) / 24 * 2 * np.pi))
    assert np.abs(counts - expected).max() < 4 * expected.max() ** 0.5
    assert np.corrcoef(counts, expected)[0, 1] > 0.9


def test_who_asks_moves_with_the_sun() -> None:
    lon = np.where(np.arange(USERS) % 2 == 0, -90.0, 90.0)
    train = splits_of(arrivals("diurnal", 1.4, lon=lon))[0]
    hours = train["arrival_ms"].to_numpy() / 1000.0 * 1.4 / 1000 * 24.0
    turn = np.exp(2j * np.pi * hours / 24.0)
    for west, peak in ((True, DIURNAL_PEAK_HOUR + 6.0), (False, DIURNAL_PEAK_HOUR - 6.0)):
        mine = turn[(train["user_id"].to_numpy() % 2 == 0) == west]
        assert np.angle(mine.mean() * np.exp(-2j * np.pi * peak / 24.0)) == pytest.approx(0.0, abs=0.4)
