"""TopoFreeRL: telemetry gated by what the user prefers, and objectives whose weights follow how they fare.

Source: TopoFreeRL (also GF-TopoRL, STAR-PPO), its repository of 2026; squeeze and excitation as Hu, Shen and Sun,
"Squeeze-and-excitation networks", CVPR 2018; weights of objectives as Liu, Johns and Davison, "End-to-end multi-task
learning with attention", CVPR 2019.

What is different: the squeeze pools each channel of telemetry over the candidates (published, it takes the state as it
is), and the gate, from that and the user's own weights, scales the channel on every candidate, so that a policy fits
every region. Weights of objectives are those that maximise `sum w_k r_k + tau H(w)`: the entropy H keeps them near even
(named in the source's text, absent from its code). r_k is how far the tasks fall short in the objective over how far
they did so far. They turn what is learned from alone: with even weights it is the utility, and results are always in
utility. No logits are raised by hand, and nothing tells which links are traps.

Parts: `se`, without which telemetry is taken as it is; `dwa`, without which weights stay even; `trap_labels`, off, with
which a world shows privileged labels to training and use (`edgebench.tracks.route.features.LABELS`), as the published
inputs tell traps: results with it are marked.

Command: edgebench reproduce --table route-methods --rows topofreerl
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Final

import torch
from torch import Tensor, nn

from edgebench.constants import COST_WEIGHT
from edgebench.errors import EdgeBenchError
from edgebench.learning.inputs import Inputs
from edgebench.learning.method import Settings
from edgebench.learning.networks import ActorCritic, Pooled, RowEncoder, pool
from edgebench.learning.ppo import PPOSettings, ProximalPolicy
from edgebench.learning.rollout import Experience
from edgebench.learning.seen import Form
from edgebench.tracks.route.sight import LABELLED

TELEMETRY: Final = (
    *("root_measured_extra_s", "root_queue_s", "root_loading_s", "measured_extra_s", "queue_s", "loading_s"),
    *("stage_time", "stage_time_cost", "risk_of_failure", "stored", "down"),
)
"""Channels that the gate scales."""
PREFERENCES: Final = ("quality_weight", "speed_weight")
_LEAST: Final = 0.02
"""Shortfall of an objective, below which it does not count as smaller."""


@dataclasses.dataclass(frozen=True)
class TopoFreeSettings(PPOSettings):
    """Hyper-parameters of TopoFreeRL.

    Attributes:
        bottleneck: Width within the gate.
        tau: Weight of the entropy of the objectives' weights.
        kept: How much of the weights, and of the shortfalls so far, stays when a round is added.
        se: Whether telemetry is squeezed and excited.
        dwa: Whether weights of objectives adapt.
        trap_labels: Whether privileged labels are shown.
    """

    bottleneck: int = 8
    # Tried at 0.3 M decisions on s1-s3, seed 1, by mean utility on val (s1-s4): tau 0.2 .431,
    # 0.5 .426, 0.5 at a learning rate of 2e-3 .425.
    tau: float = 0.2
    kept: float = 0.7
    se: bool = True
    dwa: bool = True
    trap_labels: bool = False


class GatedEncoder(nn.Module):
    """Rows whose telemetry is gated, embedded as others are."""

    def __init__(self, form: Form, hidden: int, bottleneck: int) -> None:
        super().__init__()
        self.encoder = RowEncoder(form, hidden)
        self.width = self.encoder.width
        self.channels = [number for number, name in enumerate(form.rows) if name in (*TELEMETRY, *LABELLED)]
        self.preferences = [form.context.index(name) for name in PREFERENCES]
        squeezed = 2 * len(self.channels) + len(PREFERENCES)
        excite = nn.Linear(bottleneck, len(self.channels))
        nn.init.zeros_(excite.weight)
        nn.init.zeros_(excite.bias)
        self.gate = nn.Sequential(nn.Linear(squeezed, bottleneck), nn.ReLU(), excite, nn.Sigmoid())

    def forward(self, inputs: Inputs) -> Pooled:
        """(D, R, H) and (D, `width`)."""
        pooled: Pooled = self.encoder(inputs._replace(rows=inputs.rows * self.gates(inputs)[:, None]))
        return pooled

    def gates(self, inputs: Inputs) -> Tensor:
        """What every feature of a row is multiplied by, (D, F): 0 to 2 for telemetry, 1 at first and of the others."""
        squeezed = pool(inputs.rows[..., self.channels], inputs.mask)
        gates = torch.ones_like(inputs.rows[:, 0])
        excited = 2.0 * self.gate(torch.cat([squeezed, inputs.context[:, self.preferences]], -1))
        return gates.index_copy(1, torch.tensor(self.channels, device=gates.device), excited)


class TopoFreeRL(ProximalPolicy):
    """PPO with the gate, on objectives weighed anew every round."""

    faces: ClassVar[tuple[str, ...]] = ("route/single",)
    settings_type: ClassVar[type[Settings]] = TopoFreeSettings
    settings: TopoFreeSettings

    def __init__(self, form: Form, settings: TopoFreeSettings, seed: int, device: torch.device) -> None:
        if settings.trap_labels != set(LABELLED).issubset(form.rows):
            raise EdgeBenchError(
                f"trap_labels is {settings.trap_labels}, rows are {', '.join(form.rows)}",
                mend="make the world with privileged as trap_labels is",
            )
        super().__init__(form, settings, seed, device)
        self.weights = torch.full((len(form.objectives),), 1.0 / len(form.objectives))
        self.shortfalls: Tensor | None = None

    @classmethod
    def face_settings(cls, settings: Settings, face: str) -> dict[str, Any]:
        """A world with labels where they are asked for."""
        return {"privileged": True} if isinstance(settings, TopoFreeSettings) and settings.trap_labels else {}

    def make_network(self) -> nn.Module:
        """The actor-critic behind the gate."""
        if not self.settings.se:
            return super().make_network()
        hidden = self.settings.hidden
        return ActorCritic(self.form, GatedEncoder(self.form, hidden, self.settings.bottleneck), hidden)

    def rewards(self, experience: Experience) -> Tensor:
        """The utility, and of every objective as much more or less as its weight is over or under the even one."""
        reward = super().rewards(experience)
        if not self.settings.dwa:
            return reward
        self.adapt(shortfalls(experience))
        excess = (self.weights * len(self.weights) - 1.0).to(self.device)
        return reward + (self._preferences(experience.inputs) * experience.reward[:, 1:]) @ excess

    def adapt(self, shortfall: Tensor) -> None:
        """Move the weights towards those of the largest `sum w_k r_k + tau H(w)`, which are softmax(r / tau)."""
        shortfall = shortfall.clamp(min=_LEAST)
        before = shortfall if self.shortfalls is None else self.shortfalls
        wanted = torch.softmax(shortfall / before / self.settings.tau, 0)
        kept = self.settings.kept
        self.weights = kept * self.weights + (1.0 - kept) * wanted
        self.shortfalls = kept * before + (1.0 - kept) * shortfall

    def learn(self, experience: Experience, judged: Any) -> dict[str, float]:
        """As PPO; the log has the weights."""
        weights = {f"weight_{name}": float(w) for name, w in zip(self.form.objectives, self.weights, strict=True)}
        return super().learn(experience, judged) | weights

    def _preferences(self, inputs: Inputs) -> Tensor:
        """The user's weights of the objectives and that of cost, (n, objectives)."""
        own = inputs.context[:, [self.form.context.index(name) for name in PREFERENCES]]
        return torch.cat([own, torch.full_like(own[:, :1], COST_WEIGHT)], -1)

    def memory(self) -> dict[str, Any]:
        """The weights and the shortfalls too."""
        own: dict[str, Any] = {"weights": self.weights}
        if self.shortfalls is not None:
            own["shortfalls"] = self.shortfalls
        return super().memory() | own

    def remember(self, memory: dict[str, Any]) -> None:
        """The weights and the shortfalls too."""
        super().remember(memory)
        self.weights, self.shortfalls = memory["weights"], memory.get("shortfalls")


def shortfalls(experience: Experience) -> Tensor:
    """How far a task stays below 1 in each objective on average, (objectives,)."""
    streams = int(experience.stream.max()) + 1
    tasks = torch.unique(experience.episode * streams + experience.stream).numel()
    short: Tensor = 1.0 - experience.reward[:, 1:].sum(0).cpu() / tasks
    return short


METHOD: Final = TopoFreeRL
