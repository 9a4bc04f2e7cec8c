"""What the pictures share: colours, how lines are thinned, the words around a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from edgebench.errors import EdgeBenchError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK: Final = "#22303c"
FAINT: Final = "#8a97a3"
LINK: Final = "#9fb0bf"
TRAP: Final = "#e4572e"
PAPER: Final = "#fcfcfa"
MAIN: Final = "#2a8aa3"
ACCENT: Final = "#e9a03b"
RISING: Final = ("#8fc9c2", "#2a8aa3", "#1d4e79", "#14213d")
"""From little to much."""
MOST_LABELLED: Final = 60
"""Node numbers are drawn while they can be read."""


def new_figure(what: str, size: tuple[float, float]) -> Figure:
    """An empty matplotlib figure of `size` inches for `what`.

    Raises:
        EdgeBenchError: matplotlib, the extra `plots`, is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise needs("matplotlib", what) from error
    return Figure(figsize=size, facecolor=PAPER)


def needs(library: str, what: str) -> EdgeBenchError:
    """An error for a library of the extra `plots` that is not installed."""
    return EdgeBenchError(f"{what} need {library}", mend="pip install 'edgebench[plots]'")


def dress(axes: Axes, grid: Literal["both", "x", "y"] = "both") -> None:
    """Paper, faint ticks and grid, no frame."""
    axes.set_facecolor(PAPER)
    axes.grid(axis=grid, color="#e7eaec", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, length=0, labelsize=8)
    for spine in axes.spines.values():
        spine.set_visible(False)


def write_words(figure: Figure, title: str, about: str, licence: str) -> None:
    """A title, a line about it below, the licence at the foot."""
    figure.text(0.03, 0.945, title, fontsize=15, fontweight="bold", color=INK, parse_math=False)
    figure.text(0.03, 0.908, about, fontsize=9, color=FAINT, parse_math=False)
    figure.text(0.03, 0.02, licence, fontsize=7, color=FAINT, parse_math=False, wrap=True)


def thinning(nodes: int) -> float:
    """What lines and outlines are thinned by where many nodes share the picture; 1 for few."""
    return float(min(1.0, (45 / nodes) ** 0.35))
