"""RLlib's PPO on Route for several gateways: `python examples/rllib_multi_agent.py --region s4 --steps 2000 --seed 0`

One policy decides for all gateways; what a gateway knows of the others enters it beside the task. Everything runs in
this process. Needs `pip install "ray[rllib]"` and PettingZoo; see docs/tools.md.
"""

from collections.abc import Callable
from statistics import fmean
from typing import Any

import click
import torch
from candidate_scorer import CandidateScorer
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis import ValueFunctionAPI
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.rllib.utils.torch_utils import FLOAT_MIN
from ray.tune.registry import register_env
from torch.nn.functional import pad

import edgebench
from edgebench.envs import make_parallel_env
from edgebench.harness.rollout import fixed_episodes
from edgebench.tracks.route.gateway_features import GATEWAY_FEATURES

ROLLOUT, GATEWAYS, POLICY = 256, 4, "gateway"


class GatewayModule(TorchRLModule, ValueFunctionAPI):
    """The wait is scored as one more candidate of which nothing is known; what the mask forbids is never drawn."""

    def setup(self):
        known_beside = GATEWAYS * len(GATEWAY_FEATURES)
        self.actor, self.critic = (CandidateScorer(known_beside=known_beside) for _ in range(2))

    def _forward(self, batch, **kwargs):
        seen = batch[Columns.OBS]
        scores, _ = self.actor(*self._inputs(seen))
        return {Columns.ACTION_DIST_INPUTS: scores.masked_fill(seen["action_mask"] == 0, FLOAT_MIN)}

    def compute_values(self, batch, embeddings=None):
        return self.critic(*self._inputs(batch[Columns.OBS]))[1].squeeze(-1)

    def _inputs(self, seen):
        known = torch.cat([seen["task"], seen["cluster"].flatten(-2)], -1)
        return pad(seen["candidates"], (0, 1)), known, seen["action_mask"]


def make_team(region: str, split: str) -> Any:
    return make_parallel_env("route", edgebench.load(region), split=split, gateways=GATEWAYS, clusters="balanced")


def config(region: str, steps: int, seed: int) -> PPOConfig:
    register_env("route-team", lambda _: ParallelPettingZooEnv(make_team(region, "train")))
    return (
        PPOConfig()
        .environment("route-team", disable_env_checking=True)  # the check acts at random, whatever the mask
        .env_runners(num_env_runners=0)
        .learners(num_learners=0)
        .multi_agent(policies={POLICY}, policy_mapping_fn=lambda *_, **__: POLICY)
        .rl_module(rl_module_spec=MultiRLModuleSpec(rl_module_specs={POLICY: RLModuleSpec(module_class=GatewayModule)}))
        .training(
            train_batch_size_per_learner=min(steps, ROLLOUT),
            minibatch_size=64,
            num_epochs=4,
            lr=1e-3,
            lambda_=0.95,
            entropy_coeff=0.01,
        )
        .debugging(seed=seed)
    )


def train(region: str, steps: int, seed: int) -> PPO:
    algorithm = config(region, steps, seed).build_algo()
    for _ in range(-(-steps // ROLLOUT)):
        algorithm.train()
    return algorithm


def mean_utility(env: Any, act: Callable[[dict[str, Any], str], int], episodes: int = 4) -> float:
    """Mean utility of a task over the first windows, scenario seed 0; `act` takes a gateway's observation and name."""
    utilities = []
    for window, seed in fixed_episodes(episodes, 1):
        seen, _ = env.reset(options={"window": window, "seed": seed})
        while env.agents:
            seen, *_ = env.step({agent: act(seen[agent], agent) for agent in env.agents})
        utilities.append(env.summary()["utility"])
    return fmean(utilities)


@click.command()
@click.option("--region", default="s4", show_default=True)
@click.option("--steps", default=2000, show_default=True, help="Rounds to train on, rounded up to whole rollouts.")
@click.option("--seed", default=0, show_default=True)
def main(region: str, steps: int, seed: int) -> None:
    algorithm = train(region, steps, seed)
    module, env = algorithm.get_module(POLICY), make_team(region, "val")
    for number, agent in enumerate(env.possible_agents):
        env.action_space(agent).seed(seed + number)

    @torch.no_grad()
    def trained(observation, _):
        seen = {name: torch.from_numpy(part)[None] for name, part in observation.items()}
        return int(module.forward_inference({Columns.OBS: seen})[Columns.ACTION_DIST_INPUTS].argmax())

    def random_valid(observation, agent):
        return int(env.action_space(agent).sample(observation["action_mask"]))

    print(f"{region}, {GATEWAYS} gateways, 4 val episodes, mean utility of a task")
    print(f"  trained       {mean_utility(env, trained):.4f}")
    print(f"  random-valid  {mean_utility(env, random_valid):.4f}")
    algorithm.stop()


if __name__ == "__main__":
    main()
