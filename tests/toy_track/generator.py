"""What arises in an episode: how much of each site is free, and what is seen of it."""

import numpy as np

from edgebench.sim.counter import uniform
from toy_track.streams import ROOM, SEEN

SITES, STEPS = 4, 25


def draw(seed, window):
    """Free shares and what is seen of them, (STEPS, SITES) each."""
    stream = [[(site, step + STEPS * window) for site in range(SITES)] for step in range(STEPS)]
    room = np.array([[uniform(seed, ROOM, *at) * (1.0 if at[0] else 1.5) for at in row] for row in stream])
    blur = np.array([[uniform(seed, SEEN, *at) - 0.5 for at in row] for row in stream])
    return np.clip(room, 0.0, 1.0), np.clip(room + 0.8 * blur, 0.0, 1.0)
