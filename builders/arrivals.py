"""When the tasks of each split arrive, and whose they are; every process has the same mean rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.streams import Stream, grid
from edgebench.constants import (
    BURST_GAPS_MS,
    BURST_TASKS,
    DIURNAL_PEAK_HOUR,
    DIURNAL_SWING,
    ON_OFF_S,
    ON_TASKS,
)
from edgebench.spec import ArrivalProcess

Draws = NDArray[np.float64]
DAY_HOURS: Final = 24.0
DEGREES_PER_HOUR: Final = 15.0
"""The sun's way over the longitudes."""
DAY_STEPS: Final = 1440
"""Steps in which the day is integrated."""


def draw_arrivals(
    owners: Sequence[NDArray[np.int32]], lon: Draws, process: ArrivalProcess, rate: float, seed: int
) -> pl.DataFrame:
    """Let the tasks of each split arrive, at `rate` a second on average.

    `poisson`: independent. `bursty`: a gap, then `BURST_TASKS` tasks at short gaps. `on-off`: Poisson arrivals in
    on-periods alone. `diurnal`: each split is one day, of 24 hours compressed to its tasks over `rate`; a user asks by
    the solar hour of where he is, most at `DIURNAL_PEAK_HOUR`, so who asks moves with the sun.

    Args:
        owners: The user of each task, split by split (`builders.users.owners_of`).
        lon: Longitude in degrees of each user.
        process: Which of these.
        rate: Tasks a second.
        seed: Seed of the hashed draws.

    Returns:
        user_id, and arrival_ms from the start of its split: whole microseconds, strictly rising within a split.
    """
    draws = grid(seed, Stream.ARRIVAL, len(owners), max(len(tasks) for tasks in owners))
    parts = []
    for tasks, drawn in zip(owners, draws, strict=True):
        mine = drawn[: len(tasks)]
        if process == "diurnal":
            moment_s = _through_the_day(mine, lon[tasks], len(tasks) / rate)
        else:
            moment_s = _PROCESSES[process](mine, rate)
        order = np.argsort(moment_s, kind="stable")
        parts.append(pl.DataFrame({"user_id": tasks[order], "arrival_ms": _rising(moment_s[order])}))
    return pl.concat(parts)


def _rising(moment_s: Draws) -> Draws:
    """Ascending moments in ms, each at least a microsecond after the one before."""
    number = 1.0 + np.arange(len(moment_s))
    return np.asarray((np.maximum.accumulate(np.rint(moment_s * 1e6) - number).clip(0.0) + number) / 1000.0)


def _poisson(draws: Draws, rate: float) -> Draws:
    gaps_us = np.rint(-np.log1p(-draws) / rate * 1e6)
    return np.asarray(np.cumsum(np.maximum(gaps_us, 1.0)) / 1e6)


def _bursty(draws: Draws, rate: float) -> Draws:
    """The first task of a burst comes after the long gap, the others after short ones."""
    first = np.arange(len(draws)) % BURST_TASKS == 0
    least, most = np.array(BURST_GAPS_MS).T
    gaps = np.where(first, least[0] + (most - least)[0] * draws, least[1] + (most - least)[1] * draws)
    means = (least + most) / 2.0
    mean_gap = (means[0] + (BURST_TASKS - 1) * means[1]) / BURST_TASKS
    return np.asarray(np.cumsum(gaps / mean_gap) / rate)


def _on_off(draws: Draws, rate: float) -> Draws:
    """A split starts in the middle of an off-period, so that the mean rate is met however many periods it spans."""
    on, off = (seconds / sum(ON_OFF_S) * ON_TASKS / rate for seconds in ON_OFF_S)
    in_on_time = _poisson(draws, rate * (on + off) / on)
    return np.asarray(in_on_time + off * (np.floor(in_on_time / on) + 0.5))


def _through_the_day(draws: Draws, lon: Draws, day_s: float) -> Draws:
    """The moment of each task in the day of Greenwich: the inverse of the share of a user's tasks asked until then."""
    turn = np.linspace(0.0, 1.0, DAY_STEPS + 1)
    moments = np.empty(len(draws))
    for place in np.unique(lon):
        phase = 2.0 * np.pi * (turn + (place / DEGREES_PER_HOUR - DIURNAL_PEAK_HOUR) / DAY_HOURS)
        asked = turn + DIURNAL_SWING / (2.0 * np.pi) * (np.sin(phase) - np.sin(phase[0]))
        mine = lon == place
        moments[mine] = np.interp(draws[mine], asked, turn)
    return moments * day_s


_PROCESSES: Final[Mapping[ArrivalProcess, Callable[[Draws, float], Draws]]] = {
    "poisson": _poisson,
    "bursty": _bursty,
    "on-off": _on_off,
}
