"""Two dumps compared: which cells are gone, new, moved."""

import json

import pytest
from click.testing import CliRunner

from builders.compare_cells import compare_cells
from edgebench.cli import main
from edgebench.errors import EdgeBenchError

HEAD = "radio,mcc,net,area,cell,lon,lat"
KEPT, MOVED, NEAR = "LTE,228,1,7,70000,8.0,47.0", "LTE,228,1,7,70001,8.0,47.1", "GSM,228,1,7,12,8.0,47.2"
GONE, NEW = "GSM,228,1,7,13,8.1,47.0", "NR,228,2,9,68719476735,8.2,47.0"


@pytest.fixture
def dumps(tmp_path):
    first, second = tmp_path / "old.csv", tmp_path / "new.csv"
    first.write_text("\n".join([HEAD, KEPT, MOVED, NEAR, GONE]) + "\n")
    moved = [MOVED.replace("47.1", "47.11"), NEAR.replace("47.2", "47.200001")]
    second.write_text("\n".join([HEAD, *moved, NEW, KEPT, KEPT]) + "\n")
    return first, second


def test_what_is_gone_new_and_moved_is_counted_by_radio(dumps):
    found = compare_cells(*dumps)
    assert found["files"] == [{"file": "old.csv", "cells": 4}, {"file": "new.csv", "cells": 4}]
    assert found["changes"] == [
        {"radio": "all", "both": 3, "gone": 1, "new": 1, "moved": 1},
        {"radio": "GSM", "both": 1, "gone": 1, "new": 0, "moved": 0},
        {"radio": "LTE", "both": 2, "gone": 0, "new": 0, "moved": 1},
        {"radio": "NR", "both": 0, "gone": 0, "new": 1, "moved": 0},
    ]
    assert found["moved_m"]["q1"] == pytest.approx(1111.95, abs=0.1)


def test_a_dump_and_itself_differ_in_nothing(dumps):
    found = compare_cells(dumps[0], dumps[0])
    assert found["changes"][0] == {"radio": "all", "both": 4, "gone": 0, "new": 0, "moved": 0}
    assert set(found["moved_m"].values()) == {None}


def test_areas_that_are_unknown_in_both_are_the_same(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text(f"{HEAD}\n{KEPT.replace(',7,', ',,')}\n")
    assert compare_cells(path, path)["changes"][0]["both"] == 1


def test_at_the_command_line(dumps):
    told = CliRunner().invoke(main, ["diff", *map(str, dumps)])
    assert told.exit_code == 0 and "metres moved" in told.output and "old.csv: 4 cells" in told.output
    told = CliRunner().invoke(main, ["diff", *map(str, dumps), "--json"])
    assert json.loads(told.output) == compare_cells(*dumps)


def test_a_dump_that_cannot_be_read_is_refused(dumps, tmp_path):
    page = tmp_path / "page.csv"
    page.write_text("<html>INVALID_TOKEN</html>")
    with pytest.raises(EdgeBenchError, match="web page"):
        compare_cells(dumps[0], page)
