"""Decisions a second of PPO's training on Route-S1, beside Stable-Baselines3's PPO on the same environment.

    python benchmarks/ppo_rate.py

Both have 64 environments, two threads, a tanh net of width 64, 4 epochs, 4 minibatches a round. The sides take turns;
printed are medians, their ratio, and which share of our time the environment takes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import gymnasium
import torch
from stable_baselines3 import PPO as PeerPPO
from stable_baselines3.common.vec_env import DummyVecEnv

import edgebench
from edgebench.learning.ppo import PPOSettings, ProximalPolicy
from edgebench.learning.world import World, make_world

ENVIRONMENTS: Final = 64
ROUNDS: Final = 5
STEPS: Final = 256
"""Of the peer, a round; an episode here has about so many."""


class Timed:
    """A world that counts the time it takes."""

    def __init__(self, world: World) -> None:
        self.world, self.seconds = world, 0.0
        self.form, self.grounds, self.count, self.streams = world.form, world.grounds, world.count, world.streams

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.world, name)

        def timed(*arguments: Any) -> Any:
            begun = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self.seconds += time.perf_counter() - begun

        return timed


def peer() -> Callable[[], float]:
    """A function that trains the peer for a round and returns its steps a second."""
    envs = DummyVecEnv([lambda: gymnasium.make("EdgeBench/Route-S1-v0") for _ in range(ENVIRONMENTS)])
    model = PeerPPO(
        "MultiInputPolicy", envs, n_steps=STEPS, batch_size=STEPS * ENVIRONMENTS // 4, n_epochs=4, device="cpu", seed=0,
        policy_kwargs={"net_arch": [64, 64]},
    )  # fmt: skip

    def round_() -> float:
        begun = time.perf_counter()
        model.learn(STEPS * ENVIRONMENTS, reset_num_timesteps=False)
        return STEPS * ENVIRONMENTS / (time.perf_counter() - begun)

    return round_


def ours() -> tuple[Callable[[], float], Callable[[], float]]:
    """One function trains ours for a round and returns decisions a second, the other tells the world's share."""
    world = Timed(make_world("route", "single", [edgebench.load("s1")], each=ENVIRONMENTS))
    settings = PPOSettings(each=ENVIRONMENTS, hidden=64, epochs=4, minibatch=4096)
    method = ProximalPolicy(world.form, settings, 0, torch.device("cpu"))
    spent = [0.0]

    def round_() -> float:
        begun = time.perf_counter()
        lesson = method.practise(world)  # type: ignore[arg-type]
        spent[0] += time.perf_counter() - begun
        return lesson.decisions / (time.perf_counter() - begun)

    return round_, lambda: world.seconds / spent[0]


def main() -> None:
    torch.set_num_threads(2)
    (mine, share), theirs = ours(), peer()
    for side in (mine, theirs):
        side()
    rates = [(mine(), theirs()) for _ in range(ROUNDS)]
    here, there = (statistics.median(side) for side in zip(*rates, strict=True))
    print(f"ours {here:,.0f} decisions/s, Stable-Baselines3 {there:,.0f}: {here / there:.2f} times")
    print(f"{100 * share():.1f} % of our time is the world and what it shows")


if __name__ == "__main__":
    main()
