"""The toy track's bound: the best site of every step."""

import numpy as np

from toy_track.generator import draw


def episode_bounds(region, *, scenario, split, episodes):
    """Mean share free of the best sites of each episode, (len(episodes),): no choice is better."""
    return np.array([draw(seed, window)[0].max(axis=1).mean() for window, seed in episodes])
