"""A user's own log of routes, `trace.npy`: read with clear errors, cut into history and episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError
from edgebench.tracks.place.constants import PROFILE_REQUESTS, REQUEST_ROWS, REQUESTS, SLOTS

LEAST_TOKENS: Final = 2 * REQUESTS * REQUEST_ROWS
"""Tokens of the shortest log that is taken: a batch for history and one for the episode."""
MOST_EXPERTS: Final = 1024
"""Experts of a layer, at most."""
MOST_COPIES: Final = 4096
"""Experts of all layers, at most: the flat mask has 24 entries for each."""


def read_log(path: str | Path) -> NDArray[np.int16]:
    """The routes in a NumPy file: which expert each token picked in each layer, (tokens, layers), ids 0 ... E - 1.

    E is the highest id plus 1. The first half of the tokens is history, the second what episodes serve.

    Raises:
        EdgeBenchError: The file is no such array.
    """
    try:
        log = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise EdgeBenchError(f"unreadable trace: {error}", where=str(path), mend="save it with numpy.save") from error
    fault = _fault(log)
    if fault:
        raise EdgeBenchError(f"the trace {fault}", where=str(path), mend="give whole numbers, tokens x layers")
    return np.asarray(log, np.int16)


def _fault(log: object) -> str:
    """What is wrong with a log, "" for nothing."""
    if not isinstance(log, np.ndarray):
        return "holds several arrays"
    if log.ndim != 2 or log.dtype.kind not in "iu":
        return f"is an array of {log.dtype} in {log.ndim} dimensions"
    tokens, layers = log.shape
    if tokens < LEAST_TOKENS or layers < 1:
        return f"has {tokens} tokens and {layers} layers; {LEAST_TOKENS} and 1 are the least"
    if log.min() < 0 or log.max() >= MOST_EXPERTS:
        return f"has expert {log.min() if log.min() < 0 else log.max()}, outside 0 ... {MOST_EXPERTS - 1}"
    if (int(log.max()) + 1) * layers > MOST_COPIES:
        return f"has {(int(log.max()) + 1) * layers} experts in all; {MOST_COPIES} are the most"
    return ""


def cut_log(log: NDArray[np.int16], seed: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Routes of an episode, (S, R, L), from the second half of a log, and of its history, (rows, L), from the first.

    Both run on from a place that follows from `seed`, and from the half's beginning once at its end.
    """
    half, rows = len(log) // 2, REQUESTS * REQUEST_ROWS
    episode = np.take(log[half:], seed % (len(log) - half) + np.arange(SLOTS * rows), axis=0, mode="wrap")
    past = np.take(log[:half], seed % half + np.arange(PROFILE_REQUESTS * REQUEST_ROWS), axis=0, mode="wrap")
    return episode.reshape(SLOTS, rows, log.shape[1]), past
