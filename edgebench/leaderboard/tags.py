"""What a score says about an agent: every tag is the score on a slice of the episodes that ask for one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgebench.registry import REGIONS, UNSEEN


@dataclass(frozen=True)
class Tag:
    """A slice of the board's episodes: one scenario, on some of the regions."""

    name: str
    meaning: str
    scenario: str
    regions: tuple[str, ...]


TAGS: Final = (
    Tag("trap", "links that turn bad for seconds at a time: all regions in trap", "trap", tuple(REGIONS)),
    Tag("burst", "flash crowds: all regions in burst", "burst", tuple(REGIONS)),
    Tag("failure", "nodes that fail: all regions in outage", "outage", tuple(REGIONS)),
    Tag("scale", "the standard region of most nodes, 101: s3 in trap", "trap", ("s3",)),
    Tag("heterogeneity", "the region whose nodes differ most in compute: s1 in trap", "trap", ("s1",)),
    Tag("transfer", "the region nobody may learn on: s4 in trap", "trap", (UNSEEN,)),
)
"""In the order of the axes of a radar plot; `tests/leaderboard/test_total.py` checks what is said of the regions."""
TAGGED_SCENARIOS: Final = tuple(dict.fromkeys(tag.scenario for tag in TAGS))
"""The scenarios in which an agent must have been evaluated to have every tag."""
