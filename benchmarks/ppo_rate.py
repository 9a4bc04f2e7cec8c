"""Decisions a second of PPO's training on Route-S1, beside Stable-Baselines3's PPO on the same environment.

    python benchmarks/ppo_rate.py

All have 64 environments, two threads, nets of width 64, 4 epochs, 4 minibatches a round. The peer trains twice: with
our net, which scores candidates one by one, and with its own flat one, which fits one region alone. Sides take turns;
printed are medians, their ratios, and which share of our time the environment takes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import gymnasium
import torch
from stable_baselines3 import PPO as PeerPPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import Tensor

import edgebench
from edgebench.learning.actions import Choice
from edgebench.learning.inputs import Inputs
from edgebench.learning.networks import OWN, ActorCritic, RowEncoder
from edgebench.learning.ppo import PPOSettings, ProximalPolicy
from edgebench.learning.seen import Form
from edgebench.learning.world import Practice, make_world
from edgebench.tracks.route.features import CANDIDATE, TASK

ENVIRONMENTS: Final = 64
ROUNDS: Final = 5
STEPS: Final = 256
"""Of the peer, a round; an episode here has about so many."""


HIDDEN: Final = 64


class RowPolicy(ActorCriticPolicy):
    """Our net as a policy of the peer."""

    def _build(self, lr_schedule: Callable[[float], float]) -> None:
        form = Form(tuple(CANDIDATE), tuple(TASK))
        self.net = ActorCritic(form, RowEncoder(form, HIDDEN), HIDDEN)
        self.optimizer = self.optimizer_class(self.net.parameters(), lr=lr_schedule(1.0), **self.optimizer_kwargs)

    def _said(self, obs: dict[str, Tensor]) -> tuple[Choice, Tensor]:
        rows, mask = obs["candidates"].transpose(1, 2), obs["action_mask"].bool()
        nothing = rows.new_zeros((len(rows), 0))
        outputs = self.net(Inputs(rows, obs["task"], mask, nothing, nothing, nothing, nothing))
        return Choice(outputs.scores, mask), outputs.values[:, OWN, None]

    def forward(self, obs: dict[str, Tensor], deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        chances, values = self._said(obs)
        uniform = torch.rand_like(chances.scores).clamp(1e-7, 1.0 - 1e-7)
        actions = chances.best() if deterministic else chances.chosen_by(uniform)
        return actions, values, chances.log_prob(actions)

    def evaluate_actions(self, obs: dict[str, Tensor], actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        chances, values = self._said(obs)
        return values, chances.log_prob(actions.long()), chances.entropy()

    def predict_values(self, obs: dict[str, Tensor]) -> Tensor:
        return self._said(obs)[1]


class Timed:
    """A world that counts the time it takes."""

    def __init__(self, world: Practice) -> None:
        self.seconds = 0.0
        self.form, self.grounds, self.count, self.streams = world.form, world.grounds, world.count, world.streams
        self.world = world

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.world, name)

        def timed(*arguments: Any) -> Any:
            begun = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self.seconds += time.perf_counter() - begun

        return timed


def peer(policy: type[ActorCriticPolicy] | str, **settings: Any) -> Callable[[], float]:
    """A function that trains the peer for a round and returns its steps a second."""
    envs = DummyVecEnv([lambda: gymnasium.make("EdgeBench/Route-S1-v0") for _ in range(ENVIRONMENTS)])
    model = PeerPPO(
        policy, envs, n_steps=STEPS, batch_size=STEPS * ENVIRONMENTS // 4, n_epochs=4, device="cpu", seed=0,
        policy_kwargs=settings,
    )  # fmt: skip

    def round_() -> float:
        begun = time.perf_counter()
        model.learn(STEPS * ENVIRONMENTS, reset_num_timesteps=False)
        return STEPS * ENVIRONMENTS / (time.perf_counter() - begun)

    return round_


def ours() -> tuple[Callable[[], float], Callable[[], float]]:
    """One function trains ours for a round and returns decisions a second, the other tells the world's share.

    The share is that of all rounds but the first, in which compiled code is loaded.
    """
    regions = [edgebench.load("s1")]
    world = Timed(Practice(make_world("route", "single", regions, each=ENVIRONMENTS), regions, "train", 0))
    settings = PPOSettings(each=ENVIRONMENTS, hidden=HIDDEN, epochs=4, minibatch=4096)
    method = ProximalPolicy(world.form, settings, 0, torch.device("cpu"))
    rounds: list[tuple[float, float]] = []

    def round_() -> float:
        begun, before = time.perf_counter(), world.seconds
        lesson = method.practise(world)  # type: ignore[arg-type]
        rounds.append((time.perf_counter() - begun, world.seconds - before))
        return lesson.decisions / rounds[-1][0]

    def share() -> float:
        return sum(in_world for _, in_world in rounds[1:]) / sum(spent for spent, _ in rounds[1:])

    return round_, share


def main() -> None:
    torch.set_num_threads(2)
    mine, share = ours()
    sides = mine, peer(RowPolicy), peer("MultiInputPolicy", net_arch=[HIDDEN, HIDDEN])
    for side in sides:
        side()
    rates = [[side() for side in sides] for _ in range(ROUNDS)]
    here, rows, flat = (statistics.median(rates_of) for rates_of in zip(*rates, strict=True))
    print(f"ours {here:,.0f} decisions/s")
    print(f"Stable-Baselines3 with our net {rows:,.0f}: ours {here / rows:.2f} times")
    print(f"Stable-Baselines3 with its own {flat:,.0f}: ours {here / flat:.2f} times")
    print(f"{100 * share():.1f} % of our time is the world and what it shows")


if __name__ == "__main__":
    main()
