"""What each step does to real files, as a Markdown table of counts.

Run: python -m builders.effects FOLDER, where FOLDER holds the files of `REAL_FILES`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from builders.cells import read_cells
from builders.filters import filter_cells
from builders.ledger import Ledger
from builders.sites import merge_stations
from builders.stations import find_stations
from edgebench.errors import EdgeBenchError
from edgebench.registry import region_spec

REAL_FILES: Final = {
    "s1": "228_mls_202403.csv.gz",
    "s2": "234_ocid_20260131_headerless.csv.gz",
    "s3": "262_mls_202403.csv.gz",
    "s4": "222_mls_202301.csv.gz",
}
"""Files of the four standard regions' countries."""


def effects(region: str, path: Path) -> dict[str, int]:
    """Rows read, rows each filter drops, and what is left as cells, stations, sites and shared sites.

    Raises:
        EdgeBenchError: The cells cannot be read, or none is left.
    """
    spec, ledger = region_spec(region), Ledger()
    cells = filter_cells(read_cells(path, ledger, spec.mcc), spec, ledger, str(path))
    stations = find_stations(cells)
    sites = merge_stations(stations)
    first = ledger.entries[0]
    return {
        "rows read": first.rows + first.left,
        **{f"dropped: {entry.filter}": entry.rows for entry in ledger.entries},
        "cells": cells.height,
        "stations": stations.height,
        "sites": sites.height,
        "sites shared by operators": int((sites["operators"] > 1).sum()),
    }


def table(counts: dict[str, dict[str, int]]) -> str:
    """Markdown: a row a step, a column a region."""
    titles = [f"{name}, {region_spec(name).title}" for name in counts]
    lines = [f"| | {' | '.join(titles)} |", "|---|" + "---:|" * len(counts)]
    for step in next(iter(counts.values())):
        lines.append(f"| {step} | {' | '.join(f'{column[step]:,}' for column in counts.values())} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the table of the files in the folder named.

    Raises:
        EdgeBenchError: No folder is named, or a file is missing.
    """
    if len(arguments) != 1:
        raise EdgeBenchError("one folder of cell files must be named", mend="python -m builders.effects FOLDER")
    folder = Path(arguments[0])
    sys.stdout.write(table({region: effects(region, folder / name) for region, name in REAL_FILES.items()}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
