"""VAMAPPO: PPO whose steps follow how sure its critic is, and whose agents share their advantages with neighbours.

Source: VAMAPPO (value-adaptive multi-agent PPO), its repository of 2025; the deviation of values as Nix and Weigend,
"Estimating the mean and variance of the target probability distribution", ICNN 1994, scaled as Kuleshov, Fenner and
Ermon, "Accurate uncertainties for deep learning using calibrated regression", ICML 2018.

What is different: the uncertainty is learned, as the deviation of a Gaussian whose likelihood it maximises, and scaled
every round so that four in five of the returns lie within what it says is their interval; the log has how many did
before that (`covered`, 0.8 where it is right). Learning rate and clip range are multiplied by the running mean of the
uncertainty over this round's, within bounds: a critic less sure than it was makes for smaller steps (published, the
factor of the clip range is constant). The coordinated advantage, named in the source but not in its code, is an agent's
own and a share of its neighbours' mean: other agents that decided about the same time at the same node or one linked
to it. Agents share their weights, so that a policy fits any number of them. Where the face has messages, a decision
is a candidate and a message, both drawn and both learned from what follows; the world carries it to the others along
the network's paths. Published, each agent reads its own.

Parts: `adaptation`, without which learning rate and clip range follow PPO's schedule alone; `coordination`, without
which advantages are one's own; `messages`, without which all messages of a face that has them are 0.

Command: edgebench reproduce --table route-team --rows vamappo
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgebench.learning.actions import DISTRIBUTIONS, Distribution
from edgebench.learning.coordination import nearness, neighbours_mean
from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Settings
from edgebench.learning.networks import OWN, VALUES, ActorCritic, Outputs, Pooled, RowEncoder, perceptron
from edgebench.learning.ppo import Judged, PPOSettings, ProximalPolicy
from edgebench.learning.rollout import Experience
from edgebench.learning.seen import CHOICE, Form
from edgebench.learning.telling import SilentChoice, ToldChoice
from edgebench.learning.world import Practice

DEVIATION: Final = VALUES
"""Column of the values: the deviation of the stream's own returns from what is expected."""
MESSAGES: Final = 4
"""Numbers in a message."""
COVERED: Final = 0.8
_DEVIATIONS: Final = 1.2816
"""Within which four in five normal numbers lie."""
_LEAST: Final = 1e-3


@dataclasses.dataclass(frozen=True)
class VAMAPPOSettings(PPOSettings):
    """Hyper-parameters of VAMAPPO.

    Attributes:
        bound: How many times larger or smaller the uncertainty makes a step.
        kept: How much of the running means stays when a round is added.
        neighbours: Weight of the neighbours' mean advantage.
        reach: Decisions before and after one among which its neighbours' are looked for.
        adaptation: Whether learning rate and clip range follow the uncertainty.
        coordination: Whether neighbours' advantages count.
        messages: Whether agents tell each other something where the face lets them.
    """

    bound: float = 1.5
    kept: float = 0.7
    # Tried at 0.3 M decisions on s1-s3, seed 1, by mean utility on val (s1-s4): neighbours 0.1 .434,
    # 0.25 .434, 0.25 at a bound of 2 .429.
    neighbours: float = 0.1
    reach: int = 16
    adaptation: bool = True
    coordination: bool = True
    messages: bool = True


class UncertainActorCritic(ActorCritic):
    """Says beside its values how far off the first may be, and beside its scores what to tell (`ToldChoice`)."""

    def __init__(self, form: Form, encoder: nn.Module, hidden: int, messages: int) -> None:
        super().__init__(form, encoder, hidden)
        self.tell = nn.Linear(int(encoder.width), 2 * messages) if messages else None  # type: ignore[arg-type]
        self.deviation = perceptron(int(encoder.width), hidden, 1)  # type: ignore[arg-type]

    def scores(self, inputs: Inputs, pooled: Pooled) -> Tensor:
        """(D, R), and two a number of a message."""
        scores = super().scores(inputs, pooled)
        return scores if self.tell is None else torch.cat([scores, self.tell(pooled.whole)], -1)

    def values(self, inputs: Inputs, pooled: Pooled) -> Tensor:
        """(D, VALUES + 1); what the deviation learns does not change the rows' embedding."""
        deviation = functional.softplus(self.deviation(pooled.whole.detach())) + _LEAST
        return torch.cat([super().values(inputs, pooled), deviation], -1)


