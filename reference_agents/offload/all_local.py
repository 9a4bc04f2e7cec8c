"""All-local: every node keeps all it is asked for.

Command: edgebench eval all-local --track offload
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_agents.offload.sight import LOCAL, Observation


class Agent:
    """Knows nothing."""

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode."""

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """Everything to the first column."""
        action = np.zeros(observation["action_mask"].shape, np.float32)
        action[:, LOCAL] = 1.0
        return action
