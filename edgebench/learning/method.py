"""What every learning method is: settings, something that decides, something that learns from episodes."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.learning.actions import Draws
from edgebench.learning.inputs import Inputs, inputs_of
from edgebench.learning.seen import Form, Ground, Seen
from edgebench.learning.world import Practice


@dataclasses.dataclass(frozen=True)
class Settings:
    """Hyper-parameters that every method has. Booleans are parts of a method that can be left out or put in.

    Attributes:
        each: Episodes played at once of every region.
        hidden: Width of the networks.
        learning_rate: Of Adam, at the beginning.
        replicas: How often each of those episodes is played, side by side; a divisor of `each`.
    """

    each: int = 32
    hidden: int = 32
    learning_rate: float = 3e-3
    replicas: int = 1


class Lesson(NamedTuple):
    """One round of learning: how many decisions it took, what the episodes brought, and figures for the log."""

    decisions: int
    score: float
    figures: dict[str, float]


class Method(ABC):
    """A learning method on the decisions of one face.

    Args:
        form: What those decisions are made of.
        settings: Its hyper-parameters.
        seed: Of all its random numbers.
        device: Where its networks are.

    Attributes:
        progress: Share of the budget that is used, from 0 to 1; schedules follow it.
    """

    faces: ClassVar[tuple[str, ...]]
    """The faces it is for, `track/face`."""
    settings_type: ClassVar[type[Settings]] = Settings

    def __init__(self, form: Form, settings: Settings, seed: int, device: torch.device) -> None:
        self.form, self.settings, self.seed, self.device = form, settings, seed, device
        self.draws = Draws(seed)
        self.progress = 0.0
        self.grounds: tuple[Ground, ...] = ()

    def enter(self, grounds: tuple[Ground, ...]) -> None:
        """Take note of the networks that decisions are about from now on."""
        self.grounds = grounds

    @classmethod
    def face_settings(cls, settings: Settings, face: str) -> dict[str, Any]:
        """Settings of a face (`single`, `team`) that the method asks for, in training and in use."""
        return {}

    @abstractmethod
    def practise(self, world: Practice) -> Lesson:
        """Play some episodes and learn from them."""

    @abstractmethod
    def best(self, inputs: Inputs) -> Tensor:
        """The actions of a policy that does not explore."""

    @abstractmethod
    def modules(self) -> dict[str, torch.nn.Module]:
        """What has to be kept for a policy to decide, by name."""

    def memory(self) -> dict[str, Any]:
        """What has to be kept beside it to go on learning, as nested dictionaries of tensors and numbers."""
        return {"torch_draws": self.draws.torch.get_state(), "numpy_draws": self.draws.numpy.bit_generator.state}

    def remember(self, memory: dict[str, Any]) -> None:
        """Take up what `memory` gave."""
        self.draws.torch.set_state(memory["torch_draws"])
        self.draws.numpy.bit_generator.state = memory["numpy_draws"]

    def decide(self, seen: Seen) -> Any:
        """Actions for what is seen, as the world takes them, (D,) or (D, n)."""
        with torch.no_grad():
            return self.best(inputs_of(seen, self.device)).cpu().numpy()


def settings_of(kind: type[Settings], given: Mapping[str, Any]) -> Settings:
    """Settings from names and values.

    Raises:
        EdgeBenchError: A name is not one of the settings, or a value is of another type.
    """
    defaults = dataclasses.asdict(kind())
    for name, value in given.items():
        if name not in defaults:
            raise unknown_name("setting", name, defaults)
        wanted = type(defaults[name])
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            raise EdgeBenchError(f"{name} is {value!r}", mend=f"give a {wanted.__name__}")
    return kind(**{name: type(defaults[name])(value) for name, value in given.items()})
