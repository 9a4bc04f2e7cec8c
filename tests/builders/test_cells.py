import gzip
import os
from pathlib import Path

import polars as pl
import pytest

from builders import raw_text
from builders.cells import SCHEMA, read_cells
from builders.ledger import Drop, Ledger
from edgebench.errors import EdgeBenchError

HEADER = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"
LTE = "LTE,228,1,65,26187265,-1,8.5417,47.3769,1000,7,1,1459814306,1741057142,0"
NR = "NR,228,2,16777214,49007018536,0,7.4474,46.948,1021,30,1,1459814306,1741057142,0"
MLS = "GSM,228,3,10,21,,6.1432,46.2044,,,,,,"
ROW = ("LTE", 228, 1, 65, 26187265, 8.5417, 47.3769, 1000, 7, 1459814306, 1741057142)


def table(*lines: str, end: str = "\n") -> bytes:
    return (end.join(lines) + end).encode()


def read(
    folder: Path, body: bytes, name: str = "cells.csv", mcc: tuple[int, ...] | None = None
) -> tuple[pl.DataFrame, Ledger]:
    path, ledger = folder / name, Ledger()
    path.write_bytes(body)
    return read_cells(path, ledger, mcc), ledger


def refusal(folder: Path, body: bytes, name: str = "cells.csv") -> EdgeBenchError:
    with pytest.raises(EdgeBenchError) as caught:
        read(folder, body, name)
    assert str(folder / name) in caught.value.where
    assert caught.value.mend
    return caught.value


