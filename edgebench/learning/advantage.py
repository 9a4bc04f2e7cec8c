"""Who earned what: advantages along each stream's own decisions, and what a decision did to the others.

A stream is a task, a node, a gateway: whoever the decisions belong to. Its own advantage is the generalised one
(Schulman, Moritz, Levine, Jordan and Abbeel, "High-dimensional continuous control using generalized advantage
estimation", ICLR 2016) along its own decisions, between which those of others lie. What a decision did to the others is
the discounted sum of what all later decisions of the episode brought, each less what its kind brings on average.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]


@compiled
def own_advantages(
    episode: Whole, stream: Whole, streams: int, reward: Floats, value: Floats, discount: float, trace: float
) -> Floats:
    """Advantages of decisions in the order in which they were taken, (n,), each stream's episode played to its end.

    Args:
        episode: Of each decision, (n,).
        stream: Of each decision, (n,), below `streams`.
        streams: How many an episode may have.
        reward: What each brought, (n,).
        value: What was expected of it and those of its stream that follow, (n,).
        discount: Of a stream's next decision.
        trace: Lambda of the generalised advantage.
    """
    after = np.full((episode.max() + 1) * streams, -1)
    advantage = np.zeros(reward.size, np.float32)
    for row in range(reward.size - 1, -1, -1):
        key = episode[row] * streams + stream[row]
        later = after[key]
        advantage[row] = reward[row] - value[row]
        if later >= 0:
            advantage[row] += discount * (value[later] + trace * advantage[later])
        after[key] = row
    return advantage


@compiled
def others_returns(episode: Whole, surprise: Floats, discount: Floats) -> Floats:
    """Discounted sum of `surprise` over the later decisions of the same episode, (n,).

    Args:
        episode: Of each decision, (n,), in the order in which they were taken.
        surprise: What each brought less what its kind brings, (n,).
        discount: Of the episode's next decision, (n,).
    """
    running = np.zeros(episode.max() + 1)
    returns = np.zeros(surprise.size, np.float32)
    for row in range(surprise.size - 1, -1, -1):
        returns[row] = running[episode[row]]
        running[episode[row]] = discount[row] * (running[episode[row]] + surprise[row])
    return returns


@compiled
def replica_means(
    episode: Whole, stream: Whole, streams: int, replicas: int, value: Floats, otherwise: Floats
) -> Floats:
    """Of every decision the mean of `value` over the same decision in the other replicas of its episode, (n,).

    Replicas are the same episode played again: the same tasks arrive and the same links turn bad, whatever anybody
    does. The same decision is that of the same stream which is as many decisions old. What differs between replicas is
    what was tried out, so a mean over the others takes away what no policy could have changed.

    Args:
        episode: Of each decision, (n,), in the order in which they were taken; replicas stand side by side.
        stream: Of each decision, (n,), below `streams`.
        streams: How many an episode may have.
        replicas: How many of an episode there are.
        value: What is averaged, (n,).
        otherwise: What stands where no other replica has the decision, (n,).
    """
    groups = episode.max() // replicas + 1
    taken = np.zeros((episode.max() + 1) * streams, np.int64)
    age = np.empty(episode.size, np.int64)
    for row in range(episode.size):
        key = episode[row] * streams + stream[row]
        age[row] = taken[key]
        taken[key] += 1
    total = np.zeros((groups * streams, taken.max()))
    count = np.zeros((groups * streams, taken.max()))
    for row in range(episode.size):
        key = episode[row] // replicas * streams + stream[row]
        total[key, age[row]] += value[row]
        count[key, age[row]] += 1.0
    means = np.empty(episode.size, np.float32)
    for row in range(episode.size):
        key = episode[row] // replicas * streams + stream[row]
        others = count[key, age[row]] - 1.0
        means[row] = (total[key, age[row]] - value[row]) / others if others > 0.0 else otherwise[row]
    return means
