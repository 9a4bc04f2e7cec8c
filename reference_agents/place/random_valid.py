"""Random-valid: a uniform draw among the valid edits. The zero of every score.

Command: edgebench eval random-valid --track place
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.sim import counter

_STREAM = 1


class Agent:
    """Draws by counter: the n-th edit of an episode depends on the episode's seed and n alone."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode with its seed."""
        self._seed, self._decision = int(info["seed"]), 0
        counter.uniform(self._seed, _STREAM, 0, 0)  # compiled here, outside the budget of the first decision

    def act(self, observation: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
        """A valid edit, each with the same chance."""
        valid = np.flatnonzero(observation["action_mask"])
        drawn = counter.uniform(self._seed, _STREAM, self._decision, 0)
        self._decision += 1
        experts, devices = observation["placement"].shape
        return np.array(np.unravel_index(valid[int(drawn * valid.size)], (experts, 3, devices)), np.int64)