class VAMAPPO(ProximalPolicy):
    """PPO with the three parts."""

    faces: ClassVar[tuple[str, ...]] = ("route/single", "route/team")
    settings_type: ClassVar[type[Settings]] = VAMAPPOSettings
    settings: VAMAPPOSettings

    def __init__(self, form: Form, settings: VAMAPPOSettings, seed: int, device: torch.device) -> None:
        super().__init__(form, settings, seed, device)
        self.usual = 0.0
        self.uncertainty = 0.0
        self.calibration = 1.0
        self.covered = 0.0

    @classmethod
    def face_settings(cls, settings: Settings, face: str) -> dict[str, Any]:
        """Messages, where there is somebody to tell; without its part the method sends nothing on the same face."""
        return {"messages": MESSAGES} if face == "team" else {}

    def make_network(self) -> nn.Module:
        """The actor-critic that says how sure it is."""
        hidden = self.settings.hidden
        messages = self.form.messages if self.settings.messages else 0
        return UncertainActorCritic(self.form, RowEncoder(self.form, hidden), hidden, messages)

    def best(self, inputs: Inputs) -> Tensor:
        """As PPO, with the mean message."""
        return self._distribution(self.outputs(inputs).scores, inputs.mask).best()

    def distribution(self, inputs: Inputs, outputs: Outputs) -> Distribution:
        """As PPO, with a message where the face has them."""
        return self._distribution(outputs.scores, inputs.mask if self.settings.mask else torch.ones_like(inputs.mask))

    def _distribution(self, scores: Tensor, mask: Tensor) -> Distribution:
        if not self.form.messages:
            return DISTRIBUTIONS[self.form.action](scores, mask)
        return ToldChoice(scores, mask) if self.settings.messages else SilentChoice(scores, mask, self.form.messages)

    def judge(self, experience: Experience, world: Practice) -> Judged:
        """As PPO, with the neighbours' advantages; the uncertainty is measured before the round is learned from."""
        judged = super().judge(experience, world)
        self.measure(experience.tried.values, judged.targets[:, OWN])
        if not self.settings.coordination:
            return judged
        return judged._replace(
            advantage=judged.advantage + self.settings.neighbours * self._neighbours(experience, judged)
        )

    def measure(self, values: Tensor, returns: Tensor) -> None:
        """Take in how far returns are from what was expected, over the deviations that were told of them."""
        off = (returns - values[:, OWN]).abs() / values[:, DEVIATION]
        self.covered = (off <= _DEVIATIONS * self.calibration).float().mean().item()
        wanted = float(np.quantile(off.cpu().numpy(), COVERED)) / _DEVIATIONS
        kept = self.settings.kept if self.usual else 0.0
        self.calibration = kept * self.calibration + (1.0 - kept) * wanted
        self.uncertainty = self.calibration * values[:, DEVIATION].mean().item()
        self.usual = kept * self.usual + (1.0 - kept) * self.uncertainty

    def caution(self) -> float:
        """What a step is multiplied by: below 1 where the critic is less sure than it has been."""
        if not self.settings.adaptation or not self.usual:
            return 1.0
        bound = self.settings.bound
        return float(np.clip(self.usual / self.uncertainty, 1.0 / bound, bound))

    def learning_rate(self) -> float:
        """PPO's, with caution."""
        return super().learning_rate() * self.caution()

    def clip(self) -> float:
        """PPO's, with caution."""
        return super().clip() * self.caution()

    def learn(self, experience: Experience, judged: Judged) -> dict[str, float]:
        """As PPO; the log has how sure the critic is, and how often it is right to be."""
        own = {"covered": self.covered, "uncertainty": self.uncertainty, "caution": self.caution()}
        return super().learn(experience, judged) | own

    def value_loss(self, outputs: Outputs, targets: Tensor, scale: Tensor) -> Tensor:
        """As PPO, and the deviation's likelihood given the value."""
        values = outputs.values
        error = super().value_loss(outputs._replace(values=values[:, :VALUES]), targets, scale)
        off = (targets[:, OWN] - values[:, OWN]).detach()
        return error + functional.gaussian_nll_loss(torch.zeros_like(off), off, values[:, DEVIATION].square())

    def _neighbours(self, experience: Experience, judged: Judged) -> Tensor:
        inputs, action = experience.inputs, experience.tried.action
        if self.form.action == CHOICE:
            node = inputs.nodes.gather(1, action.reshape(len(action), -1)[:, :1].long()).squeeze(1)
        else:
            node = inputs.nodes[:, 0]
        mean = neighbours_mean(
            experience.episode.numpy(), experience.stream.numpy(), inputs.ground.cpu().numpy(),
            node.cpu().numpy().astype(np.int64), judged.advantage.cpu().numpy(), nearness(self.grounds),
            self.settings.reach,
        )  # fmt: skip
        return torch.from_numpy(mean).to(self.device)

    def memory(self) -> dict[str, Any]:
        """The running means too."""
        own = {"usual": self.usual, "uncertainty": self.uncertainty, "calibration": self.calibration}
        return super().memory() | own

    def remember(self, memory: dict[str, Any]) -> None:
        """The running means too."""
        super().remember(memory)
        self.usual, self.uncertainty = float(memory["usual"]), float(memory["uncertainty"])
        self.calibration = float(memory["calibration"])


METHOD: Final = VAMAPPO
