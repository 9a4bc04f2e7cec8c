"""SAC: an actor that is paid for being unpredictable, twin critics, a temperature that finds itself.

Source: Haarnoja, Zhou, Abbeel and Levine, "Soft actor-critic: off-policy maximum entropy deep reinforcement learning
with a stochastic actor", ICML 2018, and "Soft actor-critic algorithms and applications", arXiv 1812.05905 (the
temperature); on request forwarding as in DFaaS.

What is different: the action is the score of every row, Gaussian with a mean and a deviation from the row's embedding;
the track takes the shares that the scores stand for, so no density of shares is needed. Critics are central as those of
`reference_agents.learned.maddpg`, and there is no target of the actor, as in the source.

Parts: `tuned`, that the temperature finds itself: without it it stays where it begins; `told` and `truncated` as there.

Command: edgebench reproduce --table offload-methods --rows sac
"""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from typing import Any, ClassVar, Final

import torch
from torch import Tensor, nn

from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Settings
from edgebench.learning.networks import VALUES
from edgebench.learning.off_policy import OffPolicy, OffPolicySettings, squashed
from edgebench.learning.replay import Transitions
from edgebench.learning.rollout import Tried
from edgebench.learning.seen import Form, Seen

_LOG_DEVIATIONS: Final = (-4.0, 1.0)


@dataclasses.dataclass(frozen=True)
class SACSettings(OffPolicySettings):
    """Hyper-parameters of SAC.

    Attributes:
        temperature: Worth of a nat of entropy of a row's score, at the beginning.
        spread: Deviation of a row's score that the temperature aims at.
        tuned: Whether the temperature finds itself.
    """

    # `edgebench train sac --track offload --face team --steps 1e6 --set spread=0.1`, nearer to the source's: after
    # 0.64 M decisions the policy has fallen on val from 0.804 to 0.789, where with 1 it is still at 0.804.
    temperature: float = 0.01
    spread: float = 1.0
    tuned: bool = True


class SoftActorCritic(OffPolicy):
    """`OffPolicy` with a Gaussian actor and two critics, of which the lower counts."""

    faces: ClassVar[tuple[str, ...]] = ("offload/team",)
    settings_type: ClassVar[type[Settings]] = SACSettings
    settings: SACSettings
    critics: ClassVar[int] = 2
    heads: ClassVar[int] = 2

    def __init__(self, form: Form, settings: SACSettings, seed: int, device: torch.device) -> None:
        super().__init__(form, settings, seed, device)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(settings.temperature), device=device))

    @cached_property
    def temperature_optimiser(self) -> torch.optim.Optimizer:
        """Made when the method first learns."""
        return torch.optim.Adam([self.log_temperature], self.settings.learning_rate)

    def drawn(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """An action of each decision, with a gradient to the actor, and the mean entropy of its rows' scores, (D,)."""
        mean, raw = self.actor(inputs).unbind(-1)
        low, high = _LOG_DEVIATIONS
        log_deviation = low + (high - low) * torch.sigmoid(raw)
        scores = mean + log_deviation.exp() * self.draws.normal(mean)
        counted = inputs.mask.to(mean.dtype)
        entropy = 0.5 * math.log(2.0 * math.pi * math.e) + log_deviation
        return squashed(self.form, scores, inputs.mask), (entropy * counted).sum(-1) / counted.sum(-1)

    def explore(self, inputs: Inputs, seen: Seen) -> Tried:
        """Actions drawn from the policy."""
        action, _ = self.drawn(inputs)
        return Tried(action, torch.zeros(len(action)), torch.zeros(len(action), VALUES))

    def best(self, inputs: Inputs) -> Tensor:
        """That of the mean scores."""
        return squashed(self.form, self.actor(inputs)[..., 0], inputs.mask)

    def goal(self, drawn: Transitions) -> Tensor:
        """The reward, what the targets say of actions drawn for what comes next, and the worth of their entropy."""
        action, entropy = self.drawn(drawn.after)
        others = self.others(drawn.after, action, drawn.group)
        judged = torch.stack([judge(drawn.after, action, others) for judge in self.target_judges]).amin(0)
        soft = judged + self.log_temperature.exp() * entropy
        return drawn.reward + self.settings.discount * drawn.goes_on * soft

    def act_better(self, drawn: Transitions, others: Tensor) -> dict[str, float]:
        """A step towards worth and entropy, then one of the temperature towards the entropy it aims at."""
        action, entropy = self.drawn(drawn.inputs)
        worth = torch.stack([judge(drawn.inputs, action, others) for judge in self.judges]).amin(0)
        soft = worth + self.log_temperature.detach().exp() * entropy
        self.follow(self.actor_optimiser, -soft.mean(), self.actor)
        if self.settings.tuned:
            aim = 0.5 * math.log(2.0 * math.pi * math.e) + math.log(self.settings.spread)
            self.temperature_optimiser.zero_grad()
            (self.log_temperature * (entropy.detach().mean() - aim)).backward()  # type: ignore[no-untyped-call]
            self.temperature_optimiser.step()
        return {"worth": worth.mean().item(), "entropy": entropy.mean().item()}

    def memory(self) -> dict[str, Any]:
        """The temperature's too."""
        told = {"log_temperature": self.log_temperature.detach()}
        return super().memory() | told | {"temperature": self.temperature_optimiser.state_dict()}

    def remember(self, memory: dict[str, Any]) -> None:
        """The temperature's too."""
        super().remember(memory)
        with torch.no_grad():
            self.log_temperature.copy_(memory["log_temperature"])
        self.temperature_optimiser.load_state_dict(memory["temperature"])


METHOD: Final = SoftActorCritic
