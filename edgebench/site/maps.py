"""The interactive map of a region: that of `edgebench show --map`, with the sites of its cells below it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.show.page import region_figure

MOST_SITES: Final = 3000
"""Sites on a map; of more, every so many-th is drawn."""
_DIGITS: Final = 4
"""Of a degree: ten metres."""
_SITE: Final = "#9aa7b2"


class Sites(NamedTuple):
    """Masts of a region's cells; S sites."""

    lon: NDArray[np.float64]  # (S,) degrees
    lat: NDArray[np.float64]  # (S,) degrees
    cells: NDArray[np.int64]  # (S,) cells on each


FindSites = Callable[[Region], Sites | None]
"""The sites of the cells a region was built from, None where those cells are not at hand."""


def map_figure(region: Region, sites: Sites | None) -> dict[str, Any]:
    """Data and layout for `Plotly.newPlot`, as plain JSON values; equal for equal regions."""
    figure: dict[str, Any] = json.loads(region_figure(region).to_json())
    layout = {name: value for name, value in figure["layout"].items() if name != "template"}
    below = [] if sites is None else [_site_layer(sites)]
    return {"data": [*below, *figure["data"]], "layout": layout}


def _site_layer(sites: Sites) -> dict[str, Any]:
    step = -(-len(sites.lon) // MOST_SITES)
    told = f"cells: {int(sites.cells.sum()):,} on {len(sites.lon):,} sites"
    return {
        "type": "scatter", "mode": "markers", "name": told if step == 1 else f"{told}, one in {step} drawn",
        "x": np.round(sites.lon[::step], _DIGITS).tolist(), "y": np.round(sites.lat[::step], _DIGITS).tolist(),
        "customdata": sites.cells[::step].tolist(), "hovertemplate": "%{customdata} cells<extra>site</extra>",
        "marker": {"size": 3, "color": _SITE, "opacity": 0.55},
    }  # fmt: skip
