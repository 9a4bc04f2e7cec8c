"""Histograms of a region as one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edgebench.atomic import atomic_path
from edgebench.region import Region
from edgebench.show.figures import Histogram, bin_labels, edge_label, region_histograms
from edgebench.show.style import ACCENT, FAINT, INK, MAIN, dress, new_figure, write_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SPLIT_COLOURS: Final = {"train": MAIN, "val": ACCENT, "test": "#1d4e79"}
_SINGLE: Final = ("degree", "link_latency", "path_latency", "tokens", "payload")


def draw_histograms(region: Region, path: Path) -> None:
    """Write degree, latencies, tokens, payloads and arrivals of `region` to `path` as PNG, atomically.

    Raises:
        EdgeBenchError: matplotlib, the extra `plots`, is not installed.
    """
    figure = new_figure("histograms", (11.0, 6.6))
    histograms = region_histograms(region)
    places = figure.subplots(2, 3, gridspec_kw={"hspace": 0.55, "wspace": 0.24}).ravel()
    figure.subplots_adjust(left=0.06, right=0.98, top=0.84, bottom=0.12)
    for axes, name in zip(places, _SINGLE, strict=False):
        _draw(axes, histograms[name])
    _draw_arrivals(places[-1], {name: each for name, each in histograms.items() if name.startswith("arrivals_")})
    title = f"{region.name} · {region.manifest['title']}"
    write_words(figure, title, f"edition {region.edition} · digest {region.digest[:12]}", region.licence)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


def _draw(axes: Axes, histogram: Histogram) -> None:
    """Bins of equal width on paper; where bins double, their bounds are written at every bin's edge."""
    _dress(axes, histogram.title, histogram.unit)
    counts = np.asarray(histogram.counts)
    if histogram.unit == "links":
        axes.bar(range(len(counts)), counts, width=0.86, color=MAIN)
        every = -(-len(counts) // 12)
        axes.set_xticks(range(0, len(counts), every), bin_labels(histogram)[::every])
    elif histogram.doubling:
        axes.bar(np.arange(len(counts)) + 0.5, counts, width=0.9, color=MAIN)
        every = -(-len(histogram.edges) // 8)
        places = range(0, len(histogram.edges), every)
        axes.set_xticks(places, [edge_label(histogram.edges[place]) for place in places])
    else:
        edges = np.asarray(histogram.edges)
        axes.bar(edges[:-1], counts, width=np.diff(edges) * 0.9, align="edge", color=MAIN)


def _draw_arrivals(axes: Axes, histograms: dict[str, Histogram]) -> None:
    """Tasks a second over the time of each split, so that splits of different length stand beside each other."""
    _dress(axes, "arrivals over time", "s from the start of the split")
    axes.set_ylabel("tasks a second", fontsize=8, color=FAINT)
    for name, histogram in histograms.items():
        split = name.removeprefix("arrivals_")
        edges = np.asarray(histogram.edges)
        rate = np.asarray(histogram.counts) / np.diff(edges)
        axes.stairs(rate, edges, baseline=None, color=_SPLIT_COLOURS[split], linewidth=1.6, label=split)
    axes.set_ylim(0, 1.2 * axes.get_ylim()[1])
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper right", labelcolor=INK)


def _dress(axes: Axes, title: str, unit: str) -> None:
    dress(axes, "y")
    axes.set_title(title, fontsize=10, color=INK, loc="left")
    axes.set_xlabel(unit, fontsize=8, color=FAINT)
    axes.yaxis.set_major_formatter(lambda count, _: f"{count:,g}")
