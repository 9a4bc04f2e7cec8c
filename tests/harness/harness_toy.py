"""A small environment of the evaluation contract, its references and a healthy agent."""

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from edgebench.registry import TRACKS

ROUTE = TRACKS["route"]
METRICS = tuple(figure.name for figure in ROUTE.figures)

DECISIONS = 6
VALID = 5

HEALTHY = """
class Agent:
    def reset(self, info):
        self.info = info
    def act(self, observation):
        return int(observation["action_mask"].nonzero()[0][-1])
"""


@dataclass
class FakeRegion:
    name: str = "toy"
    edition: str = "sample"
    digest: str = "d" * 64

    def public(self):
        return {"nodes.compute": np.arange(3), "links.latency_ms": np.array([0.5, 1.5])}


class FakeEnv:
    """Pays an action's index; the first five candidates are valid."""

    windows = 2
    action_space = spaces.Discrete(32)

    def __init__(self, region=None, *, wrong=None):
        self.region, self.wrong = region or FakeRegion(), wrong or {}
        self.actions = []

    @property
    def unwrapped(self):
        return self

    def close(self):
        pass

    def reset(self, *, options):
        self.actions, self.options = [], options
        return self._observe()

    def step(self, action):
        self.actions.append(action)
        observation, info = self._observe()
        return observation, 0.1, len(self.actions) == DECISIONS, False, info

    def _observe(self):
        mask = np.zeros(32, np.int8)
        mask[:VALID] = 1
        candidates = np.full((4, 32), float(len(self.actions)), np.float32)
        info = {"action_mask": mask, "instances": np.arange(32, dtype=np.int32), "node": 1, "stage": np.int64(2)}
        return {"candidates": candidates, "task": np.zeros(3, np.float32), "action_mask": mask}, info

    def summary(self):
        mean = sum(self.actions) / len(self.actions)
        utility = 0.1 * mean + 0.01 * self.options["window"] + 0.001 * self.options["seed"]
        figures = dict.fromkeys(METRICS[:-1], 1.0) | {"utility": utility, "decisions": float(DECISIONS)}
        return figures | self.wrong


@dataclass(frozen=True)
class FakeReferences:
    random: float = 0.1
    bound: float = 0.6
