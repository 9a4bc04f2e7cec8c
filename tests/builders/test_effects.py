import gzip
import os
from pathlib import Path

import pytest

from builders.effects import REAL_FILES, effects, main, table
from builders.sample import sample_path
from edgebench.errors import EdgeBenchError

DOCUMENTED = Path(__file__).parents[2] / "docs" / "cells.md"


def test_what_is_dropped_and_what_is_left_are_the_rows_read():
    counts = effects("s1", sample_path("s1"))
    dropped = sum(count for step, count in counts.items() if step.startswith("dropped: "))
    assert counts["rows read"] == dropped + counts["cells"]
    assert counts["rows read"] == gzip.decompress(sample_path("s1").read_bytes()).count(b"\n") - 1
    assert counts["cells"] > counts["stations"] > counts["sites"] > counts["sites shared by operators"] > 0


def test_the_table_has_a_row_a_step_and_a_column_a_region():
    text = table({"s1": {"rows read": 1234, "cells": 5}, "s4": {"rows read": 1, "cells": 0}})
    assert text.splitlines() == [
        "| | s1, Switzerland | s4, Milan metro |",
        "|---|---:|---:|",
        "| rows read | 1,234 | 1 |",
        "| cells | 5 | 0 |",
    ]


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_one_folder_must_be_named(arguments):
    with pytest.raises(EdgeBenchError, match="one folder"):
        main(arguments)


@pytest.mark.parametrize("region", REAL_FILES)
def test_the_documented_table_is_that_of_the_real_files(region):
    path = Path(os.environ.get("EDGEBENCH_TEST_DATA", "")) / "cells" / REAL_FILES[region]
    if not path.is_file():
        pytest.skip("EDGEBENCH_TEST_DATA does not name a folder with cells/" + REAL_FILES[region])
    lines = [line.split("|") for line in DOCUMENTED.read_text(encoding="utf-8").splitlines()]
    column = next(n for line in lines for n, field in enumerate(line) if field.strip().startswith(f"{region},"))
    documented = {line[1].strip(): line[column].strip() for line in lines if len(line) == len(REAL_FILES) + 3}
    for step, count in effects(region, path).items():
        assert documented[step] == f"{count:,}", step
