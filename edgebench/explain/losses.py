"""What a track tells of where its primary metric is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Losses:
    """The parts of a loss; those of an episode sum to its loss.

    Attributes:
        what: The loss in words, as `1 - utility`.
        of_metric: The loss by the primary metric; infinite where a failed episode has no such sum.
        parts: What each part is, by name, in the order of tables.
        of_episode: The parts of the episode that a simulation has ended, by name.
    """

    what: str
    of_metric: Callable[[float], float]
    parts: Mapping[str, str]
    of_episode: Callable[[Any], dict[str, float]]
