import math

import pytest
from harness_toy import METRICS, ROUTE
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebench.errors import EdgeBenchError
from edgebench.harness.episodes import EpisodeKey, EpisodeResult
from edgebench.harness.journal import Journal, columns_of, read_episodes, read_rows, to_frame, to_row


def result(region="toy", window=0, seed=0, value=0.1, status="ok", detail=""):
    return EpisodeResult(EpisodeKey(region, "trap", window, seed), status, detail, dict.fromkeys(METRICS, value))


def row(**changes):
    return to_row(result(**changes), track="route", edition="sample", split="test", episode=0)


def filled(path, count=3):
    journal = Journal(path, ROUTE)
    for window in range(count):
        journal.add(row(window=window))
    return journal


@settings(deadline=None, max_examples=50)
@given(st.floats(allow_nan=False, allow_infinity=False), st.text(alphabet=st.characters(codec="ascii"), max_size=30))
def test_rows_read_back_exactly(tmp_path_factory, value, detail):
    path = tmp_path_factory.mktemp("run") / "episodes.csv"
    journal = Journal(path, ROUTE)
    journal.add(row(value=value, detail=" ".join(detail.split())))
    assert read_rows(path, ROUTE) == journal.rows
    assert math.copysign(1.0, read_episodes(path, ROUTE)["utility"][0]) == math.copysign(1.0, value)
    assert read_episodes(path, ROUTE)["utility"][0] == value


def test_each_row_is_on_disk_at_once(tmp_path):
    journal = Journal(tmp_path / "episodes.csv", ROUTE)
    for count in (1, 2, 3):
        journal.add(row(window=count))
        assert len(read_rows(tmp_path / "episodes.csv", ROUTE)) == count


@pytest.mark.parametrize("lost", [1, 5, 60])
def test_a_torn_last_line_is_cut_off(tmp_path, lost):
    path = tmp_path / "episodes.csv"
    kept = filled(path).rows[:2]
    path.write_bytes(path.read_bytes()[:-lost])
    journal = Journal(path, ROUTE)
    assert journal.rows == kept
    journal.add(row(window=2))
    assert len(read_rows(path, ROUTE)) == 3


def test_a_torn_header_begins_again(tmp_path):
    path = tmp_path / "episodes.csv"
    path.write_bytes(b"track,edi")
    filled(path)
    assert len(read_rows(path, ROUTE)) == 3


def test_finished_rows_are_sorted_by_key(tmp_path):
    journal = Journal(tmp_path / "episodes.csv", ROUTE)
    for region, window, seed in [("b", 0, 0), ("a", 10, 0), ("a", 9, 1), ("a", 9, 0)]:
        journal.add(row(region=region, window=window, seed=seed))
    journal.finish()
    keys = [(r["region"], r["window"], r["seed"]) for r in read_rows(tmp_path / "episodes.csv", ROUTE)]
    assert keys == [("a", "9", "0"), ("a", "9", "1"), ("a", "10", "0"), ("b", "0", "0")]


def test_the_table_is_typed_and_a_missing_figure_is_nan():
    frame = to_frame([row(value=None, status="error", detail='it, "broke"'), row(window=1)], ROUTE)
    assert list(frame.columns) == list(columns_of(ROUTE))
    assert frame["window"].dtype == "int64" and frame["utility"].dtype == "float64"
    assert math.isnan(frame["utility"][0]) and frame["detail"].tolist() == ['it, "broke"', ""]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace("utility", "usefulness"), "columns"),
        (lambda text: text + text.splitlines()[-1] + "\n", "occurs twice"),
        (lambda text: text.replace(",ok,", ","), "cells, expected"),
        (lambda text: text.replace("0.1", "much"), "utility is 'much'"),
        (lambda text: text.replace("test,trap,0,0,0", "test,trap,0,zero,0"), "window is 'zero'"),
        (lambda text: "", "columns"),
    ],
)
def test_a_foreign_table_is_refused_with_the_row(tmp_path, damage, message):
    path = tmp_path / "episodes.csv"
    filled(path)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(EdgeBenchError, match=rf"{message}[\s\S]*row \d"):
        read_episodes(path, ROUTE)


def test_without_a_path_rows_stay_in_memory():
    journal = filled(None)
    journal.finish()
    assert len(journal.rows) == 3
