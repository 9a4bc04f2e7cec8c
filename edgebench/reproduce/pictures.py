"""Learning curves and performance profiles of a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgebench.atomic import atomic_path
from edgebench.registry import DEFAULT_SCENARIO
from edgebench.reproduce.outcome import Outcome
from edgebench.show.style import FAINT, INK, dress, new_figure

_POINTS = 60


def draw_curves(outcome: Outcome, target: Path) -> None:
    """Score on `val` over decisions: the mean over training seeds, and from the least to the most of them."""
    figure = new_figure("learning curves", (8.5, 4.8))
    axes = figure.subplots()
    dress(axes)
    for number, label in enumerate(outcome.trained):
        decisions, values = _on_one_grid(outcome.curves[label])
        colour = f"C{number % 10}"
        axes.plot(decisions / 1e6, values.mean(axis=0), color=colour, label=label, linewidth=1.6)
        axes.fill_between(
            decisions / 1e6, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.12, linewidth=0
        )
    axes.set_xlabel("decisions, millions", color=FAINT, fontsize=9)
    axes.set_ylabel("primary metric on val", color=FAINT, fontsize=9)
    axes.set_title(outcome.plan.table.title, color=INK, fontsize=11, loc="left")
    axes.legend(fontsize=8, frameon=False, ncols=2)
    _save(figure, target)


def draw_profiles(outcome: Outcome, target: Path) -> None:
    """Share of episodes and training seeds with more than a score (Agarwal et al., NeurIPS 2021, section 4.3)."""
    figure = new_figure("performance profiles", (8.5, 4.8))
    axes = figure.subplots()
    dress(axes)
    grid = np.linspace(-0.2, 1.0, 241)
    for number, (label, by_scenario) in enumerate(outcome.scores.items()):
        scores = by_scenario[DEFAULT_SCENARIO]
        every = np.sort(np.concatenate([scores.values[name].ravel() for name in scores.regions]))
        above = 1.0 - np.searchsorted(every, grid, side="right") / every.size
        style = "-" if label in outcome.trained else ":"
        axes.plot(grid, above, style, color=f"C{number % 10}", label=label, linewidth=1.4)
    axes.set_xlabel("score of an episode", color=FAINT, fontsize=9)
    axes.set_ylabel("share of episodes above it", color=FAINT, fontsize=9)
    axes.set_title(outcome.plan.table.title, color=INK, fontsize=11, loc="left")
    axes.legend(fontsize=8, frameon=False, ncols=2)
    _save(figure, target)


def _on_one_grid(
    curves: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Decisions, (points,), and each seed's values there, (seeds, points)."""
    first, last = max(curve[0][0] for curve in curves), min(curve[0][-1] for curve in curves)
    grid = np.linspace(first, last, _POINTS)
    return grid, np.stack([np.interp(grid, *curve) for curve in curves])


def _save(figure: object, target: Path) -> None:
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    figure.tight_layout()
    with atomic_path(target) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
