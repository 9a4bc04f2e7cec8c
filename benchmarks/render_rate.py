"""Frames a second of Route's picture as a multiple of the ten it promises (`render_fps`), the first frame left out.

Run: python benchmarks/render_rate.py
"""

from __future__ import annotations

import time

import numpy as np
from common import machine

from edgebench.region import load
from edgebench.registry import REGIONS
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.render import RENDER_FPS

FRAMES = 50


def frames_a_second(name: str) -> float:
    """Of one episode, a random valid step before every frame; steps are not timed."""
    env = RouteEnv(load(name), scenario="outage", render_mode="rgb_array")
    draws, taken = np.random.default_rng(0), 0.0
    observation, _ = env.reset(seed=0)
    env.render()
    for _ in range(FRAMES):
        observation, *_ = env.step(draws.choice(np.flatnonzero(observation["action_mask"])))
        begun = time.perf_counter()
        env.render()
        taken += time.perf_counter() - begun
    return FRAMES / taken


def main() -> None:
    """Print a line a region."""
    print(machine())
    for name in REGIONS:
        print(f"{name}: {frames_a_second(name) / RENDER_FPS:.1f} x the promised rate")


if __name__ == "__main__":
    main()
