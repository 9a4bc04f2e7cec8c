"""sb3-contrib's MaskablePPO on Route: `python examples/maskable_ppo.py --region s4 --steps 2000 --seed 0`

The environment's method `action_masks()` is all the tool asks for. Needs `pip install sb3-contrib`.
"""

import click
import gymnasium
from on_val import print_beside_random
from sb3_contrib import MaskablePPO


def train(region: str, steps: int, seed: int) -> MaskablePPO:
    env = gymnasium.make(f"edgebench:EdgeBench/Route-{region.upper()}-v0", split="train")
    model = MaskablePPO("MultiInputPolicy", env, n_steps=min(steps, 1024), seed=seed, device="cpu")
    return model.learn(steps)


@click.command()
@click.option("--region", default="s4", show_default=True)
@click.option("--steps", default=2000, show_default=True, help="Decisions to train on, rounded up to whole rollouts.")
@click.option("--seed", default=0, show_default=True)
def main(region: str, steps: int, seed: int) -> None:
    model = train(region, steps, seed)

    def act(observation):
        action, _ = model.predict(observation, action_masks=observation["action_mask"] == 1, deterministic=True)
        return int(action)

    print_beside_random(region, act)


if __name__ == "__main__":
    main()
