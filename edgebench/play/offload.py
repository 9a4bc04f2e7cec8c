"""Offload by hand: three shares a slot, the same for every node."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError
from edgebench.play.hand import Decision, Row, entries
from edgebench.region import Region
from edgebench.tracks.offload.constants import SLOTS
from edgebench.tracks.offload.features import NEIGHBOUR, NODE, NODE_FEATURES

_COLUMNS: Final = (
    "node",
    "load",
    "queue",
    "incoming",
    "memory",
    "worth",
    "neighbours",
    "queued",
    "traps",
)


class OffloadHand:
    """A line is what every node keeps, forwards and rejects; each neighbour gets the same of what is forwarded."""

    usage = "shares kept, forwarded, rejected (0.7 0.2 0.1)"

    def __init__(self, region: Region) -> None:
        pass

    def look(self, observation: dict[str, Any], info: dict[str, Any]) -> Decision:
        """What every node knows of itself and its neighbours."""
        nodes = observation["nodes"]
        slot = round(float(nodes[0, NODE["elapsed"]]) * SLOTS)
        heading = [
            f"slot {slot} of {SLOTS}: nodes are asked for {nodes[:, NODE['load']].mean():.2f} of what they do in it, "
            f"{nodes[:, NODE['queue']].mean():.2f} slots of work wait, on average"
        ]
        return Decision(heading, _COLUMNS, [self._row(node, observation) for node in range(len(nodes))])

    def _row(self, node: int, observation: dict[str, Any]) -> Row:
        seen = entries(observation["nodes"][node], NODE_FEATURES)
        others = observation["neighbours"][node][observation["action_mask"][node, 1:-1] > 0]
        extra_s = float(others[:, NEIGHBOUR["measured_extra_s"]].max(initial=0.0))
        queue = float(others[:, NEIGHBOUR["queue"]].sum()) / max(len(others), 1)
        own = (seen[name] for name in ("load", "queue", "incoming", "memory_free", "worth"))
        figures = [*(f"{value:.2f}" for value in own), str(len(others)), f"{queue:.2f}", f"{extra_s:.2f}"]
        return Row([str(node), *figures], None, node, extra_s)

    def typed(self, line: str, observation: dict[str, Any]) -> NDArray[np.float32]:
        """Shares of every node, (N, C)."""
        try:
            local, forward, reject = (float(word) for word in line.split())
        except ValueError as error:
            raise EdgeBenchError(f"{line!r:.40} is no choice", mend=self.usage) from error
        if not all(math.isfinite(share) and 0.0 <= share <= 1.0 for share in (local, forward, reject)):
            raise EdgeBenchError("a share is outside 0 … 1", mend=self.usage)
        mask = np.asarray(observation["action_mask"], np.float32)
        shares = forward * mask / np.maximum(mask[:, 1:-1].sum(axis=1, keepdims=True), 1.0)
        shares[:, 0], shares[:, -1] = local, reject
        return np.asarray(shares, np.float32)

    def told(self, action: Any) -> str:
        """The mean of the nodes' shares."""
        shares = np.asarray(action)
        parts = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
        kept, rejected = float(parts[:, 0].mean()), float(parts[:, -1].mean())
        return f"{kept:.2f} {1.0 - kept - rejected:z.2f} {rejected:.2f} on average, node by node"


HAND: Final = OffloadHand
