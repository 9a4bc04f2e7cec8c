"""The reader of the Azure Functions trace, on files made here in its format, whole and broken."""

import csv
import math

import numpy as np
import pytest

from edgebench.errors import EdgeBenchError
from edgebench.tracks.offload.azure import BINS, AzureWorkload, read_azure, split_of
from edgebench.tracks.offload.env import OffloadEnv

HEADER = ["HashOwner", "HashApp", "HashFunction", "Trigger", *map(str, range(1, 1441))]


def day(phase, *, peak=40.0):
    """Invocations a minute over a day, none at night."""
    return [
        max(0, round(peak * math.sin(2 * math.pi * (minute / 1440 + phase)) + 0.3 * peak)) for minute in range(1440)
    ]


def write_day(folder, number, rows, header=HEADER):
    with (folder / f"invocations_per_function_md.anon.d{number:02}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def functions(count, *, trigger="http"):
    return [[f"owner{n}", f"app{n}", f"function{n}", trigger, *day(n / count)] for n in range(count)]


@pytest.fixture
def trace(tmp_path):
    """Two days of 30 functions, and rows that are not to be kept: a timer, a silent one, a flat one, a spike."""
    odd = [
        ["o", "a", "timer", "timer", *day(0.0)],
        ["o", "a", "silent", "http", *[0] * 1440],
        ["o", "a", "flat", "http", *[7] * 1440],
        ["o", "a", "spike", "http", *[0] * 700, 1000, *[0] * 739],
    ]
    for number in (1, 2):
        write_day(tmp_path, number, functions(30) + odd)
    return tmp_path


def test_days_are_split_by_function_and_scaled_to_a_mean_of_1(trace):
    found = read_azure(trace)
    names = [split_of(f"owner{n}", f"app{n}", f"function{n}") for n in range(30)]
    assert {split: len(days) for split, days in found.days.items()} == {
        split: 2 * names.count(split) for split in ("train", "val", "test")
    }
    assert set(names) == {"train", "val", "test"}
    for days in found.days.values():
        assert days.shape[1] == BINS
        assert days.mean(axis=1) == pytest.approx(1.0)
        assert (days == 0.0).any()
    fives = np.array(day(names.index("test") / 30)).reshape(BINS, 5).sum(axis=1)
    assert found.days["test"][0] == pytest.approx(fives / fives.mean())


def test_no_function_is_in_two_splits(trace):
    days = {split: {row.tobytes() for row in rows} for split, rows in read_azure(trace).days.items()}
    assert not days["train"] & days["test"]
    assert not days["train"] & days["val"]
    assert not days["val"] & days["test"]


def test_an_environment_plays_a_trace_by_folder_or_once_read(regions, trace):
    rewards = []
    for workload in (trace, str(trace), read_azure(trace), "sinusoidal"):
        env = OffloadEnv(regions["s1"], workload=workload)
        env.reset(options={"window": 0, "seed": 0})
        keep = np.eye(10, dtype=np.float32)[np.zeros(25, int)]
        rewards.append([env.step(keep)[1] for _ in range(30)])
    assert rewards[0] == rewards[1] == rewards[2] != rewards[3]


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda header, rows: header.remove("Trigger"), "column 'Trigger' is missing"),
        (lambda header, rows: header.pop(), "column '1440' is missing"),
        (lambda header, rows: rows[3].__setitem__(10, "many"), "'many' in minute 7 is no count"),
        (lambda header, rows: rows[3].__setitem__(10, -4), "'-4' in minute 7 is no count"),
        (lambda header, rows: rows[3].__setitem__(10, ""), "in minute 7 is no count"),
        (lambda header, rows: rows[3].__delitem__(slice(1000, None)), "in minute 997 is no count"),
        (lambda header, rows: rows[3].extend([1, 2, 3]), "unreadable"),
    ],
)
def test_a_broken_file_is_refused_with_its_name(tmp_path, spoil, what):
    header, rows = list(HEADER), functions(6)
    spoil(header, rows)
    write_day(tmp_path, 3, rows, header)
    with pytest.raises(EdgeBenchError) as error:
        read_azure(tmp_path)
    assert what in error.value.what
    assert "anon.d03.csv" in error.value.where
    assert "line 5" in error.value.where or "no count" not in what
    assert "download" in error.value.mend


def test_an_empty_file_a_folder_without_days_and_no_folder_are_refused(regions, tmp_path):
    with pytest.raises(EdgeBenchError, match="no day of the Azure Functions trace"):
        read_azure(tmp_path)
    (tmp_path / "invocations_per_function_md.anon.d01.csv").touch()
    with pytest.raises(EdgeBenchError, match="unreadable"):
        read_azure(tmp_path)
    with pytest.raises(EdgeBenchError, match="did you mean 'sinusoidal'"):
        OffloadEnv(regions["s1"], workload="sinusoid")


def test_a_split_without_functions_is_refused(regions):
    empty = AzureWorkload({split: np.zeros((0, BINS)) for split in ("train", "val", "test")})
    with pytest.raises(EdgeBenchError, match="no function of split 'train'"):
        OffloadEnv(regions["s1"], workload=empty).reset()


def test_a_day_without_callers_leaves_nothing(tmp_path):
    write_day(tmp_path, 1, functions(4, trigger="queue"))
    assert all(len(days) == 0 for days in read_azure(tmp_path).days.values())
