"""A row of shares as whole requests, by largest remainder and exactly."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part
from edgebench.tracks.offload.state import REJECT, C

_ONE: Final = 1 << 24
"""A share is read to this fraction, the precision of float32 at 1."""


@part
def read_shares(row: NDArray[np.float32], degree: int, weight: NDArray[np.int64]) -> int:
    """Write the row's shares as whole weights, (C,), and return their sum.

    What is no number, below 0 or of no neighbour counts 0, above 1 it counts 1; a row without any share rejects all.
    """
    total = 0
    for column in range(C):
        weight[column] = 0
        if (column <= degree or column == REJECT) and row[column] > 0.0:
            weight[column] = int(min(float(row[column]), 1.0) * _ONE)
            total += weight[column]
    if total == 0:
        weight[REJECT] = 1
    return max(total, 1)


@part
def largest_remainder(
    weight: NDArray[np.int64], total: int, count: int, degree: int, parts: NDArray[np.int64], rest: NDArray[np.int64]
) -> None:
    """Write into `parts`, (C,), how many of `count` requests each column gets; ties go to the lowest column.

    Args:
        weight: As `read_shares` writes them; their sum is
        total: this.
        count: Requests, below 2^38.
        degree: Neighbours of the node; columns of others are left as they are.
        parts: Written.
        rest: Room for the remainders, (C,).
    """
    left, per_weight = count, count / total
    for position in range(degree + 2):
        column = position if position <= degree else REJECT
        whole = int(weight[column] * per_weight)
        remainder = weight[column] * count - whole * total
        if remainder < 0:  # rounded up to a whole number
            whole, remainder = whole - 1, remainder + total
        elif remainder >= total:
            whole, remainder = whole + 1, remainder - total
        parts[column], rest[column] = whole, remainder
        left -= whole
    for _ in range(left):
        most = 0
        for position in range(1, degree + 2):
            column = position if position <= degree else REJECT
            if rest[column] > rest[most]:
                most = column
        parts[most] += 1
        rest[most] = -1


@compiled
def split_requests(row: NDArray[np.float32], degree: int, count: int) -> NDArray[np.int64]:
    """How many of `count` requests each column of an action's row gets, (C,).

    Args:
        row: Shares, (C,) (`read_shares` tells what counts).
        degree: Neighbours of the node.
        count: Requests, not negative.
    """
    weight, parts, rest = np.zeros(C, np.int64), np.zeros(C, np.int64), np.zeros(C, np.int64)
    total = read_shares(row, degree, weight)
    largest_remainder(weight, total, count, degree, parts, rest)
    return parts
