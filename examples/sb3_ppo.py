"""Stable-Baselines3 PPO on Route: `python examples/sb3_ppo.py --region s4 --steps 2000 --seed 0`

This PPO knows no masks: it must learn from rewards alone that an index without a candidate fails the task.
`maskable_ppo.py` is told. Needs `pip install stable-baselines3`.
"""

import click
import gymnasium
from on_val import print_beside_random
from stable_baselines3 import PPO


def train(region: str, steps: int, seed: int) -> PPO:
    env = gymnasium.make(f"edgebench:EdgeBench/Route-{region.upper()}-v0", split="train")
    model = PPO("MultiInputPolicy", env, n_steps=min(steps, 1024), seed=seed, device="cpu")
    return model.learn(steps)


@click.command()
@click.option("--region", default="s4", show_default=True)
@click.option("--steps", default=2000, show_default=True, help="Decisions to train on, rounded up to whole rollouts.")
@click.option("--seed", default=0, show_default=True)
def main(region: str, steps: int, seed: int) -> None:
    model = train(region, steps, seed)
    print_beside_random(region, lambda observation: int(model.predict(observation, deterministic=True)[0]))


if __name__ == "__main__":
    main()
