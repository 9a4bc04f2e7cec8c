"""Deterministic actors and critics that learn from a replay: what MADDPG and MATD3 share.

A critic is told a decision, its action, and of all who act at once the mean of what they see (`Form.whole`) and do, so
that it fits every number of agents.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, ClassVar, Final

import torch
from torch import Tensor, nn

from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Lesson, Method, Settings
from edgebench.learning.networks import VALUES, RowEncoder, perceptron, seeded
from edgebench.learning.replay import Replay, Transitions, transitions_of
from edgebench.learning.rollout import Tried, play
from edgebench.learning.seen import SHARES, Form, Seen
from edgebench.learning.world import Practice

_NEVER: Final = -1e9
_WITHIN: Final = 1e-4


@dataclasses.dataclass(frozen=True)
class OffPolicySettings(Settings):
    """Hyper-parameters of actors and critics that learn from a replay.

    Attributes:
        replay: Transitions that are kept.
        batch: Transitions of a step of Adam.
        steps: Steps of Adam after a round of episodes.
        discount: Of a stream's next decision.
        polyak: Share of the networks that the targets take over in a step.
        noise: Standard deviation of the exploration, before the action's squashing; it is never switched off.
        gradient: Largest norm of a gradient.
        truncated: Whether episodes end by a time limit, after which the stream would have gone on.
    """

    each: int = 1
    hidden: int = 32
    learning_rate: float = 1e-3
    replay: int = 200_000
    batch: int = 1024
    steps: int = 60
    discount: float = 0.9
    polyak: float = 0.01
    noise: float = 0.5
    gradient: float = 1.0
    truncated: bool = True


class Actor(nn.Module):
    """Scores of a decision's rows, or of its levels, before they are squashed."""

    def __init__(self, form: Form, hidden: int) -> None:
        super().__init__()
        self.encoder = RowEncoder(form, hidden)
        self.levels = form.levels
        self.score = nn.Linear(self.encoder.width if form.levels else hidden, form.levels or 1)
        self.straight = nn.Linear(len(form.rows), 1, bias=False)
        nn.init.orthogonal_(self.score.weight, 0.01)
        nn.init.zeros_(self.straight.weight)
        if form.prior:
            self.straight.weight.data[0, form.rows.index(form.prior)] = 1.0

    def forward(self, inputs: Inputs) -> Tensor:
        """(D, R) or (D, levels)."""
        pooled = self.encoder(inputs)
        if self.levels:
            levels: Tensor = self.score(pooled.whole)
            return levels
        scores: Tensor = (self.score(pooled.rows) + self.straight(inputs.rows)).squeeze(-1)
        return scores


class Critic(nn.Module):
    """What a decision brings, its own action and the mean one of all known."""

    def __init__(self, form: Form, hidden: int, numbers: int) -> None:
        super().__init__()
        self.of_shares = form.action == SHARES
        rows = dataclasses.replace(form, rows=(*form.rows, "share")) if self.of_shares else form
        self.encoder = RowEncoder(rows, hidden)
        self.worth = perceptron(self.encoder.width + hidden + len(form.whole) + numbers, hidden, hidden, 1)
        self.row = nn.Linear(hidden, hidden)

    def forward(self, inputs: Inputs, action: Tensor, around: Tensor) -> Tensor:
        """(D,)."""
        shown = inputs
        if self.of_shares:
            shown = inputs._replace(rows=torch.cat([inputs.rows, action[..., None]], -1))
        pooled = self.encoder(shown)
        own = torch.tanh(self.row(pooled.rows))
        weights = action[..., None] if self.of_shares else inputs.mask[..., None].to(own.dtype)
        levels = [] if self.of_shares else [action, around]
        seen = [pooled.whole, (own * weights).sum(1), inputs.whole, *levels]
        worth: Tensor = self.worth(torch.cat(seen, -1)).squeeze(-1)
        return worth


def squashed(form: Form, scores: Tensor, mask: Tensor) -> Tensor:
    """Scores as an action: shares by a softmax over the rows that may have one, or levels by a sigmoid."""
    if form.action == SHARES:
        return torch.softmax(scores.masked_fill(~mask, _NEVER), -1)
    return torch.sigmoid(scores)


class DeterministicPolicy(Method):
    """A deterministic actor and critics, each with a target that follows it slowly.

    Methods say in `critics` how many critics there are, and override `goal` and `acts_now`.
    """

    settings_type: ClassVar[type[Settings]] = OffPolicySettings
    settings: OffPolicySettings
    critics: ClassVar[int] = 1

    def __init__(self, form: Form, settings: OffPolicySettings, seed: int, device: torch.device) -> None:
        super().__init__(form, settings, seed, device)
        numbers = 2 * form.levels
        self.actor = seeded(seed, lambda: Actor(form, settings.hidden)).to(device)
        self.judges = nn.ModuleList(
            seeded(seed + 1 + number, lambda: Critic(form, settings.hidden, numbers)) for number in range(self.critics)
        ).to(device)
        self.target_actor, self.target_judges = copy.deepcopy(self.actor), copy.deepcopy(self.judges)
        self.targets = nn.ModuleList([self.target_actor, self.target_judges])
        self.actor_optimiser = torch.optim.Adam(self.actor.parameters(), settings.learning_rate)
        self.critic_optimiser = torch.optim.Adam(self.judges.parameters(), settings.learning_rate)
        self.replay = Replay(settings.replay)
        self.updates = 0

    def practise(self, world: Practice) -> Lesson:
        """An episode of each of the world's, then `steps` steps of Adam."""
        experience = play(world, self.explore, self.device)
        reward = experience.reward[:, 0] / (experience.reward[:, 0].std() + 1e-8)
        self.replay.add(transitions_of(experience, reward, truncated=self.settings.truncated))
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
        judged = [judge(drawn.inputs, drawn.action, drawn.around) for judge in self.judges]
        loss = torch.stack([(worth - goal).square().mean() for worth in judged]).sum()
        self.follow(self.critic_optimiser, loss, self.judges)
        figures = {"critic_loss": loss.item()}
        if self.acts_now():
            action = squashed(self.form, self.actor(drawn.inputs), drawn.inputs.mask)
            worth = self.judges[0](drawn.inputs, action, drawn.around).mean()
            self.follow(self.actor_optimiser, -worth, self.actor)
            self.move_targets()
            figures["worth"] = worth.item()
        return figures

    def goal(self, drawn: Transitions) -> Tensor:
        """What the critics are to say: the reward and what the targets say of the next decision."""
        actor, judges = self.target_actor, self.target_judges
        scores = self.smoothed(actor(drawn.after))
        action = squashed(self.form, scores, drawn.after.mask)
        judged = torch.stack([judge(drawn.after, action, drawn.around) for judge in judges])
        return drawn.reward + self.settings.discount * drawn.goes_on * judged.amin(0)

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
        """The optimisers' too; the replay is filled anew."""
        states = {"actor": self.actor_optimiser.state_dict(), "critics": self.critic_optimiser.state_dict()}
        return super().memory() | states | {"updates": self.updates}

    def remember(self, memory: dict[str, Any]) -> None:
        """The optimisers' too."""
        super().remember(memory)
        self.actor_optimiser.load_state_dict(memory["actor"])
        self.critic_optimiser.load_state_dict(memory["critics"])
        self.updates = memory["updates"]
