"""Where two agents lose, as stacked bars beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edgebench.atomic import atomic_path
from edgebench.explain.replay import Explanation
from edgebench.show.style import FAINT, INK, PAPER, dress, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS: Final = (
    "#2a8aa3", "#e4572e", "#1d4e79", "#8fc9c2", "#9fb0bf", "#e9a03b", "#f2d492", "#7a3b69", "#22303c", "#c9cfd4",
)  # fmt: skip
"""In the order of the parts; one that is named `late: queues` has that of `queues`, hatched."""
_DOTS: Final = 110
_BAR: Final = 0.38


def draw_losses(explanation: Explanation, path: Path) -> None:
    """Write the bars to `path` as PNG, atomically: all episodes, then region by region where there are several.

    Raises:
        EdgeBenchError: matplotlib, of the extra `plots`, is not installed.
    """
    groups = [""] + (explanation.regions if len(explanation.regions) > 1 else [])
    figure = new_figure("plots", (3.6 + 1.3 * len(groups), 5.0))
    axes = figure.add_axes((0.9 / figure.get_figwidth(), 0.12, 1.3 * len(groups) / figure.get_figwidth(), 0.74))
    dress(axes, "y")
    for place, region in enumerate(groups):
        _draw_group(axes, explanation, place, region)
    axes.set_xticks(range(len(groups)), [region or "all" for region in groups], color=INK)
    first, second = explanation.agents
    title, about = f"{first} (left), {second} (right)", f"{explanation.losses.what} · {explanation.conditions}"
    figure.text(0.03, 0.945, title, fontsize=12, fontweight="bold", color=INK, parse_math=False)
    figure.text(0.03, 0.905, about, fontsize=8, color=FAINT, parse_math=False)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=8, frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DOTS, bbox_inches="tight", pad_inches=0.2)


def _draw_group(axes: Axes, explanation: Explanation, place: int, region: str) -> None:
    means, ever = explanation.means(region), explanation.means().any(axis=0)
    bottom, at = np.zeros(2), place + np.array([-0.5, 0.5]) * (_BAR + 0.04)
    kinds = list(dict.fromkeys(name.rpartition(": ")[2] for name in explanation.parts))
    for number in np.flatnonzero(ever):
        height, name = means[:, number], explanation.parts[number]
        colour = _COLOURS[kinds.index(name.rpartition(": ")[2])]
        label, hatch = "_" * (place > 0) + name, "////" if ": " in name else ""
        axes.bar(at, height, _BAR, bottom, label=label, facecolor=colour, hatch=hatch, edgecolor=PAPER, linewidth=0.0)
        bottom += height