FORMS = {
    "header": table(HEADER, LTE, NR),
    "no header": table(LTE, NR),
    "CRLF": table(HEADER, LTE, NR, end="\r\n"),
    "CRLF without header": table(LTE, NR, end="\r\n"),
    "BOM": b"\xef\xbb\xbf" + table(HEADER, LTE, NR),
    "BOM without header": b"\xef\xbb\xbf" + table(LTE, NR),
    "no line end": table(HEADER, LTE, NR).rstrip(),
    "blank around": table(HEADER, LTE.replace(",", " , "), NR),
    "whole numbers with a point": table(HEADER, LTE.replace("65,26187265", "65.0,26187265.0"), NR),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_form_reads_the_same(tmp_path, form, pack):
    cells, ledger = read(tmp_path, pack(FORMS[form]), "cells.csv.gz" if pack is gzip.compress else "cells.csv")
    assert cells.schema == pl.Schema(SCHEMA)
    assert cells.row(0) == ROW
    assert cells["cell"].to_list() == [26187265, 49007018536]
    assert [(drop.rows, drop.left) for drop in ledger.entries] == [(0, 2)] * 3


def test_gzip_is_known_by_its_magic_not_its_name(tmp_path):
    assert read(tmp_path, gzip.compress(table(HEADER, LTE)), "cells.csv")[0].row(0) == ROW


def test_any_order_old_names_and_unknown_columns(tmp_path):
    body = table("cid,extra,Lat,lon,radio,mcc,mnc,lac,psc", "26187265,x,47.3769,8.5417,LTE,228,1,65,")
    assert read(tmp_path, body)[0].row(0) == (*ROW[:7], None, None, None, None)


def test_mls_rows_have_nulls_where_the_file_is_silent(tmp_path):
    cells, _ = read(tmp_path, table(HEADER, MLS))
    assert cells.row(0, named=True) | {"samples": 0} == {
        **dict(zip(SCHEMA, ("GSM", 228, 3, 10, 21, 6.1432, 46.2044, None, 0, None, None), strict=True))
    }


def test_rows_that_cannot_be_used_are_dropped_and_counted(tmp_path):
    rows = [
        LTE,
        LTE.replace("65,26187265", ",26187265"),
        LTE.replace(",228,", ",,"),
        LTE.replace("LTE", "WIMAX"),
        NR,
        NR,
    ]
    rows += [LTE.replace("47.3769", "90.1"), LTE.replace("8.5417", "-180.1"), "LTE,228,1"]
    cells, ledger = read(tmp_path, table(HEADER, *rows))
    assert cells["area"].to_list() == [65, None, 16777214, 16777214]
    assert [(drop.filter, drop.rows, drop.left) for drop in ledger.entries] == [
        ("incomplete", 2, 7),
        ("radio", 1, 6),
        ("globe", 2, 4),
    ]
    assert ledger.as_json()[1] == {
        "filter": "radio",
        "reason": "radio is none of GSM, UMTS, LTE, NR, CDMA",
        "rows": 1,
        "left": 6,
    }
    assert ledger.entries[1] == Drop(**ledger.as_json()[1])


REFUSED = {
    "empty": (b"", "cells.csv", "empty"),
    "blank": (b"\n \n", "cells.csv", "empty"),
    "empty gz": (b"", "cells.csv.gz", "empty"),
    "packed nothing": (gzip.compress(b""), "cells.csv.gz", "empty"),
    "header only": (table(HEADER), "cells.csv", "header without any cell"),
    "header only, no line end": (HEADER.encode(), "cells.csv", "header without any cell"),
    "truncated gzip": (gzip.compress(table(HEADER, LTE, NR))[:-12], "cells.csv.gz", "truncated or damaged gzip"),
    "broken gzip": (gzip.compress(table(HEADER, LTE))[:20] + bytes(40), "cells.csv.gz", "truncated or damaged gzip"),
    "JSON named gz": (b'{"status":"error","message":"INVALID_TOKEN"}', "228.csv.gz", "INVALID_TOKEN"),
    "HTML named gz": (b"<!DOCTYPE html>\n<html><body>Login</body>", "228.csv.gz", "<!DOCTYPE html>"),
    "text named gz": (b"RATE_LIMITED", "228.csv.gz", "RATE_LIMITED"),
    "HTML in gz": (gzip.compress(b"\n<html><body>no</body></html>"), "228.csv.gz", "web page"),
    "XML": (b'<?xml version="1.0"?><rsp stat="fail">', "228.csv", "web page"),
    "JSON": (b'[{"lat": 1}]', "228.csv", "web page"),
    "missing columns": (table("radio,mcc,net,lon", "LTE,1,1,1"), "cells.csv", "columns missing: cell, lat"),
    "semicolons": (table(HEADER.replace(",", ";")), "cells.csv", "columns missing: mcc, net"),
    "13 columns": (table(LTE.rsplit(",", 1)[0]), "cells.csv", "13 columns without a header"),
    "no text": (b"PK\x03\x04\x00\xff\xfe", "cells.csv", "columns missing"),
    "unknown radios": (table(HEADER, LTE.replace("LTE", "5G")), "cells.csv", "radios found: ['5G']"),
    "no position": (table(HEADER, "LTE,228,1,65,26187265,,,,,,,,,"), "cells.csv", "no row has"),
    "off the globe": (table(HEADER, LTE.replace("8.5417,47.3769", "40.1,120.2")), "cells.csv", "swapped"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_of_cells_is_refused(tmp_path, case):
    body, name, message = REFUSED[case]
    assert message in refusal(tmp_path, body, name).what


WRONG = {
    "text": (LTE.replace("47.3769", "north"), "lat is 'north', not a number"),
    "nan": (LTE.replace("47.3769", "nan"), "lat is 'nan', not a number"),
    "infinite": (LTE.replace("8.5417", "inf"), "lon is 'inf', not a number"),
    "fraction": (LTE.replace(",65,", ",6.5,"), "area is '6.5', not a whole number"),
    "huge": (LTE.replace("26187265", "1e300"), "cell is '1e300', not a whole number"),
    "extra field": (LTE + ",9", "not a CSV table"),
    "not UTF-8": (LTE.replace("LTE", "LT\udcff"), "not a CSV table"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("head", [0, 1])
def test_a_wrong_line_is_named(tmp_path, case, head):
    line, message = WRONG[case]
    body = ("\n".join([*[HEADER] * head, NR, NR, line, NR]) + "\n").encode("utf-8", "surrogateescape")
    error = refusal(tmp_path, body)
    assert message in error.what
    assert error.where.endswith(f"line {3 + head}")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(EdgeBenchError, match="no such file"):
        read_cells(tmp_path / "none.csv.gz", Ledger())


def test_a_preview_is_short_and_printable(tmp_path):
    error = refusal(tmp_path, b"\x00\x1b[31m" + b"x" * 5000, "228.csv.gz")
    assert len(error.what) < 200
    assert error.what.isprintable()


real = pytest.mark.skipif("EDGEBENCH_TEST_DATA" not in os.environ, reason="EDGEBENCH_TEST_DATA is not set")


@real
def test_a_world_diff_reads(tmp_path):
    ledger = Ledger()
    cells = read_cells(Path(os.environ["EDGEBENCH_TEST_DATA"]) / "cells/world_ocid-diff_20220910.csv.gz", ledger)
    assert cells.height == 45_745
    assert cells["mcc"].n_unique() == 64
    assert set(cells["radio"].unique()) == {"GSM", "UMTS", "LTE", "NR", "CDMA"}
    assert cells.filter(pl.col("radio") == "CDMA").height == 16


@real
def test_one_country_of_a_world_diff_reads_and_the_rest_is_counted():
    ledger = Ledger()
    path = Path(os.environ["EDGEBENCH_TEST_DATA"]) / "cells/world_ocid-diff_20220910.csv.gz"
    cells = read_cells(path, ledger, (228,))
    assert cells.equals(read_cells(path, Ledger()).filter(pl.col("mcc") == 228))
    assert (ledger.entries[0].rows, ledger.entries[0].left) == (45_745 - cells.height, cells.height)


@real
def test_a_table_of_other_columns_without_radios_reads():
    ledger = Ledger()
    cells = read_cells(Path(os.environ["EDGEBENCH_TEST_DATA"]) / "cells/262_munich_other-columns.csv.gz", ledger)
    assert cells.height == 2_231
    assert cells["area"].null_count() == cells.height
    assert cells.filter(pl.col("radio") == "GSM")["cell"].max() < 65536
    assert cells.filter(pl.col("radio") == "UNKNOWN")["cell"].min() >= 65536
    assert [(drop.filter, drop.rows) for drop in ledger.entries] == [
        ("no radio", 0),
        ("incomplete", 0),
        ("radio", 0),
        ("globe", 0),
    ]


LACELLS = table(
    "mcc,mnc,lac,cid,longitude,latitude,altitude,accuracy,samples",
    "228,1,65,26187265,8.5417,47.3769,408,1000,7",
    "228,3,10,21,6.1432,46.2044,-1,-1,-1",
)


def test_lacells_have_no_radio_and_their_accuracy_is_the_range(tmp_path):
    cells, ledger = read(tmp_path, LACELLS)
    assert cells.rows() == [
        ("UNKNOWN", *ROW[1:9], None, None),
        ("GSM", 228, 3, 10, 21, 6.1432, 46.2044, None, None, None, None),
    ]
    reason = "no radio column: 1 cell numbers below 65536 taken for GSM, 1 of unknown radio"
    assert ledger.entries[0] == Drop("no radio", reason, 0, 2)


def test_a_radio_that_is_written_unknown_is_not_one(tmp_path):
    cells, ledger = read(tmp_path, table(HEADER, LTE, LTE.replace("LTE", "UNKNOWN")))
    assert (cells.height, ledger.entries[1].rows) == (1, 1)


def test_minus_one_is_not_known(tmp_path):
    rows = ["LTE,228,1,-1,26187265,-1,-1,-1,-1,-1,1,-1,-1,0", "LTE,228,1,65,-1,-1,8.5,47.3,1000,7,1,1,2,0"]
    cells, ledger = read(tmp_path, table(HEADER, *rows))
    assert cells.rows() == [("LTE", 228, 1, None, 26187265, -1.0, -1.0, None, None, None, None)]
    assert ledger.entries[0].rows == 1


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few bytes, so that lines, numbers and gzip members fall across their ends."""
    monkeypatch.setattr(raw_text, "BLOCK", 100)
    monkeypatch.setattr(raw_text, "PACKED", 7)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_form_reads_the_same_in_small_blocks(tmp_path, form, pack, small_blocks):
    test_every_form_reads_the_same(tmp_path, form, pack)


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("head", [0, 1])
def test_a_wrong_line_is_named_in_small_blocks(tmp_path, case, head, small_blocks):
    test_a_wrong_line_is_named(tmp_path, case, head)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_of_cells_is_refused_in_small_blocks(tmp_path, case, small_blocks):
    test_what_is_no_table_of_cells_is_refused(tmp_path, case)


@pytest.mark.parametrize("packed", [1, 7, 2**20])
def test_gzip_of_several_members_with_padding_reads_whole(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(raw_text, "PACKED", packed)
    members = [gzip.compress(line) for line in table(HEADER, LTE, NR).splitlines(keepends=True)]
    assert read(tmp_path, b"".join(members) + bytes(9))[0].height == 2


def test_a_gzip_that_swells_is_unpacked_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_text, "BLOCK", 1000)
    largest = max(map(len, raw_text.text_blocks(write(tmp_path, gzip.compress(table(HEADER, *[LTE] * 20_000))))))
    assert largest < 3000


def write(folder: Path, body: bytes) -> Path:
    path = folder / "cells.csv"
    path.write_bytes(body)
    return path


FRENCH = LTE.replace("228", "208")


def test_rows_of_other_countries_are_counted_and_not_judged(tmp_path):
    bad = FRENCH.replace("47.3769", "north")
    cells, ledger = read(tmp_path, table(HEADER, FRENCH, LTE, bad, NR, LTE.replace(",228,", ",,")), mcc=(228, 295))
    assert cells["cell"].to_list() == [26187265, 49007018536]
    assert ledger.entries[0] == Drop("country", "mcc is none of 228, 295", 2, 3)
    assert (ledger.entries[1].filter, ledger.entries[1].rows) == ("incomplete", 1)


@pytest.mark.parametrize("code", ["228.0", " 228", "228 ", "0228"])
def test_a_code_written_otherwise_is_the_same_country(tmp_path, code):
    cells, _ = read(
        tmp_path, table(HEADER, FRENCH, LTE.replace("228", code), FRENCH.replace("208", "208.0")), mcc=(228,)
    )
    assert cells.row(0) == ROW
    assert cells.height == 1


def test_a_code_that_is_no_number_is_refused_with_its_line(tmp_path):
    with pytest.raises(EdgeBenchError, match="mcc is 'CH', not a whole number") as caught:
        read(tmp_path, table(HEADER, FRENCH, LTE, LTE.replace("228", "CH")), mcc=(228,))
    assert caught.value.where.endswith("line 4")


def test_a_line_too_long_is_refused_whatever_its_country(tmp_path):
    with pytest.raises(EdgeBenchError, match="more than the 14 fields") as caught:
        read(tmp_path, table(HEADER, LTE, FRENCH + ",9"), mcc=(228,))
    assert caught.value.where.endswith("line 3")


def test_cells_of_another_country_are_refused(tmp_path):
    with pytest.raises(EdgeBenchError, match="mcc 228 wanted, the file has 208, 262"):
        read(tmp_path, table(HEADER, FRENCH, FRENCH.replace("208", "262"), FRENCH), mcc=(228,))
