"""What gateways send each other: under way for as long as the network takes, then known until something newer comes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled_in_place


@dataclass
class _Post:
    """What all G gateways have sent at one time."""

    sent_ms: float
    there_ms: NDArray[np.float64]  # (G, G) when it is there, [to, from], inf once it has been
    next_ms: float  # the least of them
    letters: NDArray[np.float32]  # (G, W) what each sends


class Mail:
    """The letters of G gateways, W words each; times in ms from the start of the window.

    Attributes:
        letters: (G, G, W), [to, from]: the latest sent of those that have arrived, 0 before the first.
        sent_ms: (G, G) when that was sent, -inf before the first.
    """

    def __init__(self, gateways: int, words: int) -> None:
        self.letters = np.zeros((gateways, gateways, words), np.float32)
        self.sent_ms = np.full((gateways, gateways), -np.inf)
        self._under_way: list[_Post] = []

    def post(self, sent_ms: float, there_ms: NDArray[np.float64], letters: NDArray[np.float32]) -> None:
        """Send a letter from every gateway to every other: (G, W), there at (G, G), [to, from]."""
        self._under_way.append(_Post(sent_ms, there_ms.copy(), float(there_ms.min()), letters))

    def collect(self, now_ms: float) -> None:
        """Take in what has arrived by `now_ms`. A letter overtaken by a later one is not read."""
        for post in self._under_way:
            if post.next_ms <= now_ms:
                post.next_ms = _take_in(now_ms, post.sent_ms, post.there_ms, post.letters, self.letters, self.sent_ms)
        self._under_way = [post for post in self._under_way if post.next_ms < np.inf]


@compiled_in_place
def _take_in(
    now_ms: float, posted_ms: float, there_ms: NDArray[np.float64], posted: NDArray[np.float32],
    letters: NDArray[np.float32], sent_ms: NDArray[np.float64],
) -> float:  # fmt: skip
    """Read of one post what has arrived; returns when the next of it will have."""
    next_ms = np.inf
    for to in range(there_ms.shape[0]):
        for by in range(there_ms.shape[1]):
            if there_ms[to, by] > now_ms:
                next_ms = min(next_ms, there_ms[to, by])
                continue
            there_ms[to, by] = np.inf
            if posted_ms >= sent_ms[to, by]:
                sent_ms[to, by] = posted_ms
                for word in range(posted.shape[1]):
                    letters[to, by, word] = posted[by, word]
    return next_ms
