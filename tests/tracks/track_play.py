"""Play of any track by its action space and mask, for the sweep over all tracks."""

import hashlib

import numpy as np
from gymnasium import spaces

from edgebench.sim.counter import uniform


class Chooser:
    """Valid actions by counter: the n-th depends on the seed and n alone."""

    def __init__(self, seed):
        self._seed, self._turn = seed, 0

    def __call__(self, space, mask):
        self._turn += 1
        if isinstance(space, spaces.Box):
            draws = [uniform(self._seed, 99, self._turn, entry) for entry in range(int(np.prod(space.shape)))]
            share = np.array(draws, np.float32).reshape(space.shape)
            return (space.low + share * (space.high - space.low)).astype(np.float32)
        valid = np.flatnonzero(mask)
        chosen = int(valid[int(uniform(self._seed, 99, self._turn, 0) * valid.size)])
        if isinstance(space, spaces.MultiDiscrete):
            return np.array(np.unravel_index(chosen, space.nvec), np.int64)
        return chosen


def play(env, *, seed=None, options=None, choose=None, most=10**6):
    """A whole episode of valid play, or its first `most` steps: (observation, reward, info) of each step."""
    choose = choose or Chooser(0)
    observation, info = env.reset(seed=seed, options=options)
    steps, over = [(observation, 0.0, info)], False
    while not over and len(steps) <= most:
        action = choose(env.action_space, info["action_mask"])
        observation, reward, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        steps.append((observation, reward, info))
    return steps


def digest(steps):
    """SHA-256 over everything that came back."""
    state = hashlib.sha256()
    for observation, reward, info in steps:
        for name in sorted(observation):
            state.update(np.ascontiguousarray(observation[name]).tobytes())
        state.update(np.float64(reward).tobytes())
        for name in sorted(info):
            state.update(f"{name}={np.asarray(info[name]).tolist()}".encode())
    return state.hexdigest()
