"""Actors and critics that learn from a replay of joint steps: what MADDPG, MATD3 and SAC share.

A critic is told a decision and its action, what all who act at once see on average and at most (`Form.whole`), and what
the others do, so that it fits every number of agents: of shares, how much the others send to the node of every row; of
levels, their mean.
"""

from __future__ import annotations

import copy
import dataclasses
from functools import cached_property
from typing import Any, ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Lesson, Method, Settings
from edgebench.learning.networks import (
    VALUES,
    RowEncoder,
    begin_barely,
    begun_with_prior,
    levels_meant,
    perceptron,
    seeded,
)
from edgebench.learning.replay import Replay, Transitions, joint_steps
from edgebench.learning.rollout import Experience, Tried, play
from edgebench.learning.seen import SHARES, Form, Seen
from edgebench.learning.world import Practice

_LEAST: Final = 1e-4


@dataclasses.dataclass(frozen=True)
class OffPolicySettings(Settings):
    """Hyper-parameters of actors and critics that learn from a replay.

    Attributes:
        replay: Decisions that are kept.
        batch: Decisions of a step of Adam, in whole joint steps.
        steps: Steps of Adam after a round of episodes.
        head_start: Steps that the critics take before the actor takes its first.
        actor_rate: The actor's learning rate as a share of the critics'.
        discount: Of a stream's next decision.
        polyak: Share of the networks that the targets take over in a step.
        noise: Standard deviation of the exploration, before the action's squashing; it is never switched off.
        told: Whether critics are told what the others do.
        shared: Whether a decision is paid for what it brought to the nodes of its rows too.
        gradient: Largest norm of a gradient.
        truncated: Whether it is minded that episodes may end by a time limit (`Form.truncated`), after which streams
            would have gone on.
    """

    # Tried on Offload's val with MADDPG, seed 1, some 1 M decisions: an actor as fast as the critics, or a tenth, and
    # noise of 0.2 to 0.5 lose what the policy begins with; so slow an actor and so much noise keep it.
    each: int = 2
    hidden: int = 32
    learning_rate: float = 1e-3
    replay: int = 150_000
    batch: int = 512
    steps: int = 200
    head_start: int = 600
    actor_rate: float = 0.02
    discount: float = 0.9
    polyak: float = 0.005
    noise: float = 1.0
    gradient: float = 1.0
    told: bool = True
    shared: bool = True
    truncated: bool = True


class Actor(nn.Module):
    """Scores before they are squashed: of a decision's rows, each with `heads` - 1 numbers behind it, or of levels."""

    def __init__(self, form: Form, hidden: int, heads: int = 1) -> None:
        super().__init__()
        self.encoder = RowEncoder(form, hidden)
        self.levels = form.levels
        self.score = nn.Linear(self.encoder.width if form.levels else hidden, form.levels or heads)
        begin_barely(self.score)
        if self.levels:
            nn.init.zeros_(self.score.bias)
        self.form = form
        self.straight = begun_with_prior(form)

    def forward(self, inputs: Inputs) -> Tensor:
        """(D, R), with several heads (D, R, heads), or (D, levels)."""
        pooled = self.encoder(inputs)
        if self.levels:
            levels: Tensor = self.score(pooled.whole) + torch.logit(levels_meant(self.form, inputs.context))
            return levels
        scores: Tensor = self.score(pooled.rows)
        first = scores[..., :1] + self.straight(inputs.rows)
        return torch.cat([first, scores[..., 1:]], -1).squeeze(-1)


class Critic(nn.Module):
    """What a decision brings, by its own action and what the others do."""

    def __init__(self, form: Form, hidden: int) -> None:
        super().__init__()
        self.of_shares = form.action == SHARES
        rows = dataclasses.replace(form, rows=(*form.rows, "share", "others")) if self.of_shares else form
        self.encoder = RowEncoder(rows, hidden)
        self.worth = perceptron(self.encoder.width + hidden + len(form.whole) + 2 * form.levels, hidden, hidden, 1)
        self.row = nn.Linear(hidden, hidden)

    def forward(self, inputs: Inputs, action: Tensor, others: Tensor) -> Tensor:
        """(D,).

        Args:
            inputs: Of D decisions.
            action: Of each, (D, R) or (D, levels).
            others: As `of_others` gives it.
        """
        shown = inputs
        if self.of_shares:
            shown = inputs._replace(rows=torch.cat([inputs.rows, action[..., None], others[..., None]], -1))
        pooled = self.encoder(shown)
        own = torch.tanh(self.row(pooled.rows))
        weights = action[..., None] if self.of_shares else inputs.mask[..., None].to(own.dtype)
        levels = [] if self.of_shares else [action, others]
        seen = [pooled.whole, (own * weights).sum(1), inputs.whole, *levels]
        worth: Tensor = self.worth(torch.cat(seen, -1)).squeeze(-1)
        return worth


