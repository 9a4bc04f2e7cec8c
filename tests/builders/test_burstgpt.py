from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.burstgpt import COLUMNS, describe_trace, read_trace
from edgebench.errors import EdgeBenchError

HEADER = ",".join(COLUMNS)


def trace_of(folder: Path, *totals: object, header: str = HEADER) -> Path:
    path = folder / "trace.csv"
    rows = [f"{second},ChatGPT,1,1,{total},Conversation log" for second, total in enumerate(totals)]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_lengths_are_sorted_and_failed_requests_dropped_and_counted(tmp_path: Path) -> None:
    trace = read_trace(trace_of(tmp_path, 1317, 0, 490, "", 490))
    assert trace.lengths.tolist() == [490, 490, 1317]
    assert (trace.rows, trace.dropped) == (5, 2)
    assert describe_trace(tmp_path / "trace.csv") == {"rows": 5, "dropped": 2}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 2**31 - 1), min_size=1).filter(any))
def test_what_is_read_is_what_was_written(tmp_path_factory: pytest.TempPathFactory, totals: list[int]) -> None:
    trace = read_trace(trace_of(tmp_path_factory.mktemp("trace"), *totals))
    assert trace.lengths.tolist() == sorted(total for total in totals if total)


def test_columns_may_stand_in_any_order_with_more_of_them(tmp_path: Path) -> None:
    path = tmp_path / "later.csv"
    path.write_text(
        "Session ID,Total tokens,Log Type,Timestamp,Model,Request tokens,Response tokens\r\n7,12,a,0,m,4,8\r\n"
    )
    assert read_trace(path).lengths.tolist() == [12]


def test_a_compressed_trace_is_read_as_a_plain_one(tmp_path: Path) -> None:
    plain = trace_of(tmp_path, 5, 6)
    packed = tmp_path / "trace.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_trace(packed).lengths.tolist() == [5, 6]


@pytest.mark.parametrize(
    ("total", "message"),
    [
        ("2.5", "holds '2.5'"),
        ("many", "holds 'many'"),
        (-2, "holds -2"),
        (2**31, f"holds {2**31}"),
        (0, "no request has tokens"),
        ("", "no request has tokens"),
    ],
)
def test_totals_that_are_no_token_counts_are_refused(tmp_path: Path, total: object, message: str) -> None:
    with pytest.raises(EdgeBenchError, match=message):
        read_trace(trace_of(tmp_path, total))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty CSV"),
        (b"5,ChatGPT,472,18,490,Conversation log\n", "it lacks Timestamp, Model"),
        (HEADER.replace("Total tokens,", "").encode() + b"\n", "it lacks Total tokens"),
        (HEADER.encode() + b"\n", "no request has tokens"),
        (HEADER.encode() + b"\n5,Ch\xe9,1,1,5,x\n", "invalid utf-8"),
        (gzip.compress(HEADER.encode() + b"\n1,m,1,1,2,x\n", mtime=0)[:-12], "end of file"),
    ],
    ids=("empty", "no header", "a column short", "no rows", "not UTF-8", "cut short"),
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(EdgeBenchError, match=message) as refused:
        read_trace(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EdgeBenchError, match="no such file"):
        read_trace(tmp_path / "nowhere.csv")
