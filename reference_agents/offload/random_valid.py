"""Random-valid: every node's shares are uniform on the simplex of its valid columns. The zero of every score.

Command: edgebench eval random-valid --track offload
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.tracks.offload.draws import uniforms
from reference_agents.offload.sight import Observation

_STREAM = 1


class Agent:
    """Draws by counter: the n-th decision of an episode depends on the episode's seed and n alone."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode with its seed."""
        self._seed, self._decision = int(info["seed"]), 0
        uniforms(self._seed, _STREAM, 1, 1)  # compiled here, outside the budget of the first decision

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """Exponential draws over their sum: Dirichlet of concentration 1."""
        mask = observation["action_mask"]
        drawn = -np.log1p(-uniforms(self._seed + self._decision, _STREAM, mask.size, 1)).reshape(mask.shape) * mask
        self._decision += 1
        return np.asarray(drawn / drawn.sum(axis=1, keepdims=True), np.float32)
