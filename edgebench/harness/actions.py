"""What an action is, seen from its space: the form in which an agent sends it, and what makes it invalid."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError

Action = int | NDArray[Any]


class ActionForm(NamedTuple):
    """An array of numbers: the name of its type (`<f4`, `<i8`) and its shape. A `Discrete` action has no form."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of an action."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def as_message(self) -> dict[str, Any]:
        """The form as it is told to the agent's process."""
        return {"dtype": self.dtype, "shape": np.array(self.shape, np.int64)}


def action_form(space: spaces.Space[Any]) -> ActionForm | None:
    """The form of a space's actions, None for whole numbers.

    Raises:
        EdgeBenchError: The harness knows no such space.
    """
    if isinstance(space, spaces.Discrete):
        return None
    if isinstance(space, spaces.MultiDiscrete):
        return ActionForm("<i8", space.shape)
    if isinstance(space, spaces.Box):
        return ActionForm("<f4", space.shape)
    raise EdgeBenchError(f"no agent can be asked for an action of {space}", mend="use Discrete, MultiDiscrete or Box")


def action_problem(space: spaces.Space[Any], mask: NDArray[np.int8], action: Action) -> str | None:
    """What is wrong with an action of the space's form, None where it is valid.

    Args:
        space: `Discrete`, with a mask of its length; `MultiDiscrete`, with a flat mask of all combinations, the last
            number running fastest; or `Box`, whose mask only says which entries count.
        mask: The decision's `action_mask`.
        action: As the agent named it.
    """
    if isinstance(space, spaces.Box):
        return _box_problem(space, np.asarray(action))
    index, problem = _flat_index(space, action)
    if problem is None and not mask[index]:
        return f"action {_told(action)} is masked out"
    return problem


def _flat_index(space: spaces.Space[Any], action: Action) -> tuple[int, str | None]:
    highest = np.asarray(space.nvec if isinstance(space, spaces.MultiDiscrete) else [getattr(space, "n", 0)])
    numbers = np.atleast_1d(np.asarray(action))
    if ((numbers < 0) | (numbers >= highest)).any():
        ends = ", ".join(f"0 … {top - 1}" for top in highest.tolist())
        return -1, f"action {_told(action)} is outside {ends}"
    return int(np.ravel_multi_index(tuple(numbers.tolist()), tuple(highest.tolist()))), None


def _box_problem(space: spaces.Box, action: NDArray[Any]) -> str | None:
    if not np.isfinite(action).all():
        return "an entry of the action is not a finite number"
    outside = np.argwhere((action < space.low) | (action > space.high))
    if outside.size:
        place = tuple(outside[0].tolist())
        return f"entry {place} of the action is {action[place]:g}, outside {space.low[place]:g} … {space.high[place]:g}"
    return None


def _told(action: Action) -> str:
    return str(np.asarray(action).tolist())[:60]
