"""Learning curves: `curve.csv` beside a checkpoint, a row a validation, of one training seed or of several.

`decisions` is how many were learned from, `val` the mean primary metric on the validation split, `train` that of the
last practice, `seed` whose row it is where there are several; other columns are the method's own figures.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from edgebench.harness.agents import CURVE
from edgebench.leaderboard.problems import Problem, read_table

MOST_BYTES: Final = 2**20
SEED: Final = "seed"
NEEDED: Final = ("decisions", "val")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_NUMBER: Final = re.compile(r"(-?([0-9]{1,20}(\.[0-9]{0,30})?([eE](\+?[0-9]{1,2}|-[0-9]{1,3}))?|inf)|nan)?")
"""A cell: empty, a number that can be drawn, or one that is none."""


def read_curve(folder: Path, problems: list[Problem]) -> list[dict[str, float]] | None:
    """The rows of the curve in a folder, NaN where a cell is empty; None, and problems, where it is no curve."""
    table = read_table(folder, CURVE, problems, MOST_BYTES)
    if table is None:
        return None
    found = [*_header_problems(table[0]), *_row_problems(table)]
    problems += found
    if found:
        return None
    return [{name: float(cell or "nan") for name, cell in zip(table[0], row, strict=True)} for row in table[1:]]


def _header_problems(header: list[str]) -> list[Problem]:
    named = all(map(_NAME.fullmatch, header)) and len(set(header)) == len(header)
    if named and set(NEEDED) <= set(header):
        return []
    return [Problem(CURVE, 1, f"the columns are not plain names, each once, {' and '.join(NEEDED)} among them")]


def _row_problems(table: list[list[str]]) -> list[Problem]:
    return [
        Problem(CURVE, number, f"not {len(table[0])} numbers")
        for number, row in enumerate(table[1:], start=2)
        if len(row) != len(table[0]) or not all(map(_NUMBER.fullmatch, row))
    ]


def curve_problems(folder: Path) -> list[Problem]:
    """What is wrong with the curve in a folder, where there is one."""
    problems: list[Problem] = []
    if (folder / CURVE).exists():
        read_curve(folder, problems)
    return problems
