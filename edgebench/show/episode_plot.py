"""An episode as one picture: small charts below each other that share the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.atomic import atomic_path
from edgebench.constants import TRAP_SLOT_MS
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.show.episode import EpisodeTrace, arrivals
from edgebench.show.style import ACCENT, FAINT, INK, MAIN, PAPER, RISING, TRAP, dress, new_figure, write_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SLOT_S: Final = TRAP_SLOT_MS / 1000.0
_BUSIEST: Final = 25
"""Nodes in the heat map of queues."""
_NAMED: Final = 8
"""Nodes that are ever down are numbered while they can be read."""
_DOTS: Final = 90
"""An inch; keeps a picture below 80 KB."""
_WIDE: Final = 10.0
_MARGIN: Final = (1.25, 0.85)
"""Inches above the charts and below them."""
_LEFT, _RIGHT = 0.08, 0.9


class _Chart(NamedTuple):
    """One of the charts: how it is drawn, and its height in inches."""

    draw: Callable[[Axes, EpisodeTrace], None]
    high: float


def draw_episode(region: Region, trace: EpisodeTrace, path: Path) -> None:
    """Write an episode to `path` as PNG, atomically.

    From the top: tasks arriving a second and tasks in flight; trap links, a row each, coloured while bad; the nodes
    that are ever down, coloured while they are; the share of ways that are late; the queues of the busiest nodes, and
    of all nodes in sum. A chart of what does not happen in the scenario is left out.

    Args:
        region: The region it was played in.
        trace: What happened (`edgebench.show.episode.record_episode`).
        path: The PNG file to write.

    Raises:
        EdgeBenchError: matplotlib, the extra `plots`, is not installed.
    """
    charts = _charts(trace)
    above, below = _MARGIN
    high = sum(chart.high for chart in charts) + above + below
    figure = new_figure("episodes", (_WIDE, high))
    heights = [chart.high for chart in charts]
    rows = figure.subplots(len(charts), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    figure.subplots_adjust(left=_LEFT, right=_RIGHT, top=1 - above / high, bottom=below / high, hspace=0.5)
    for axes, chart in zip(rows, charts, strict=True):
        dress(axes)
        chart.draw(axes, trace)
    rows[-1].set_xlim(0.0, trace.bad.shape[1] * _SLOT_S)
    rows[-1].set_xlabel("s from the start of the window", fontsize=8, color=FAINT)
    name = trace.name
    title = f"{region.name} · {name.scenario} · seed {name.seed}, window {name.window}"
    about = f"{find_scenario(name.scenario).meaning} · decided by {trace.agent}, mean utility {trace.utility:.3f}"
    write_words(figure, title, about, region.licence)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DOTS)


def _charts(trace: EpisodeTrace) -> list[_Chart]:
    charts = [_Chart(_draw_arrivals, 0.8), _Chart(_draw_in_flight, 0.8)]
    if trace.bad.any():
        charts.append(_Chart(_draw_traps, 1.0))
    if trace.down.any():
        charts.append(_Chart(_draw_outages, 0.7))
    if trace.late.any():
        charts.append(_Chart(_draw_late, 0.7))
    return [*charts, _Chart(_draw_queues, 3.0), _Chart(_draw_total, 0.8)]


def _head(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=9, color=INK, loc="left", pad=4)


def _slot_edges(slots: int) -> NDArray[np.float64]:
    return np.linspace(0.0, slots * _SLOT_S, slots + 1)


def _draw_arrivals(axes: Axes, trace: EpisodeTrace) -> None:
    _head(axes, "tasks arriving, a second")
    counts = arrivals(trace) / _SLOT_S
    axes.stairs(counts, _slot_edges(counts.size), fill=True, color=MAIN)


def _draw_in_flight(axes: Axes, trace: EpisodeTrace) -> None:
    _head(axes, "tasks in flight")
    axes.step(trace.at_s, trace.in_flight, where="post", color=MAIN, linewidth=1.4)
    axes.set_ylim(bottom=0)


def _draw_traps(axes: Axes, trace: EpisodeTrace) -> None:
    _head(axes, f"trap links, a row each: bad {trace.bad.mean():.0%} of the time")
    _draw_states(axes, trace.bad, TRAP)


def _draw_outages(axes: Axes, trace: EpisodeTrace) -> None:
    ever = np.flatnonzero(trace.down.any(axis=1))
    _head(axes, f"nodes ever down: {ever.size} of {len(trace.down)}")
    _draw_states(axes, trace.down[ever], INK)
    if ever.size <= _NAMED:
        axes.set_yticks(np.arange(ever.size) + 0.5, [str(node) for node in ever], fontsize=6)


def _draw_states(axes: Axes, states: NDArray[np.bool_], colour: str) -> None:
    """A row each, the first at the top, coloured where true."""
    from matplotlib.colors import ListedColormap

    rows, slots = states.shape
    colours: dict[str, Any] = {"cmap": ListedColormap(["#eef1f3", colour]), "vmin": 0, "vmax": 1}
    axes.grid(visible=False)
    axes.imshow(states, extent=(0.0, slots * _SLOT_S, rows, 0.0), aspect="auto", **colours)
    axes.hlines(np.arange(1, rows), 0.0, slots * _SLOT_S, colors=PAPER, linewidths=min(1.0, 20.0 / rows))
    axes.set_yticks([])


def _draw_late(axes: Axes, trace: EpisodeTrace) -> None:
    _head(axes, "ways between two nodes that are late, share")
    axes.stairs(trace.late, _slot_edges(trace.late.size), fill=True, color=ACCENT)
    axes.set_ylim(0.0, 1.0)


def _draw_queues(axes: Axes, trace: EpisodeTrace) -> None:
    """Nodes by their mean queue, the longest at the top; a column lasts from one decision to the next."""
    from matplotlib.colors import LinearSegmentedColormap

    busiest = np.argsort(-trace.queued_s.mean(axis=0), kind="stable")[:_BUSIEST]
    _head(axes, f"seconds of work queued, the {busiest.size} busiest of {trace.queued_s.shape[1]:,} nodes")
    axes.grid(visible=False)
    edges = np.append(trace.at_s, max(trace.bad.shape[1] * _SLOT_S, trace.at_s[-1]))
    colours = LinearSegmentedColormap.from_list("queues", ["#eef1f3", *RISING])
    mesh = axes.pcolormesh(edges, np.arange(busiest.size + 1), trace.queued_s[:, busiest].T, cmap=colours, vmin=0.0)
    axes.invert_yaxis()
    axes.set_yticks(np.arange(busiest.size) + 0.5, [str(node) for node in busiest], fontsize=5.5)
    beside = axes.inset_axes((1.015, 0.0, 0.014, 1.0))
    bar = axes.figure.colorbar(mesh, cax=beside)
    bar.outline.set_visible(False)
    beside.set_title("s", fontsize=8, color=INK, loc="left")
    beside.tick_params(length=0, labelsize=8, colors=FAINT)


def _draw_total(axes: Axes, trace: EpisodeTrace) -> None:
    _head(axes, "seconds of work queued, all nodes in sum")
    axes.step(trace.at_s, trace.queued_s.sum(axis=1), where="post", color=MAIN, linewidth=1.4)
    axes.set_ylim(bottom=0)
