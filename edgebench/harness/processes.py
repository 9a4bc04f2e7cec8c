"""Processes of an agent seen from outside: find them all, end them all, read their CPU clock."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PATIENCE_S: Final = 5.0
"""How long to go on killing what goes on forking; with a limit on processes one round does."""


def cpu_ns(pid: int) -> int:
    """CPU time of another process so far, all its threads, by the kernel's account (Linux).

    The clock's number is that of `clock_getcpuclockid(3)`, which Python does not offer.

    Raises:
        OSError: There is no such process.
    """
    return time.clock_gettime_ns(~pid << 3 | 2)


def descendants(pid: int) -> set[int]:
    """Processes started by `pid` and by those, at this moment, as /proc tells (Linux)."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found, open_ = set[int](), [pid]
    while open_:
        new = set(children.get(open_.pop(), ())) - found
        found |= new
        open_ += new
    return found


def _parents() -> Iterator[tuple[int, int]]:
    """Every process that is not dead yet, with its parent."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it ended meanwhile
        if state not in "ZX":
            yield int(folder.name), int(parent)


def end_descendants(pid: int) -> None:
    """Kill all that `pid` has started; each is stopped first, so that none can start another while they are killed."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and (found := descendants(pid)):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in found:
                _signal(process, number)
        time.sleep(0.001)


def _signal(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return  # it ended meanwhile
