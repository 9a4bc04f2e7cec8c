"""The toy track as a Gymnasium environment."""

import gymnasium
import numpy as np
from gymnasium import spaces

from edgebench.errors import EdgeBenchError
from edgebench.pinning import Pinning
from edgebench.region import load
from edgebench.registry import SAMPLE_EDITION
from edgebench.registry import scenario as find_scenario
from toy_track.generator import SITES, STEPS, draw


class ToyEnv(gymnasium.Env):
    """Choose one of four sites at every step; each is free in part, and seen through a blur.

    ## Action space
    `Discrete(4)`: the site.
    """

    track = "toy"

    def __init__(
        self, region="s1", *, scenario="trap", split="train", edition=SAMPLE_EDITION, seed=0, privileged=False
    ):
        self.region = load(region, edition=edition) if isinstance(region, str) else region
        self.scenario, self.split, self.privileged = find_scenario(scenario), split, privileged
        self._pinning = Pinning(self.region, split, seed)
        self.windows = self._pinning.windows
        self.action_space = spaces.Discrete(SITES)
        self.observation_space = spaces.Dict(
            {
                "sites": spaces.Box(0.0, 1.0, (SITES,), np.float32),
                "action_mask": spaces.Box(0, 1, (SITES,), np.int8),
            }
        )
        self._step = STEPS

    def reset(self, *, seed=None, options=None):
        """Begin an episode."""
        super().reset(seed=seed)
        window, scenario_seed = self._pinning.begin(seed, options)
        self._room, self._seen = draw(scenario_seed, window)
        self._step, self._rewards, self._hits = 0, [], 0
        return self._observe()

    def step(self, action):
        """Take the free share of a site."""
        if self._step == STEPS:
            raise EdgeBenchError("the episode is over", mend="call reset() before step()")
        room = self._room[self._step]
        self._rewards.append(float(room[action]) if 0 <= action < SITES else 0.0)
        self._hits += self._rewards[-1] == room.max()
        self._step += 1
        observed, info = self._observe()
        return observed, self._rewards[-1], self._step == STEPS, False, info

    def summary(self):
        """Figures of the episode that has ended."""
        return {
            "room": float(np.mean(self._rewards)),
            "success": self._hits / STEPS,
            "reward": sum(self._rewards),
            "decisions": float(STEPS),
        }

    def _observe(self):
        over = self._step == STEPS
        seen = np.zeros(SITES) if over else self._seen[self._step]
        mask = np.full(SITES, not over, np.int8)
        return {"sites": seen.astype(np.float32), "action_mask": mask}, {"action_mask": mask.copy()}