def squashed(form: Form, scores: Tensor, mask: Tensor) -> Tensor:
    """Scores as an action: shares in proportion to their softplus, as PPO's begin with the prior, or levels."""
    if form.action == SHARES:
        weight = (functional.softplus(scores) + _LEAST) * mask
        shares: Tensor = weight / weight.sum(-1, keepdim=True)
        return shares
    return torch.sigmoid(scores)


def of_others(form: Form, inputs: Inputs, action: Tensor, group: Tensor) -> Tensor:
    """What the others of the same joint step do: shares sent to each row's node, (D, R), or mean levels, (D, levels).

    Args:
        form: Of the decisions.
        inputs: Of D decisions.
        action: Of each.
        group: The joint step of each, (D,).
    """
    if form.action == SHARES:
        sent = action * (inputs.nodes >= 0)
        nodes = int(inputs.nodes.max()) + 1
        key = group[:, None] * nodes + inputs.nodes.clamp(min=0)
        total = sent.new_zeros(int(group.max() + 1) * nodes).index_add(0, key.flatten(), sent.flatten())
        return (total[key] - sent) * (inputs.nodes >= 0)
    count = torch.bincount(group).to(action.dtype)[group][:, None]
    total = action.new_zeros((int(group.max()) + 1, action.shape[1])).index_add(0, group, action)
    return (total[group] - action) / (count - 1.0).clamp(min=1.0)


def shared_reward(experience: Experience) -> Tensor:
    """What a decision brought to all nodes of its rows, its own among them, (n,); where nodes decide (`Form`)."""
    nodes, stream = experience.inputs.nodes.cpu().long(), experience.stream
    group = joint_steps(experience)
    brought = torch.zeros(int(group.max()) + 1, int(stream.max()) + 1)
    brought[group, stream] = experience.reward[:, 0].cpu()
    counted = experience.inputs.mask.cpu() & (nodes >= 0)
    return (brought[group[:, None], nodes.clamp(min=0)] * counted).sum(-1).to(experience.reward.device)


