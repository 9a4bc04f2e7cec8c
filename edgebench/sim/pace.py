"""Several threads or one: whichever is quicker here and now."""

from __future__ import annotations

import time
from typing import Final

TRY_EVERY: Final = 500
"""Calls after which the slower way is tried again: threads lose where the cores are busy with something else."""
_NEWEST: Final = 0.3
"""Weight of the newest call in the moving average of a way's times."""


class Pace:
    """Times two ways of doing the same, and tells which to take.

    What is done is the same either way, so the choice changes no result. The first call of a way is not counted: it may
    compile.
    """

    def __init__(self) -> None:
        self._seconds: list[float | None] = [None, None]
        self._is_warm = [False, False]
        self._calls, self._begun, self._way = 0, 0.0, 0

    def choose(self) -> int:
        """Which way, 0 or 1, the call that begins now is to take."""
        self._calls += 1
        first, second = self._seconds
        if first is None or second is None:
            self._way = int(first is not None)
        else:
            self._way = int((second < first) != (self._calls % TRY_EVERY == 0))
        self._begun = time.perf_counter()
        return self._way

    def done(self) -> None:
        """The call that `choose` began has ended."""
        seconds, known = time.perf_counter() - self._begun, self._seconds[self._way]
        if self._is_warm[self._way]:
            self._seconds[self._way] = seconds if known is None else known + _NEWEST * (seconds - known)
        self._is_warm[self._way] = True
