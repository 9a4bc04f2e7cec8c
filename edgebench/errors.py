"""The one exception a user can cause."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EdgeBenchError(Exception):
    """A mistake the user can mend: bad input, an unknown name, a foreign file.

    Args:
        what: What is wrong, in one sentence.
        where: The file, row, option or name it concerns ("" where there is none).
        mend: What to do about it.

    The command line prints the three parts without a traceback and exits with status 2.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        parts = [what, f"where: {where}" if where else "", f"mend: {mend}" if mend else ""]
        super().__init__("\n  ".join(part for part in parts if part))


def unknown_name(kind: str, name: str, known: Iterable[str]) -> EdgeBenchError:
    """An error for a name that is not in a registry, suggesting the nearest known one."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return EdgeBenchError(f"unknown {kind} {name!r}", mend=f"{hint}known: {', '.join(names)}")