class OffPolicy(Method):
    """An actor and critics, each critic with a target that follows it slowly.

    Methods say in `critics` how many critics there are and in `heads` how many numbers the actor gives of a row, and
    override what makes them themselves.
    """

    settings_type: ClassVar[type[Settings]] = OffPolicySettings
    settings: OffPolicySettings
    critics: ClassVar[int] = 1
    heads: ClassVar[int] = 1

    def __init__(self, form: Form, settings: OffPolicySettings, seed: int, device: torch.device) -> None:
        super().__init__(form, settings, seed, device)
        self.actor = seeded(seed, lambda: Actor(form, settings.hidden, self.heads)).to(device)
        self.judges = nn.ModuleList(
            seeded(seed + 1 + number, lambda: Critic(form, settings.hidden)) for number in range(self.critics)
        ).to(device)
        self.target_actor, self.target_judges = copy.deepcopy(self.actor), copy.deepcopy(self.judges)
        self.targets = nn.ModuleList([self.target_actor, self.target_judges])
        self.replay = Replay(settings.replay)
        self.updates = 0

    @cached_property
    def actor_optimiser(self) -> torch.optim.Optimizer:
        """Made when the method first learns."""
        return torch.optim.Adam(self.actor.parameters(), self.settings.learning_rate * self.settings.actor_rate)

    @cached_property
    def critic_optimiser(self) -> torch.optim.Optimizer:
        """Made when the method first learns."""
        return torch.optim.Adam(self.judges.parameters(), self.settings.learning_rate)

    def practise(self, world: Practice) -> Lesson:
        """An episode of each of the world's, then `steps` steps of Adam."""
        experience = play(world, self.explore, self.device)
        shared = self.settings.shared and self.form.nodes_decide
        reward = shared_reward(experience) if shared else experience.reward[:, 0]
        reward = reward / (reward.std() + 1e-8)
        self.replay.add(experience, reward, truncated=self.form.truncated and self.settings.truncated)
        figures: dict[str, float] = {}
        for _ in range(self.settings.steps):
            figures |= self.improve(self.replay.draw(self.settings.batch, self.draws.torch))
        return Lesson(len(experience.episode), experience.score, figures)

    def explore(self, inputs: Inputs, seen: Seen) -> Tried:
        """The actor's scores with noise on them."""
        scores = self.actor(inputs)
        action = squashed(self.form, scores + self.settings.noise * self.draws.normal(scores), inputs.mask)
        return Tried(action, torch.zeros(len(action)), torch.zeros(len(action), VALUES))

    def best(self, inputs: Inputs) -> Tensor:
        """The actor's."""
        return squashed(self.form, self.actor(inputs), inputs.mask)

    def improve(self, drawn: Transitions) -> dict[str, float]:
        """A step of the critics, of the actor if its turn is, and of the targets."""
        self.updates += 1
        with torch.no_grad():
            goal = self.goal(drawn)
        others = self.others(drawn.inputs, drawn.action, drawn.group)
        judged = [judge(drawn.inputs, drawn.action, others) for judge in self.judges]
        loss = torch.stack([(worth - goal).square().mean() for worth in judged]).sum()
        self.follow(self.critic_optimiser, loss, self.judges)
        figures = {"critic_loss": loss.item()}
        if self.updates > self.settings.head_start and self.acts_now():
            figures |= self.act_better(drawn, others)
        self.move_targets()
        return figures

    def others(self, inputs: Inputs, action: Tensor, group: Tensor) -> Tensor:
        """What critics are told of the others; nothing where they are not."""
        others = of_others(self.form, inputs, action, group)
        return others if self.settings.told else torch.zeros_like(others)

    def goal(self, drawn: Transitions) -> Tensor:
        """What the critics are to say: the reward and what their targets say of what all would do next."""
        scores = self.smoothed(self.target_actor(drawn.after))
        action = squashed(self.form, scores, drawn.after.mask)
        others = self.others(drawn.after, action, drawn.group)
        judged = torch.stack([judge(drawn.after, action, others) for judge in self.target_judges])
        return drawn.reward + self.settings.discount * drawn.goes_on * judged.amin(0)

    def act_better(self, drawn: Transitions, others: Tensor) -> dict[str, float]:
        """A step of the actor towards what the first critic says is worth more, the others doing what they did."""
        action = squashed(self.form, self.actor(drawn.inputs), drawn.inputs.mask)
        worth = self.judges[0](drawn.inputs, action, others).mean()
        self.follow(self.actor_optimiser, -worth, self.actor)
        return {"worth": worth.item()}

    def smoothed(self, scores: Tensor) -> Tensor:
        """The target actor's scores as the goal takes them."""
        return scores

    def acts_now(self) -> bool:
        """Whether the actor learns in this step."""
        return True

    def follow(self, optimiser: torch.optim.Optimizer, loss: Tensor, module: nn.Module) -> None:
        """A step of Adam."""
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(module.parameters(), self.settings.gradient)
        optimiser.step()

    def move_targets(self) -> None:
        """The targets take over a share of the networks (Polyak averaging)."""
        networks = nn.ModuleList([self.actor, self.judges])
        with torch.no_grad():
            for target, source in zip(self.targets.parameters(), networks.parameters(), strict=True):
                target.lerp_(source, self.settings.polyak)

    def modules(self) -> dict[str, nn.Module]:
        """Actor, critics and targets."""
        return {"actor": self.actor, "critics": self.judges, "targets": self.targets}

    def memory(self) -> dict[str, Any]:
        """The optimisers' and the replay too."""
        states = {"actor": self.actor_optimiser.state_dict(), "critics": self.critic_optimiser.state_dict()}
        return super().memory() | states | {"updates": self.updates, "replay": self.replay.memory()}

    def remember(self, memory: dict[str, Any]) -> None:
        """The optimisers' and the replay too."""
        super().remember(memory)
        self.replay.remember(memory["replay"])
        self.actor_optimiser.load_state_dict(memory["actor"])
        self.critic_optimiser.load_state_dict(memory["critics"])
        self.updates = memory["updates"]
