"""One thread or several: whichever is quicker here and now."""

from __future__ import annotations

import time
from typing import Final

TRIAL: Final = 8
"""Calls by which a way is judged; the first of them may compile or wake threads and is not counted."""
PAUSES: Final = (200, 20_000)
"""Calls until the slower way is tried again: doubled from the first to the last as long as it stays the slower."""


class Pace:
    """Times two ways of doing the same, and tells which to take.

    What is done is the same either way, so the choice changes no result. Threads lose where a call is short and where
    the processors are busy with something else.
    """

    def __init__(self) -> None:
        self._better, self._pause, self._calls = 0, 0, 0
        self._seconds = [0.0, 0.0]

    def choose(self) -> int:
        """Which way, 0 or 1, the call that begins now is to take."""
        is_trial_of_other = self._calls >= self._pause + TRIAL
        self._way = 1 - self._better if is_trial_of_other else self._better
        self._begun = time.perf_counter()
        return self._way

    def done(self) -> None:
        """The call that `choose` began has ended."""
        seconds, of_trial = time.perf_counter() - self._begun, self._calls - self._pause
        if of_trial >= 0 and of_trial % TRIAL > 0:
            self._seconds[self._way] += seconds
        self._calls += 1
        if of_trial + 1 == 2 * TRIAL:
            self._judge()

    def _judge(self) -> None:
        if self._seconds[1 - self._better] < self._seconds[self._better]:
            self._better, self._pause = 1 - self._better, PAUSES[0]
        else:
            self._pause = min(max(2 * self._pause, PAUSES[0]), PAUSES[1])
        self._calls, self._seconds = 0, [0.0, 0.0]
