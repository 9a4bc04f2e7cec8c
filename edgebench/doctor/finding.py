"""What an examination finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

OK: Final = "ok"
NOTE: Final = "note"
"""Something is missing that not everybody needs."""
WRONG: Final = "wrong"
"""Something that would stop a user."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: `installed`, `data`, `machine`, `sandbox` or `self-test`.
        what: What was looked at.
        state: `OK`, `NOTE` or `WRONG`.
        said: What was found, in words.
        mend: What to do about it, "" for nothing.
        details: The same for programs.
    """

    topic: str
    what: str
    state: str
    said: str
    mend: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
