"""TorchRL's PPO on Route: `python examples/torchrl_ppo.py --region s4 --steps 2000 --seed 0`

GymWrapper takes the environment as it is; MaskedCategorical takes its mask. Needs `pip install torchrl`.
"""

import click
import gymnasium
import torch
from candidate_scorer import CandidateScorer
from on_val import print_beside_random
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torchrl.collectors import Collector
from torchrl.envs import GymWrapper
from torchrl.modules import MaskedCategorical, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

OBSERVED = ["candidates", "task", "action_mask"]
ROLLOUT, EPOCHS, BATCH = 256, 4, 64


class Actor(CandidateScorer):
    def forward(self, candidates, task, mask):
        return super().forward(candidates, task, mask)[0], mask.bool()


class Critic(CandidateScorer):
    def forward(self, candidates, task, mask):
        return super().forward(candidates, task, mask)[1]


def make_actor() -> ProbabilisticActor:
    return ProbabilisticActor(
        TensorDictModule(Actor(), in_keys=OBSERVED, out_keys=["logits", "mask"]),
        in_keys=["logits", "mask"],
        distribution_class=MaskedCategorical,
        return_log_prob=True,
    )


def train(region: str, steps: int, seed: int) -> ProbabilisticActor:
    torch.manual_seed(seed)
    env = GymWrapper(
        gymnasium.make(f"edgebench:EdgeBench/Route-{region.upper()}-v0", split="train"),
        categorical_action_encoding=True,
    )
    env.set_seed(seed)
    actor, critic = make_actor(), ValueOperator(Critic(), in_keys=OBSERVED)
    advantage = GAE(gamma=0.99, lmbda=0.95, value_network=critic)
    loss = ClipPPOLoss(actor, critic)
    optimiser = torch.optim.Adam(loss.parameters(), lr=1e-3)
    batch = min(steps, ROLLOUT)
    # False: the policy remembers nothing between decisions, so it needs no transform that tells it of resets.
    collector = Collector(env, actor, frames_per_batch=batch, total_frames=steps, auto_register_policy_transforms=False)
    for rollout in collector:
        for _ in range(EPOCHS):
            advantage(rollout)
            for rows in torch.randperm(len(rollout)).split(BATCH):
                losses = loss(rollout[rows])
                optimiser.zero_grad()
                sum(losses[name] for name in ("loss_objective", "loss_critic", "loss_entropy")).backward()
                optimiser.step()
    collector.shutdown()
    return actor


@click.command()
@click.option("--region", default="s4", show_default=True)
@click.option("--steps", default=2000, show_default=True, help="Decisions to train on, rounded up to whole rollouts.")
@click.option("--seed", default=0, show_default=True)
def main(region: str, steps: int, seed: int) -> None:
    actor = train(region, steps, seed)

    @torch.no_grad()
    def act(observation):
        seen = TensorDict({name: torch.from_numpy(observation[name]) for name in OBSERVED})
        return int(actor.get_dist(seen).mode)

    print_beside_random(region, act)


if __name__ == "__main__":
    main()
