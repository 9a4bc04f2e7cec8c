"""Among how many threads a vector environment may share its episodes: at first as numba is set (`NUMBA_NUM_THREADS`).

Numba itself is not asked later on: the first question starts its OpenMP pool, which resets the number of threads of
every other library on that OpenMP, torch's too.
"""

from __future__ import annotations

from numba.core import config

_allowed: list[int] = [config.NUMBA_NUM_THREADS]


def threads() -> int:
    """As many as `use_threads` said last."""
    return _allowed[0]


def use_threads(count: int) -> None:
    """From now on so many in this process, at least one."""
    _allowed[0] = max(count, 1)
