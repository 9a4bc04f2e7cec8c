"""What an entry of an observation is, and how a page tells of it. Needs no compiler."""

from __future__ import annotations

from typing import NamedTuple


class Feature(NamedTuple):
    """One row of an observation: its name (with unit), its bounds and what it means."""

    name: str
    low: float
    high: float
    meaning: str


def feature_table(features: tuple[Feature, ...]) -> str:
    """Features as rows of a Markdown table, indented as a class's docstring is."""
    rows = [
        f"    | {index} | `{row.name}` | {row.low:g} | {row.high:g} | {row.meaning} |"
        for index, row in enumerate(features)
    ]
    return "\n".join(["    | index | name | min | max | meaning |", "    | --- | --- | --- | --- | --- |", *rows])
