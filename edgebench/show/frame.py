"""A moment of a Route episode as a picture: the region's map with what is under way on it."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.show.geography import Ways, ends_of_links, places
from edgebench.show.style import (
    ACCENT,
    FAINT,
    INK,
    LINK,
    MOST_LABELLED,
    PAPER,
    RISING,
    TRAP,
    needs,
    thinning,
)
from edgebench.show.truth import Moment

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

WIDTH, HEIGHT = 960, 640
"""Pixels of a frame."""
_FINER: Final = 2
"""Painted this many times as large, then reduced, so that lines are smooth."""
_MAP: Final = (40, 78, 920, 572)
"""Left, top, right, bottom of the map in pixels."""
_FULL_S: Final = 10.0
"""Seconds of queued work from which on a node is drawn largest and darkest."""
_STILL, _BAD, _BUSY = 1.5, 2.5, 5.0
"""Pixels a link is wide: at rest, a bad trap, with a transfer on it."""
_QUIET_TRAP: Final = "#f3c3b2"
_CHOSEN: Final = "#2e9e5b"
_DOWN: Final = "#c9cfd4"
_TINTS: Final = 64
_SYMBOL: Final = 17
"""Pixels a symbol of the legend takes before its words."""

Point = tuple[float, float]


class FramePainter:
    """Paints moments of the episodes of one region; what never changes is painted once.

    Nodes grow and darken with the work queued at them; links are thin, trap links pale red and strong red while bad,
    links with a transfer on them yellow and thick, the transfer a dot as far along its way as its time has passed.
    Nodes that are down are crossed out. The node of the decision has a square about it, the user's node a dark ring,
    those of the candidates a green one.

    Args:
        region: A built region.
        title: The first line of every frame.

    Raises:
        EdgeBenchError: Pillow, of the extra `plots`, is not installed.
    """

    def __init__(self, region: Region, title: str) -> None:
        self._title = title
        self._points: list[Point] = [(float(x), float(y)) for x, y in places(region, _MAP) * _FINER]
        self._links = ends_of_links(region)
        is_trap = region.column("links", "is_trap").astype(bool)
        self._traps = [self._links[row] for row in np.flatnonzero(is_trap)]
        self._ways = Ways(region)
        self._thin = thinning(len(self._points))
        self._tints = _tints()
        self._still = self._paint_still(is_trap)

    def paint(self, moment: Moment) -> NDArray[np.uint8]:
        """The moment as (HEIGHT, WIDTH, 3) of red, green and blue."""
        from PIL import ImageDraw

        image = self._still.copy()
        draw = ImageDraw.Draw(image)
        ways = [self._ways.way(transfer.source, transfer.target) for transfer in moment.transfers]
        for way in ways:
            for link in pairwise(way):
                self._line(draw, link, ACCENT, _BUSY)
        for trap in np.flatnonzero(moment.bad):
            self._line(draw, self._traps[trap], TRAP, _BAD)
        for node, queued in enumerate(moment.queued_s.tolist()):
            self._node(draw, node, queued, bool(moment.down[node]))
        for node in moment.candidate_nodes.tolist():
            self._ring(draw, node, _CHOSEN, 5.0)
        if moment.at_node >= 0:
            self._ring(draw, moment.user_node, INK, 9.0)
            self._square(draw, moment.at_node, INK)
        for transfer, way in zip(moment.transfers, ways, strict=True):
            _dot(draw, _along([self._points[node] for node in way], transfer.share), ACCENT)
        for row, words in enumerate((self._title, _caption(moment))):
            _write(draw, (24, 16 + 26 * row), words, 17 if row == 0 else 13, INK if row == 0 else FAINT)
        return np.array(image.reduce(_FINER))

    def _paint_still(self, is_trap: NDArray[np.bool_]) -> Image:
        try:
            from PIL import Image, ImageDraw
        except ImportError as error:
            raise needs("Pillow", "frames") from error
        image = Image.new("RGB", (WIDTH * _FINER, HEIGHT * _FINER), PAPER)
        draw = ImageDraw.Draw(image)
        for row in np.argsort(is_trap, kind="stable"):
            self._line(draw, self._links[row], _QUIET_TRAP if is_trap[row] else LINK, _STILL)
        self._paint_legend(draw)
        return image

    def _paint_legend(self, draw: ImageDraw) -> None:
        lines = {
            "link": (LINK, _STILL),
            "trap link": (_QUIET_TRAP, _STILL),
            "bad now": (TRAP, _BAD),
            "under way": (ACCENT, _BUSY),
        }
        left, high = 24, HEIGHT - 32
        for words, (colour, wide) in lines.items():
            draw.line([_finer(left, high), _finer(left + 12, high)], fill=colour, width=round(wide * _FINER))
            left = _legend_words(draw, left, high, words)
        for words, colour in {"candidate": _CHOSEN, "user's node": INK}.items():
            _circle(draw, _middle(left, high), 5.0, outline=colour, wide=1.6)
            left = _legend_words(draw, left, high, words)
        _box(draw, _middle(left, high), 5.0, INK)
        left = _legend_words(draw, left, high, "decided here")
        _circle(draw, _middle(left, high), 5.0, fill=_DOWN)
        _cross(draw, _middle(left, high), 5.0)
        left = _legend_words(draw, left, high, "down")
        for step, queued in enumerate((0.0, _FULL_S / 4, _FULL_S)):
            _circle(draw, _middle(left + 16 * step, high), 4.0 + 1.5 * step, fill=self._tint(queued))
        _legend_words(draw, left + 36, high, f"queued: 0 to {_FULL_S:g} s and more")

    def _line(self, draw: ImageDraw, link: tuple[int, int], colour: str, wide: float) -> None:
        ends = [self._points[node] for node in link]
        draw.line(ends, fill=colour, width=max(1, round(wide * _FINER * self._thin)))

    def _node(self, draw: ImageDraw, node: int, queued: float, down: bool) -> None:
        point, radius = self._points[node], self._radius(queued)
        _circle(draw, point, radius, fill=_DOWN if down else self._tint(queued), outline=PAPER)
        if len(self._points) <= MOST_LABELLED:
            draw.text(point, str(node), fill=INK if down or queued < _FULL_S / 8 else PAPER, font=_font(9), anchor="mm")
        if down:
            _cross(draw, point, radius)

    def _ring(self, draw: ImageDraw, node: int, colour: str, beyond: float) -> None:
        _circle(draw, self._points[node], self._radius(0.0) + beyond * self._thin, outline=colour, wide=1.6)

    def _square(self, draw: ImageDraw, node: int, colour: str) -> None:
        _box(draw, self._points[node], self._radius(_FULL_S) + 2.0 * self._thin, colour)

    def _radius(self, queued: float) -> float:
        return (7.0 + 6.0 * math.sqrt(min(1.0, queued / _FULL_S))) * self._thin

    def _tint(self, queued: float) -> tuple[int, int, int]:
        return self._tints[round(min(1.0, queued / _FULL_S) * (_TINTS - 1))]


def _tints() -> list[tuple[int, int, int]]:
    """Colours from no queue to the longest, evenly."""
    stops = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in RISING], float)
    places = np.linspace(0.0, len(stops) - 1.0, _TINTS)
    channels = [np.interp(places, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    return [(int(red), int(green), int(blue)) for red, green, blue in np.rint(channels).T]


def _caption(moment: Moment) -> str:
    place = f"decided at node {moment.at_node} for a user at {moment.user_node}" if moment.at_node >= 0 else "over"
    return (
        f"window {moment.window}, seed {moment.seed} · {moment.now_ms / 1000:.1f} s · {place} · "
        f"{moment.in_flight} tasks in flight, {moment.ended} ended with utility {moment.utility:.2f} in all"
    )


def _along(points: list[Point], share: float) -> Point:
    """The point at a share of the length of a line through `points`."""
    lengths = [math.dist(one, other) for one, other in pairwise(points)]
    left = share * sum(lengths)
    for (one, other), length in zip(pairwise(points), lengths, strict=True):
        if left <= length and length > 0.0:
            part = left / length
            return one[0] + part * (other[0] - one[0]), one[1] + part * (other[1] - one[1])
        left -= length
    return points[-1]


def _finer(x: float, y: float) -> Point:
    return x * _FINER, y * _FINER


def _middle(left: float, high: float) -> Point:
    """The middle of a symbol of the legend that begins at `left`."""
    return _finer(left + 6, high)


def _circle(draw: ImageDraw, point: Point, radius: float, *, wide: float = 1.0, **colours: Any) -> None:
    draw.ellipse(_around(point, radius), width=round(wide * _FINER), **colours)


def _box(draw: ImageDraw, point: Point, radius: float, colour: str) -> None:
    draw.rectangle(_around(point, radius), outline=colour, width=round(1.6 * _FINER))


def _cross(draw: ImageDraw, point: Point, radius: float) -> None:
    left, top, right, bottom = _around(point, radius)
    for line in ((left, top, right, bottom), (left, bottom, right, top)):
        draw.line(line, fill=INK, width=round(1.6 * _FINER))


def _dot(draw: ImageDraw, point: Point, colour: str) -> None:
    _circle(draw, point, 4.0, fill=colour, outline=INK)


def _around(point: Point, radius: float) -> tuple[float, float, float, float]:
    (x, y), reach = point, radius * _FINER
    return x - reach, y - reach, x + reach, y + reach


def _legend_words(draw: ImageDraw, left: float, high: float, words: str) -> int:
    """Write words beside a symbol that begins at `left`; returns where the next symbol begins."""
    draw.text(_finer(left + _SYMBOL, high), words, fill=FAINT, font=_font(11), anchor="lm")
    return round(left + _SYMBOL + draw.textlength(words, font=_font(11)) / _FINER + 18)


def _write(draw: ImageDraw, place: Point, words: str, size: int, colour: str) -> None:
    draw.text(_finer(*place), words, fill=colour, font=_font(size))


@cache
def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size * _FINER)
