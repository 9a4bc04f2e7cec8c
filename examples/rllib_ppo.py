"""RLlib's PPO (RLModule and env runner) on Route: `python examples/rllib_ppo.py --region s4 --steps 2000 --seed 0`

Everything runs in this process (no remote env runner or learner). Needs `pip install "ray[rllib]"`; see docs/tools.md.
"""

import click
import gymnasium
import torch
from candidate_scorer import CandidateScorer
from on_val import print_beside_random
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis import ValueFunctionAPI
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from ray.rllib.utils.torch_utils import FLOAT_MIN
from ray.tune.registry import register_env

ROLLOUT = 256


class MaskedModule(TorchRLModule, ValueFunctionAPI):
    """Logits of candidates that are not there are as low as a float goes, so they are never drawn."""

    def setup(self):
        self.actor, self.critic = CandidateScorer(), CandidateScorer()

    def _forward(self, batch, **kwargs):
        seen = batch[Columns.OBS]
        scores, _ = self.actor(seen["candidates"], seen["task"], seen["action_mask"])
        return {Columns.ACTION_DIST_INPUTS: scores.masked_fill(seen["action_mask"] == 0, FLOAT_MIN)}

    def compute_values(self, batch, embeddings=None):
        seen = batch[Columns.OBS]
        return self.critic(seen["candidates"], seen["task"], seen["action_mask"])[1].squeeze(-1)


def config(region: str, steps: int, seed: int) -> PPOConfig:
    register_env("route", lambda _: gymnasium.make(f"edgebench:EdgeBench/Route-{region.upper()}-v0", split="train"))
    return (
        PPOConfig()
        .environment("route")
        .env_runners(num_env_runners=0)
        .learners(num_learners=0)
        .rl_module(rl_module_spec=RLModuleSpec(module_class=MaskedModule))
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


@click.command()
@click.option("--region", default="s4", show_default=True)
@click.option("--steps", default=2000, show_default=True, help="Decisions to train on, rounded up to whole rollouts.")
@click.option("--seed", default=0, show_default=True)
def main(region: str, steps: int, seed: int) -> None:
    algorithm = train(region, steps, seed)
    module = algorithm.get_module()

    @torch.no_grad()
    def act(observation):
        seen = {name: torch.from_numpy(part)[None] for name, part in observation.items()}
        return int(module.forward_inference({Columns.OBS: seen})[Columns.ACTION_DIST_INPUTS].argmax())

    print_beside_random(region, act)
    algorithm.stop()


if __name__ == "__main__":
    main()
