"""Draw a built region: its nodes, links and traps on a map in degrees."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgebench.atomic import atomic_path
from edgebench.region import Region
from edgebench.show.style import (
    INK,
    LINK,
    MAIN,
    MOST_LABELLED,
    RISING,
    TRAP,
    dress,
    new_figure,
    thinning,
    write_words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_SIZE: Final = (10.0, 6.4)
"""Inches."""
_AXES: Final = (0.06, 0.09, 0.74, 0.79)
"""Left, bottom, width and height of the map as shares of the figure."""
_KM_PER_DEGREE: Final = 111.195
"""One degree of latitude on a sphere of 6371.0088 km."""


def draw_map(region: Region, path: Path) -> None:
    """Write the map that `map_figure` draws of `region` to `path` as PNG, atomically; EdgeBenchError as there."""
    figure = map_figure(region)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


def map_figure(region: Region) -> Figure:
    """A map of `region`, which a notebook shows.

    A node's area grows with its compute and its colour with the sites it serves; a link's width grows with its
    bandwidth; trap links are red. Axes are in degrees, stretched so that a kilometre is as long north as east.

    Args:
        region: A built region.

    Raises:
        EdgeBenchError: matplotlib, the extra `plots`, is not installed.
    """
    figure = new_figure("maps", _SIZE)
    axes = figure.add_axes(_AXES)
    _dress(axes, region)
    _draw_links(axes, region)
    _draw_nodes(figure, axes, region)
    _draw_scale_bar(axes)
    _draw_legend(figure, region)
    _draw_words(figure, region)
    return figure


def _dress(axes: Axes, region: Region) -> None:
    west, east, south, north = _frame(region.column("nodes", "lat"), region.column("nodes", "lon"))
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    dress(axes)
    axes.xaxis.set_major_formatter(lambda degrees, _: _degrees(degrees, "E", "W"))
    axes.yaxis.set_major_formatter(lambda degrees, _: _degrees(degrees, "N", "S"))


def _frame(lat: NDArray[Any], lon: NDArray[Any]) -> tuple[float, float, float, float]:
    """West, east, south, north (degrees) around all nodes, in the shape of `_AXES`, a kilometre as long both ways."""
    shrink = math.cos(math.radians(float(lat.min() + lat.max()) / 2))
    shape = _SIZE[0] * _AXES[2] / (_SIZE[1] * _AXES[3])
    high = 1.12 * max(float(np.ptp(lat)), float(np.ptp(lon)) * shrink / shape, 0.01)
    wide = high * shape / shrink
    middle_lon, middle_lat = float(lon.min() + lon.max()) / 2, float(lat.min() + lat.max()) / 2
    return middle_lon - wide / 2, middle_lon + wide / 2, middle_lat - high / 2, middle_lat + high / 2


def _degrees(degrees: float, positive: str, negative: str) -> str:
    side = positive if degrees > 0 else negative if degrees < 0 else ""
    return f"{abs(degrees):g}°{side}"


def _width(bandwidth_mbps: Any, widest_mbps: float, nodes: int) -> Any:
    return (0.4 + 3.0 * np.asarray(bandwidth_mbps) / widest_mbps) * thinning(nodes)


def _area(compute: Any, nodes: int) -> Any:
    return (60.0 + 5.0 * np.asarray(compute)) * thinning(nodes) ** 2


def _draw_links(axes: Axes, region: Region) -> None:
    from matplotlib.collections import LineCollection

    places = np.column_stack([region.column("nodes", "lon"), region.column("nodes", "lat")])
    segments = np.stack([places[region.column("links", "src")], places[region.column("links", "dst")]], axis=1)
    traps = region.column("links", "is_trap").astype(bool)
    bandwidth = region.column("links", "bandwidth_mbps")
    widths, thin = _width(bandwidth, float(bandwidth.max()), len(places)), thinning(len(places))
    rounded: dict[str, Any] = {"capstyle": "round", "zorder": 2}
    axes.add_collection(LineCollection(segments[~traps], linewidths=widths[~traps], colors=LINK, **rounded))
    axes.add_collection(
        LineCollection(segments[traps], linewidths=widths[traps] + 7 * thin, color=TRAP, alpha=0.16, **rounded)
    )
    axes.add_collection(LineCollection(segments[traps], linewidths=widths[traps] + 0.4, colors=TRAP, **rounded))


def _draw_nodes(figure: Figure, axes: Axes, region: Region) -> None:
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    sites, compute = np.maximum(region.column("nodes", "sites"), 1), region.column("nodes", "compute")
    colours = LinearSegmentedColormap.from_list("sites", RISING)
    dots = axes.scatter(
        region.column("nodes", "lon"), region.column("nodes", "lat"), s=_area(compute, len(sites)),
        c=sites, cmap=colours, norm=LogNorm(sites.min(), max(sites.max(), sites.min() + 1)),
        edgecolors="white", linewidths=1.3 * thinning(len(sites)), zorder=3,
    )  # fmt: skip
    if len(sites) <= MOST_LABELLED:
        for row in region.tables["nodes"].to_pylist():
            axes.annotate(
                str(row["node_id"]), (row["lon"], row["lat"]), ha="center", va="center_baseline",
                color="white", fontsize=6.4, fontweight="bold", zorder=4,
            )  # fmt: skip
    ticks = sorted({int(sites.min()), round(math.sqrt(sites.min() * sites.max())), int(sites.max())})
    bar = figure.colorbar(dots, cax=figure.add_axes((0.829, 0.13, 0.014, 0.22)), ticks=ticks)
    bar.minorticks_off()
    bar.outline.set_visible(False)
    bar.ax.set_title("sites served", fontsize=8.5, color=INK, loc="left", pad=8)
    bar.ax.tick_params(which="both", length=0, labelsize=8, colors=INK)
    bar.ax.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")


def _draw_scale_bar(axes: Axes) -> None:
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    km_per_degree = _KM_PER_DEGREE * math.cos(math.radians((south + north) / 2))
    room = (east - west) * km_per_degree / 5
    length = max(step * 10**power for power in range(4) for step in (1, 2, 5) if step * 10**power <= max(room, 1))
    left, right = east - length / km_per_degree, east
    low = south + 0.015 * (north - south)
    axes.plot([left, right], [low, low], color=INK, linewidth=2, solid_capstyle="butt", zorder=5)
    axes.annotate(
        f"{length} km", ((left + right) / 2, low), xytext=(0, 4), textcoords="offset points",
        ha="center", va="bottom", fontsize=8, color=INK,
    )  # fmt: skip


def _draw_legend(figure: Figure, region: Region) -> None:
    from matplotlib.lines import Line2D

    compute = region.column("nodes", "compute")
    bandwidth = region.column("links", "bandwidth_mbps")
    sizes = sorted({int(compute.min()), round(float(compute.mean())), int(compute.max())})
    nodes = [
        Line2D([], [], marker="o", linestyle="", color=MAIN, markeredgecolor="white",
               markersize=math.sqrt(_area(size, compute.size)), label=str(size))
        for size in sizes
    ]  # fmt: skip
    links = [
        Line2D(
            [],
            [],
            color=LINK,
            linewidth=_width(speed, float(bandwidth.max()), compute.size),
            label=f"{speed:g} Mbit/s",
        )
        for speed in sorted({float(bandwidth.min()), float(bandwidth.max())})
    ]
    links.append(Line2D([], [], color=TRAP, linewidth=3, label="trap"))
    style: dict[str, Any] = {"loc": "upper left", "frameon": False, "alignment": "left"}
    style |= {"fontsize": 8.5, "title_fontsize": 8.5, "labelspacing": 0.9, "borderpad": 0}
    first = figure.legend(handles=nodes, title="node: compute units", bbox_to_anchor=(0.826, 0.87), **style)
    second = figure.legend(handles=links, title="link: bandwidth", bbox_to_anchor=(0.826, 0.65), **style)
    for text in (*first.get_texts(), first.get_title(), *second.get_texts(), second.get_title()):
        text.set_color(INK)


def _draw_words(figure: Figure, region: Region) -> None:
    title = f"{region.name} · {region.manifest['title']}"
    traps = int(region.column("links", "is_trap").sum())
    nodes, links, models = (region.tables[name].num_rows for name in ("nodes", "links", "instances"))
    counts = (
        f"{nodes:,} nodes, {links:,} links, {traps:,} of them traps, {models:,} models · "
        f"edition {region.edition} · digest {region.digest[:12]}"
    )
    write_words(figure, title, counts, region.licence)
