"""A map of a region as one HTML page that opens from a file and asks no one for anything."""

from __future__ import annotations

import html
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgebench.atomic import write_text
from edgebench.errors import EdgeBenchError
from edgebench.region import Region
from edgebench.show.figures import degrees, models_by_kind, splits

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure, Scatter

_LINK: Final = "#7f95a8"
_TRAP: Final = "#e4572e"
_USER: Final = "#d99a2b"
_SITES: Final = ((0.0, "#8fc9c2"), (0.35, "#2a8aa3"), (0.75, "#1d5c94"), (1.0, "#27366b"))
_WIDTHS: Final = 4
"""Links are drawn in this many widths at most; every width is one line of the drawing."""
_DIGITS: Final = 5
"""Of a degree: a metre."""

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --paper: #fcfcfa; --ink: #22303c; --faint: #5f6d79; }}
@media (prefers-color-scheme: dark) {{ :root {{ --paper: #14181d; --ink: #e6eaee; --faint: #98a5b1; }} }}
body {{ margin: 0; height: 100vh; display: flex; flex-direction: column; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, sans-serif; }}
header, footer {{ padding: 10px 18px; }}
h1 {{ font-size: 18px; margin: 0; }}
p {{ margin: 2px 0 0; color: var(--faint); font-size: 12px; }}
main {{ flex: 1; min-height: 0; }}
main > div {{ height: 100%; }}
</style>
</head>
<body>
<header><h1>{title}</h1><p>{counts}</p></header>
<main>{drawing}</main>
<footer><p>{licence}</p></footer>
</body>
</html>
"""
_THEME: Final = """
(function () {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const dress = function () {
    const ink = dark.matches ? '#e6eaee' : '#22303c', grid = dark.matches ? '#262d35' : '#e7eaec';
    Plotly.relayout('{plot_id}', {
      'font.color': ink, 'xaxis.gridcolor': grid, 'yaxis.gridcolor': grid,
      'hoverlabel.bgcolor': dark.matches ? '#222931' : '#ffffff', 'hoverlabel.font.color': ink
    });
  };
  dress();
  dark.addEventListener('change', dress);
  window.addEventListener('load', function () { Plotly.Plots.resize('{plot_id}'); });
})();
"""


def write_page(region: Region, path: Path) -> None:
    """Write an interactive map of `region` to `path` as HTML, atomically; the same region gives the same bytes.

    Nodes, links and trap links tell their facts under the pointer; the users of each split are a layer that the
    legend switches on. The page holds everything it draws with, follows the reader's light or dark scheme, and is
    about 5 MB, nearly all of it plotly.js.

    Raises:
        EdgeBenchError: plotly, of the extra `plots`, is not installed.
    """
    try:
        import plotly.io
    except ImportError as error:
        raise _without_plotly() from error
    figure = region_figure(region)
    drawing = plotly.io.to_html(
        figure, full_html=False, include_plotlyjs=True, div_id="map", post_script=_THEME,
        config={"displaylogo": False, "scrollZoom": True, "responsive": True},
    )  # fmt: skip
    traps = int(region.column("links", "is_trap").sum())
    counts = (
        f"{region.tables['nodes'].num_rows:,} nodes, {region.tables['links'].num_rows:,} links, {traps:,} of them "
        f"traps, {region.tables['instances'].num_rows:,} models · edition {region.edition} · "
        f"digest {region.digest[:12]}"
    )
    title = f"{region.name} · {region.manifest['title']}"
    words = {"title": title, "counts": counts, "licence": region.licence}
    write_text(path, _PAGE.format(drawing=drawing, **{key: html.escape(text) for key, text in words.items()}))


def region_figure(region: Region) -> Figure:
    """The map as a plotly figure: links, trap links, nodes, and the users of each split.

    Raises:
        EdgeBenchError: plotly, of the extra `plots`, is not installed.
    """
    try:
        from plotly.graph_objects import Figure
    except ImportError as error:
        raise _without_plotly() from error
    figure = Figure([*_link_layers(region), _node_layer(region), *_user_layers(region)])
    _dress(figure, region)
    return figure


def _without_plotly() -> EdgeBenchError:
    return EdgeBenchError("map pages need plotly", mend="pip install 'edgebench[plots]'")


def _dress(figure: Figure, region: Region) -> None:
    lat = region.column("nodes", "lat")
    stretch = 1 / math.cos(math.radians(float(lat.min() + lat.max()) / 2))
    axis: dict[str, Any] = {"zeroline": False, "showline": False, "ticksuffix": "°", "gridcolor": "#e7eaec"}
    figure.update_layout(
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"size": 12, "color": "#22303c"},
        margin={"l": 48, "r": 8, "t": 8, "b": 36}, hovermode="closest", dragmode="pan",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": "#8a97a3", "activecolor": "#2a8aa3"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"},
        xaxis=axis, yaxis=axis | {"scaleanchor": "x", "scaleratio": stretch},
    )  # fmt: skip


def _link_layers(region: Region) -> list[Scatter]:
    traps = region.column("links", "is_trap").astype(bool)
    bandwidth = region.column("links", "bandwidth_mbps")
    edges = np.linspace(0, float(bandwidth.max()), _WIDTHS + 1)
    classes = np.clip(np.searchsorted(edges, bandwidth), 1, _WIDTHS)
    layers = []
    for kind, chosen, colour in (("links", ~traps, _LINK), ("trap links (agents never see which)", traps, _TRAP)):
        widths = [width for width in range(1, _WIDTHS + 1) if (chosen & (classes == width)).any()]
        for place, width in enumerate(widths):
            lines = _lines(region, chosen & (classes == width))
            layers.append(_line_layer(lines, kind, colour, 0.5 + 0.8 * width, named=place == 0))
        if widths:
            layers.append(_link_facts(region, chosen, kind, colour))
    return layers


def _line_layer(lines: tuple[list[Any], list[Any]], kind: str, colour: str, width: float, *, named: bool) -> Scatter:
    from plotly.graph_objects import Scatter

    return Scatter(
        x=lines[0], y=lines[1], mode="lines", line={"color": colour, "width": width}, hoverinfo="skip",
        name=kind, legendgroup=kind, showlegend=named,
    )  # fmt: skip


def _lines(region: Region, chosen: NDArray[np.bool_]) -> tuple[list[Any], list[Any]]:
    """Longitudes and latitudes of the chosen links' ends, a gap after each."""
    ends = np.stack([region.column("links", "src")[chosen], region.column("links", "dst")[chosen]], axis=1)
    lon, lat = (np.round(region.column("nodes", name)[ends], _DIGITS).tolist() for name in ("lon", "lat"))
    return [value for pair in lon for value in (*pair, None)], [value for pair in lat for value in (*pair, None)]


def _link_facts(region: Region, chosen: NDArray[np.bool_], kind: str, colour: str) -> Scatter:
    """Unseen points at the middles of links, which tell their facts: lines have no hover between their ends."""
    from plotly.graph_objects import Scatter

    src, dst = region.column("links", "src")[chosen], region.column("links", "dst")[chosen]
    facts = [region.column("links", name)[chosen] for name in ("latency_ms", "bandwidth_mbps", "distance_km")]
    lon, lat = (region.column("nodes", name) for name in ("lon", "lat"))
    return Scatter(
        x=_rounded((lon[src] + lon[dst]) / 2), y=_rounded((lat[src] + lat[dst]) / 2),
        mode="markers", marker={"size": 14, "color": colour, "opacity": 0},
        customdata=[list(row) for row in zip(*(column.tolist() for column in (src, dst, *facts)), strict=True)],
        hovertemplate=(
            "link %{customdata[0]} – %{customdata[1]}<br>latency %{customdata[2]} ms<br>"
            f"bandwidth %{{customdata[3]}} Mbit/s<br>length %{{customdata[4]}} km<extra>{_one(kind)}</extra>"
        ),
        legendgroup=kind, showlegend=False,
    )  # fmt: skip


def _one(kind: str) -> str:
    return "trap" if kind.startswith("trap") else "link"


def _node_layer(region: Region) -> Scatter:
    from plotly.graph_objects import Scatter

    names = ("node_id", "compute", "storage_gb", "price", "sites", "cells")
    columns = [region.column("nodes", name).tolist() for name in names]
    models = [", ".join(f"{count} {kind}" for kind, count in held.items()) or "none" for held in models_by_kind(region)]
    compute, sites = region.column("nodes", "compute"), np.maximum(region.column("nodes", "sites"), 1)
    size = (7 + 15 * np.sqrt(compute / compute.max())) * min(1.0, (60 / len(compute)) ** 0.25)
    return Scatter(
        x=_rounded(region.column("nodes", "lon")), y=_rounded(region.column("nodes", "lat")),
        mode="markers", name="nodes",
        marker={
            "size": np.round(size, 1).tolist(), "color": np.round(np.log10(sites), 3).tolist(),
            "colorscale": [list(stop) for stop in _SITES], "line": {"color": "#ffffff", "width": 1}, "opacity": 1,
        },
        customdata=[list(row) for row in zip(*columns, degrees(region).tolist(), models, strict=True)],
        hovertemplate=(
            "node %{customdata[0]}<br>compute %{customdata[1]} units<br>storage %{customdata[2]} GB<br>"
            "price %{customdata[3]} of the catalogue's<br>%{customdata[4]} sites, %{customdata[5]} cells<br>"
            "%{customdata[6]} links<br>models: %{customdata[7]}<extra>node</extra>"
        ),
    )  # fmt: skip


def _user_layers(region: Region) -> list[Scatter]:
    """The users of each split with how many tasks they send; hidden until the legend switches them on."""
    from plotly.graph_objects import Scatter

    layers = []
    for split in splits(region):
        tasks = region.task_table(split)
        seen = tasks.group_by(["user_id", "lat", "lon"]).aggregate([([], "count_all")]).sort_by("user_id")
        facts = zip(seen["user_id"].to_pylist(), seen["count_all"].to_pylist(), strict=True)
        layer = Scatter(
            x=_rounded(seen["lon"].to_numpy()), y=_rounded(seen["lat"].to_numpy()),
            mode="markers", name=f"users of {split}", visible="legendonly",
            marker={"size": 5, "color": _USER, "symbol": "diamond"},
            customdata=[list(row) for row in facts],
            hovertemplate="user %{customdata[0]}<br>%{customdata[1]} tasks<extra>" + split + "</extra>",
        )  # fmt: skip
        layers.append(layer)
    return layers


def _rounded(angles: NDArray[np.floating]) -> list[float]:
    rounded: list[float] = np.round(angles, _DIGITS).tolist()
    return rounded
