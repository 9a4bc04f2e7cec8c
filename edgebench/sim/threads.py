"""How many threads compiled loops may share their work among.

Numba's own setting is not asked: the first question starts its OpenMP pool, which resets the number of threads of
every other library on that OpenMP, torch's too.
"""

from __future__ import annotations

import os

_allowed: list[int] = []


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def threads() -> int:
    """As many as `use_threads` said last; before that as many as there are cores."""
    return _allowed[-1] if _allowed else cores()


def use_threads(count: int) -> None:
    """From now on so many in this process, at least one."""
    _allowed[:] = [max(count, 1)]
