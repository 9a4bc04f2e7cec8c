"""From a Gymnasium observation to what learning sees, and from what it decides to an action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from numpy.typing import NDArray

from edgebench.learning.seen import Form, Seen

Decide = Callable[[Seen], NDArray[Any]]
"""A policy: an action for every decision that is seen."""


class Sight(Protocol):
    """How a policy sees a track's environment on one region.

    Made from what is public of the region (`Region.public`), with the face's settings by name.

    Attributes:
        form: What decisions are made of, as in the world in which the policy was trained.
    """

    form: Form

    def begin(self, info: dict[str, Any]) -> None:
        """Begin an episode; `info` is what an agent is told at reset."""

    def decide(self, observation: dict[str, Any], info: dict[str, Any], decide: Decide) -> Any:
        """The environment's action, for which the policy may be asked more than once."""
