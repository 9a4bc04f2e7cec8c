"""A region's map drawn with characters: what an agent knows of the network, and the choice that is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from edgebench.play.hand import Decision, Row
from edgebench.region import Region
from edgebench.show.geography import Ways, ends_of_links, places

if TYPE_CHECKING:
    from rich.text import Text

_TALL: Final = 2.0
"""A character is this many times as high as wide."""
_EXTRA_S: Final = 0.5
"""From so many seconds on a way is drawn as one that was measured to be bad."""
_LINK, _QUIET = "bright_black", "white"
_GOOD, _BAD, _USER = "green", "red", "bold cyan"

Point = tuple[int, int]
Cells = dict[Point, tuple[str, str]]
"""Character and style by column and line."""


class CharMap:
    """Draws the decisions of one region.

    Nodes stand at their places under their numbers, or as an o where there is no room for one. Those of choices are
    green, or red where the way there was measured to add half a second or more; the way to the choice under the cursor
    is drawn with stars, its node inverted. The node of the decision is in brackets, the user's is blue.

    Args:
        region: Which.
        wide: Characters a line.
        high: Lines.
    """

    def __init__(self, region: Region, wide: int, high: int) -> None:
        self._wide, self._high = wide, high
        self._ways, self._links = Ways(region), ends_of_links(region)
        spots = places(region, (2.0, 0.0, wide - 4.0, _TALL * (high - 1)))
        self._points = [(round(float(x)), round(float(y) / _TALL)) for x, y in spots]

    def draw(self, decision: Decision, chosen: Row | None) -> Text:
        """The map before a decision with a row under the cursor."""
        from rich.text import Text

        cells: Cells = {}
        for link in self._links:
            self._line(cells, link, ".", _LINK)
        if chosen is not None and chosen.node >= 0 and decision.here >= 0:
            for link in pairwise(self._ways.way(decision.here, chosen.node)):
                self._line(cells, link, "*", _style(chosen))
        cells |= self._numbers(decision, chosen)
        text = Text()
        for y in range(self._high):
            text.append("\n" if y else "")
            for x in range(self._wide):
                text.append(*cells.get((x, y), (" ", "")))
        return text

    def _numbers(self, decision: Decision, chosen: Row | None) -> Cells:
        """Nodes by their numbers; those that matter most first, later ones where there is room."""
        styles = dict.fromkeys(range(len(self._points)), _QUIET)
        styles |= {row.node: _style(row) for row in reversed(decision.rows) if row.node >= 0} | {decision.user: _USER}
        first = [decision.here, -1 if chosen is None else chosen.node, decision.user]
        written: Cells = {}
        for node in dict.fromkeys([*first, *(row.node for row in decision.rows), *styles]):
            if node >= 0:
                inverted = "reverse " * (chosen is not None and chosen.node == node)
                self._number(written, node, inverted + styles[node], node == decision.here)
        return written

    def _number(self, written: Cells, node: int, style: str, is_here: bool) -> None:
        x, y = self._points[node]
        words = f"[{node}]" if is_here else str(node)
        taken = [(x + place - is_here, y) for place in range(-1, len(words) + 1)]
        if any(point in written for point in taken):
            written.setdefault((x, y), ("o", style))
            return
        written |= {point: (letter, style) for point, letter in zip(taken[1:-1], words, strict=True)}

    def _line(self, cells: Cells, link: tuple[int, int], mark: str, style: str) -> None:
        for point in _between(self._points[link[0]], self._points[link[1]]):
            cells[point] = mark, style


def _style(row: Row) -> str:
    return _BAD if row.extra_s >= _EXTRA_S else _GOOD


def _between(one: Point, other: Point) -> Iterator[Point]:
    """Points of a line, both ends among them."""
    steps = max(abs(other[0] - one[0]), abs(other[1] - one[1]), 1)
    for share in np.linspace(0.0, 1.0, steps + 1):
        yield round(one[0] + share * (other[0] - one[0])), round(one[1] + share * (other[1] - one[1]))
