"""How a person plays a track: what is shown before a decision, what a typed line means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np

from edgebench.errors import EdgeBenchError
from edgebench.region import Region


@dataclass(frozen=True)
class Row:
    """A row of what is shown.

    Attributes:
        cells: Its columns.
        action: What it stands for, None where it is there to be read alone.
        node: The node it is about, -1 for none.
        extra_s: What the way there was measured to add.
    """

    cells: Sequence[str]
    action: Any = None
    node: int = -1
    extra_s: float = 0.0


@dataclass(frozen=True)
class Decision:
    """What a person is shown before a decision, all of it from the observation and the info that an agent is given.

    Attributes:
        heading: What is to be decided, line by line.
        columns: Headings of the rows' cells.
        rows: The first column of a row with an action is the number that chooses it.
        here: The node where it is decided, -1 for none.
        user: The user's node, -1 for none.
    """

    heading: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Row] = field(default_factory=list)
    here: int = -1
    user: int = -1


class Hand(Protocol):
    """A track in a person's hand; made once a region."""

    usage: str
    """What may be typed, in a few words."""

    def __init__(self, region: Region) -> None: ...

    def look(self, observation: dict[str, Any], info: dict[str, Any]) -> Decision:
        """What is shown."""
        ...

    def typed(self, line: str, observation: dict[str, Any]) -> Any:
        """The action that a line means; EdgeBenchError where it means none."""
        ...

    def told(self, action: Any) -> str:
        """An action in words."""
        ...


def whole_number(line: str, usage: str) -> int:
    """The number that a line is; EdgeBenchError for any other."""
    if not line.isascii() or not line.isdigit() or len(line) > _DIGITS:
        raise EdgeBenchError(f"{line!r:.40} is no choice", mend=usage)
    return int(line)


def entries(values: Any, features: Sequence[Any]) -> dict[str, float]:
    """The entries of an observation's vector by the names of its features."""
    return {feature.name: float(value) for feature, value in zip(features, np.asarray(values), strict=True)}


_DIGITS: Final = 9
