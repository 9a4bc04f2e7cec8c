"""How much an episode of Allocate tells `es` of the weights it is played with: before learning, and after.

Weights are drawn about the policy's and all play the same twelve episodes of s1, s2 and s3; printed is the mean
correlation, between two episodes, of how well the weights did. At 0 an episode tells nothing that holds in another.

Run: python benchmarks/es_signal.py     (wants s1, s2 and s3 built)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import machine
from numpy.typing import NDArray

import reference_agents.trained
from edgebench.learning.checkpoint import load_method
from edgebench.learning.inputs import inputs_of
from edgebench.learning.method import settings_of
from edgebench.learning.world import make_world
from edgebench.region import load
from reference_agents.learned.es import METHOD

LEARNED = Path(reference_agents.trained.__path__[0]) / "allocate" / "es-x10"
REGIONS, EPISODES, WEIGHTS = ("s1", "s2", "s3"), 4, 48
SPREADS = (0.1, 0.3)


def scores(method: Any, world: Any, weights: torch.Tensor) -> NDArray[np.float64]:
    """Completion of every episode with every of the weights, (regions * episodes, weights)."""
    played = []
    for episode in range(EPISODES):
        world.begin([(episode, episode)] * WEIGHTS, credited=False)
        while (seen := world.seen()).episode.size:
            inputs = inputs_of(seen, torch.device("cpu"))
            world.step(method._best(inputs, weights[torch.from_numpy(seen.episode % WEIGHTS)]))
        played.append(world.scores().reshape(len(REGIONS), WEIGHTS))
    return np.concatenate(played)


def correlation(played: NDArray[np.float64]) -> float:
    """Mean over all two episodes."""
    return float(np.corrcoef(played)[np.triu_indices(len(played), 1)].mean())


def main() -> None:
    """Print a line a policy and spread."""
    print(machine())
    torch.set_num_threads(1)
    regions = [load(name) for name in REGIONS]
    world = make_world("allocate", "single", regions, scenario="trap", split="train", each=WEIGHTS)
    fresh = METHOD(world.form, settings_of(METHOD.settings_type, {}), 0, torch.device("cpu"))
    draws = torch.Generator().manual_seed(1)
    for name, method in (("before learning", fresh), ("es-x10", load_method(LEARNED)[0])):
        mean = method.policy.mean
        for spread in SPREADS:
            weights = mean + spread * torch.randn((WEIGHTS, mean.numel()), generator=draws)
            print(f"{name}, spread {spread}: correlation {correlation(scores(method, world, weights)):.2f}", flush=True)


if __name__ == "__main__":
    main()
