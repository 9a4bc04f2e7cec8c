"""What gateways send each other: under way for as long as the network takes, then known until something newer comes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
                self._take_in(post, now_ms)
        self._under_way = [post for post in self._under_way if post.next_ms < np.inf]

    def _take_in(self, post: _Post, now_ms: float) -> None:
        has_arrived = post.there_ms <= now_ms
        to, by = (has_arrived & (post.sent_ms >= self.sent_ms)).nonzero()
        self.sent_ms[to, by], self.letters[to, by] = post.sent_ms, post.letters[by]
        post.there_ms[has_arrived] = np.inf
        post.next_ms = float(post.there_ms.min())
