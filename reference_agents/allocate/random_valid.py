"""Random-valid: a uniform draw among the valid actions, to defer among them. The zero of every score.

Command: edgebench eval random-valid --track allocate
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.sim import counter
from reference_agents.allocate.scoring import Observation

_STREAM = 1


class Agent:
    """Draws by counter: the n-th decision of an episode depends on the episode's seed and n alone."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode with its seed."""
        self._seed, self._decision = int(info["seed"]), 0
        counter.uniform(self._seed, _STREAM, 0, 0)  # compiled here, outside the budget of the first decision

    def act(self, observation: Observation) -> int:
        """A valid action, each with the same chance."""
        valid = np.flatnonzero(observation["action_mask"])
        drawn = counter.uniform(self._seed, _STREAM, self._decision, 0)
        self._decision += 1
        return int(valid[int(drawn * valid.size)])
