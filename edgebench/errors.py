"""The one exception a user can cause."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable
from typing import Final

_SPACE: Final = "free some space there and give the same command again; what was finished is kept"
_OPEN: Final = "name another place, or give yourself the right to this one, and give the same command again"
_REFUSALS: Final = {
    errno.ENOSPC: ("the disk is full", _SPACE),
    errno.EDQUOT: ("the quota of the disk is used up", _SPACE),
    errno.EFBIG: ("a file would exceed the limit on file sizes", "raise the limit (ulimit -f), then the same command"),
    errno.EROFS: ("the file system is read-only", _OPEN),
    errno.EACCES: ("permission denied", _OPEN),
    errno.EPERM: ("permission denied", _OPEN),
}
"""What the system answers to a write that it refuses, in words, and what to do about it."""


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


def refused_write(error: OSError, where: str = "") -> EdgeBenchError | None:
    """What to tell of a full disk or a folder that may not be written to; None for any other error.

    Args:
        error: What the system answered.
        where: What was being written; the file that the error names where "".
    """
    if error.errno not in _REFUSALS:
        return None
    what, mend = _REFUSALS[error.errno]
    return EdgeBenchError(what, where=where or str(error.filename or ""), mend=mend)
