"""Plots as plain coordinates, which `templates/plots.html.j2` writes as SVG: small, themed by CSS, without a script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region

COLOURS: Final = 8
"""Lines of a plot differ in colour up to this many."""
_WIDE, _HIGH = 720, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 12, 42
_RADIUS: Final = 118.0
_CENTRE: Final = (230.0, 165.0)
_KEEP_LINKS: Final = 1500
"""A small map draws this many links at most, the first."""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """A line of a chart: `points` as SVG writes them; `colour` counts from 0."""

    name: str
    points: str
    colour: int


@dataclass(frozen=True)
class Chart:
    """Lines over two axes, in pixels of a drawing of `wide` × `high`."""

    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_label: str
    y_label: str
    wide: int = _WIDE
    high: int = _HIGH
    left: int = _LEFT
    right: int = _WIDE - _RIGHT
    top: int = _TOP
    bottom: int = _HIGH - _BOTTOM


@dataclass(frozen=True)
class Spoke:
    """An axis of a radar plot: its end, and its name's place and anchor."""

    label: str
    x: float
    y: float
    text_x: float
    text_y: float
    anchor: str


@dataclass(frozen=True)
class Radar:
    """Closed shapes over spokes; the outermost ring is a score of 1."""

    spokes: tuple[Spoke, ...]
    rings: tuple[str, ...]
    shapes: tuple[Line, ...]
    centre: tuple[float, float] = _CENTRE


@dataclass(frozen=True)
class SmallMap:
    """A region as a thumbnail: ends of its links, those of its traps, its nodes with their radius."""

    links: str
    traps: str
    nodes: tuple[tuple[float, float, float], ...]
    wide: int
    high: int


def chart(
    series: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]],
    x_label: str,
    y_label: str,
    y_range: tuple[float, float] | None = None,
) -> Chart:
    """A chart of named lines, each x and y (points,), with round ticks around what they hold."""
    x_low, x_high = _extent([x for _, x, _ in series])
    y_low, y_high = y_range or _extent([y for _, _, y in series])
    x_ticks, y_ticks = round_ticks(x_low, x_high), round_ticks(y_low, y_high)
    if y_range is None:
        y_low, y_high = min(y_low, y_ticks[0]), max(y_high, y_ticks[-1])

    def across(x: float) -> float:
        return round(_LEFT + (x - x_low) / (x_high - x_low) * (_WIDE - _LEFT - _RIGHT), 1)

    def up(y: float) -> float:
        return round(_HIGH - _BOTTOM - (y - y_low) / (y_high - y_low) * (_HIGH - _BOTTOM - _TOP), 1)

    lines = [
        Line(name, " ".join(f"{across(a):g},{up(b):g}" for a, b in zip(x.tolist(), y.tolist(), strict=True)),
             number % COLOURS)
        for number, (name, x, y) in enumerate(series)
    ]  # fmt: skip
    return Chart(
        tuple(lines),
        tuple(Tick(across(value), tick_label(value)) for value in x_ticks),
        tuple(Tick(up(value), tick_label(value)) for value in y_ticks),
        x_label,
        y_label,
    )


def _extent(arrays: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    values = np.concatenate(arrays)
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def round_ticks(low: float, high: float) -> list[float]:
    """Four to eight multiples of 1, 2 or 5 times a power of ten within the range."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_label(value: float) -> str:
    """A tick in few characters: 0.2, 500k, 2M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:.6g}" if abs(value) > 1e-12 else "0"


def radar(axes: Sequence[str], shapes: Mapping[str, Sequence[float | None]]) -> Radar:
    """A radar plot of scores, one of each shape for each axis; below 0, and where there is none, drawn at 0."""
    turns = [math.tau * number / len(axes) - math.pi / 2 for number in range(len(axes))]

    def place(turn: float, share: float) -> tuple[float, float]:
        return round(_CENTRE[0] + _RADIUS * share * math.cos(turn), 1), round(
            _CENTRE[1] + _RADIUS * share * math.sin(turn), 1
        )

    def closed(values: Sequence[float | None]) -> str:
        return " ".join(
            "{:g},{:g}".format(*place(turn, min(max(value or 0.0, 0.0), 1.0)))
            for turn, value in zip(turns, values, strict=True)
        )

    spokes = [
        Spoke(name, *place(turn, 1.0), *place(turn, 1.12), _anchor(turn))
        for name, turn in zip(axes, turns, strict=True)
    ]
    return Radar(
        tuple(spokes),
        tuple(closed([share] * len(axes)) for share in (0.25, 0.5, 0.75, 1.0)),
        tuple(Line(name, closed(values), number) for number, (name, values) in enumerate(shapes.items())),
    )


def _anchor(turn: float) -> str:
    lean = math.cos(turn)
    return "middle" if abs(lean) < 0.2 else "start" if lean > 0 else "end"


def small_map(region: Region, wide: int = 260, high: int = 160) -> SmallMap:
    """The thumbnail of a region, a kilometre as long north as east."""
    lon, lat = region.column("nodes", "lon"), region.column("nodes", "lat")
    shrink = math.cos(math.radians(float(lat.min() + lat.max()) / 2))
    x, y = (lon - lon.min()) * shrink, lat.max() - lat
    scale = min((wide - 16) / max(float(x.max()), 1e-9), (high - 16) / max(float(y.max()), 1e-9))
    x = np.round((wide - x.max() * scale) / 2 + x * scale, 1)
    y = np.round((high - y.max() * scale) / 2 + y * scale, 1)
    traps = region.column("links", "is_trap").astype(bool)
    radius = np.round(min(1.0, (60 / len(x)) ** 0.4) * 3.2, 1)
    return SmallMap(
        _segments(region, x, y, ~traps), _segments(region, x, y, traps),
        tuple((float(a), float(b), float(radius)) for a, b in zip(x, y, strict=True)), wide, high,
    )  # fmt: skip


def _segments(region: Region, x: NDArray[np.float64], y: NDArray[np.float64], chosen: NDArray[np.bool_]) -> str:
    src, dst = (region.column("links", name)[chosen][:_KEEP_LINKS] for name in ("src", "dst"))
    return "".join(f"M{x[a]:g} {y[a]:g}L{x[b]:g} {y[b]:g}" for a, b in zip(src, dst, strict=True))
