"""What neighbours did: means over decisions that were taken about the same time at nodes that are linked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgebench.learning.seen import Ground
from edgebench.sim.compiled import compiled

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]


def nearness(grounds: Sequence[Ground]) -> Floats:
    """The grounds' closeness, a node being as near itself as can be, side by side, (G, N, N) of the largest N."""
    most = max(len(ground.closeness) for ground in grounds)
    near = np.zeros((len(grounds), most, most), np.float32)
    for number, ground in enumerate(grounds):
        nodes = len(ground.closeness)
        near[number, :nodes, :nodes] = ground.closeness
        near[number, np.arange(nodes), np.arange(nodes)] = 1.0
    return near


@compiled
def neighbours_mean(
    episode: Whole, stream: Whole, ground: Whole, node: Whole, amount: Floats, near: Floats, reach: int
) -> Floats:
    """Of every decision the mean of what its neighbours' decisions have, by nearness, (n,); 0 where it has none.

    Neighbours are other streams' decisions of the same episode, at most `reach` before or after it, at the same node
    or one that is linked to it.

    Args:
        episode: Of each decision, (n,), in the order in which they were taken.
        stream: Of each decision, (n,).
        ground: Of each decision, (n,).
        node: Where each is, (n,), -1 for nowhere.
        amount: What the mean is of, (n,).
        near: As `nearness` gives it.
        reach: In decisions of the episode.
    """
    before = np.full(amount.size, -1)
    latest = np.full(episode.max() + 1, -1)
    total, weight = np.zeros(amount.size), np.zeros(amount.size)
    for row in range(amount.size):
        other = latest[episode[row]]
        before[row], latest[episode[row]] = other, row
        for _ in range(reach):
            if other < 0:
                break
            if stream[row] != stream[other] and node[row] >= 0 and node[other] >= 0:
                share = near[ground[row], node[row], node[other]]
                total[row] += share * amount[other]
                total[other] += share * amount[row]
                weight[row] += share
                weight[other] += share
            other = before[other]
    mean = np.zeros(amount.size, np.float32)
    for row in range(amount.size):
        if weight[row] > 0.0:
            mean[row] = total[row] / weight[row]
    return mean
