"""What the pictures of docs/concepts.md share: a region's network in km, words beside it, colours of model types."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgebench.constants import MODEL_TYPES
from edgebench.region import Region
from edgebench.show.style import ACCENT, INK, LINK, MAIN, TRAP

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TYPE_COLOURS: Final = (MAIN, ACCENT, "#7b4b94")
"""Of text, image and video models."""
FAINT_LINK: Final = "#dde3e8"
_KM_PER_DEGREE: Final = 111.195
_LETTERS: Final = 36
"""Of a line beside a picture."""


class Map:
    """Nodes and links of a region on axes whose unit is a km both ways."""

    def __init__(self, region: Region, axes: Axes) -> None:
        lat, lon = (region.column("nodes", name) for name in ("lat", "lon"))
        east = (lon - lon.min()) * np.cos(np.deg2rad(lat.mean()))
        self.places = np.column_stack([east, lat - lat.min()]) * _KM_PER_DEGREE
        self.region, self.axes = region, axes
        axes.axis("off")

    def links(self, *, traps: bool) -> None:
        """Draw the links, wider with more bandwidth; trap links in red if `traps`, all faint if not."""
        from matplotlib.collections import LineCollection

        ends = [self.region.column("links", name) for name in ("src", "dst")]
        lines = np.stack([self.places[end] for end in ends], axis=1)
        is_trap = self.region.column("links", "is_trap") & traps
        widths = 0.6 + 3.0 * self.region.column("links", "bandwidth_mbps") / 80.0
        colours = np.where(is_trap, TRAP, LINK if traps else FAINT_LINK)
        self.axes.add_collection(LineCollection(list(lines), linewidths=widths, colors=colours, zorder=1))

    def dots(self, nodes: Any, areas: Any, colours: Any) -> None:
        """Draw circles on nodes, of these areas and colours."""
        x, y = self.places[nodes].T
        self.axes.scatter(x, y, s=areas, c=colours, edgecolor="white", zorder=3)

    def square(self, node: int, area: float) -> None:
        """Mark a node."""
        x, y = self.places[node]
        self.axes.scatter(x, y, s=area, marker="s", facecolor="none", edgecolor=INK, linewidth=1.6, zorder=4)

    def arrow(self, start: int, end: int, width: float) -> None:
        """From one node to another."""
        shape = {"arrowstyle": "-|>", "linewidth": width, "color": INK, "mutation_scale": 6 + 3 * width}
        bow = {"shrinkA": 9, "shrinkB": 9, "connectionstyle": "arc3,rad=0.12"}
        self.axes.annotate("", self.places[end], self.places[start], zorder=4, arrowprops=shape | bow)

    def frame(self, margin_km: float) -> None:
        """Show all nodes with this margin around."""
        low, high = self.places.min(axis=0) - margin_km, self.places.max(axis=0) + margin_km
        self.axes.set_xlim(low[0], high[0])
        self.axes.set_ylim(low[1], high[1])
        self.axes.set_aspect("equal")
        self.axes.axis("off")


def words_beside(figure: Figure, left: float, top: float, head: str, *paragraphs: str) -> None:
    """A head and paragraphs below it, from `left` and `top` as shares of the figure."""
    high = figure.get_size_inches()[1]
    lines = "\n\n".join(textwrap.fill(paragraph, _LETTERS) for paragraph in paragraphs)
    figure.text(left, top, head, fontsize=12, fontweight="bold", color=INK, va="top")
    figure.text(left, top - 0.34 / high, lines, fontsize=9, color=INK, va="top", linespacing=1.45)


def mark_types(figure: Figure, left: float, top: float) -> None:
    """The legend of model types."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="o", linestyle="", color=colour, label=f"{name} models")
        for name, colour in zip(MODEL_TYPES, TYPE_COLOURS, strict=True)
    ]
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(left, top), frameon=False, fontsize=9,
                  labelcolor=INK, borderpad=0, handletextpad=0.3)  # fmt: skip
