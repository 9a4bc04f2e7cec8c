"""Every two agents of a board beside each other, computed once, for a page that lets its reader choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from edgebench.harness.statistics import Difference, Estimate, Scores, paired_differences
from edgebench.harness.statistics import probabilities_of_improvement as improvements_of
from edgebench.site.world import Board

Improvements = Mapping[tuple[str, str], Estimate]
"""Of every two agents of a board, the first by name over the second."""

EQUAL: Final = 1e-9
"""Scores of an episode that differ by less are a tie."""
_DIGITS: Final = 4


def board_improvements(board: Board) -> Improvements:
    """The probability of improvement of every two agents of a board."""
    return improvements_of({row.entry.name: row.entry.scores for row in board.rows})


def improvement_matrix(names: Sequence[str], found: Improvements) -> list[list[Estimate | None]]:
    """By row the probabilities that its agent improves on each of `names`; None on the diagonal."""
    return [[None if one == other else _improvement(one, other, found) for other in names] for one in names]


def _improvement(one: str, other: str, found: Improvements) -> Estimate:
    if one < other:
        return found[one, other]
    turned = found[other, one]
    return Estimate(1.0 - turned.value, 1.0 - turned.high, 1.0 - turned.low)


def board_pairs(board: Board, improvements: Improvements) -> dict[str, Any]:
    """What the comparison page shows of a board, as plain JSON values.

    `episodes` are the shared ones as [region's number, window, seed]; `agents` hold each one's score in them; `pairs`
    maps `"i,j"`, i < j, to the differences of agent i minus agent j, each [value, low, high], per region the number of
    episodes agent i won, tied and lost, and the probability that agent i improves on agent j.
    """
    scores = {row.entry.name: row.entry.scores for row in board.rows}
    regions = [name for name, _ in board.conditions.regions]
    names = sorted(scores)
    place = {name: number for number, name in enumerate(names)}
    return {
        "regions": regions,
        "episodes": [
            [number, window, seed]
            for number, region in enumerate(regions)
            for window, seed in scores[names[0]].episodes[region]
        ],
        "agents": [{"name": name, "scores": _flat(scores[name], regions)} for name in names],
        "ranked": [place[row.entry.name] for row in board.rows],
        "pairs": {
            f"{place[one]},{place[other]}": _pair(found, scores[one], scores[other], regions)
            | {"improvement": _rounded(improvements[one, other])}
            for (one, other), found in paired_differences(scores).items()
        },
    }


def _flat(scores: Scores, regions: list[str]) -> list[float]:
    return [round(value, _DIGITS) for region in regions for value in scores.values[region].mean(axis=0).tolist()]


def _pair(found: Difference, one: Scores, other: Scores, regions: list[str]) -> dict[str, Any]:
    return {
        "total": _rounded(found.total),
        "regions": [_rounded(found.regions[region]) for region in regions],
        "counts": [outcomes(one, other, region) for region in regions],
    }


def _rounded(estimate: Estimate) -> list[float]:
    return [round(value, _DIGITS) + 0.0 for value in (estimate.value, estimate.low, estimate.high)]


def outcomes(one: Scores, other: Scores, region: str) -> list[int]:
    """Episodes of a region that `one` won, tied and lost against `other`."""
    apart = one.values[region].mean(axis=0) - other.values[region].mean(axis=0)
    won, lost = int((apart > EQUAL).sum()), int((apart < -EQUAL).sum())
    return [won, len(apart) - won - lost, lost]
