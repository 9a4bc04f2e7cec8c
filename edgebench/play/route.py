"""Route by hand: a row a candidate, with its delays in seconds, quality, cost, and the way back to the user."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from edgebench.constants import WINDOW_TASKS
from edgebench.play.hand import Decision, Row, entries, whole_number
from edgebench.region import Region
from edgebench.tracks.route.features import CANDIDATE_FEATURES, TASK_FEATURES

_COLUMNS: Final = ("#", "node", "way", "traps", "queue", "load", "serve", "sum", "quality", "cost", "back")


class RouteHand:
    """Candidates are chosen by their number."""

    usage = "a number"

    def __init__(self, region: Region) -> None:
        self._types, self._node = region.model_types, region.column("instances", "node_id")

    def look(self, observation: dict[str, Any], info: dict[str, Any]) -> Decision:
        """The stage that is due and its candidates."""
        task = entries(observation["task"], TASK_FEATURES)
        kind = self._types[info["stage_types"][info["stage"]]]
        left_s, in_flight = task["deadline_s"] - task["elapsed_s"], round(task["in_flight"] * WINDOW_TASKS)
        heading = [
            f"task {info['task']}, stage {info['stage'] + 1} of {info['stages']}: {kind}, "
            f"{1000 * task['tokens_k']:.0f} tokens, at node {info['node']}, user at node {info['user_node']}",
            f"the user weighs quality {task['quality_weight']:.2f}, speed {task['speed_weight']:.2f}; "
            f"{left_s:.1f} of {task['deadline_s']:.1f} s left; {in_flight} tasks in flight",
        ]
        columns = np.flatnonzero(observation["action_mask"])
        rows = [self._row(int(column), observation, info) for column in columns]
        return Decision(heading, _COLUMNS, rows, int(info["node"]), int(info["user_node"]))

    def _row(self, column: int, observation: dict[str, Any], info: dict[str, Any]) -> Row:
        seen = entries(observation["candidates"][:, column], CANDIDATE_FEATURES)
        node = int(self._node[info["instances"][column]])
        delays = [
            seen["propagation_s"] + seen["transmission_s"],
            *(seen[name] for name in ("measured_extra_s", "queue_s", "loading_s", "service_s")),
        ]
        figures = [f"{value:.2f}" for value in (*delays, sum(delays), seen["quality"], seen["cost"], seen["return_s"])]
        where = f"{node} down" if seen["down"] else str(node)
        return Row([str(column), where, *figures], column, node, seen["measured_extra_s"])

    def typed(self, line: str, observation: dict[str, Any]) -> int:
        """A candidate by its number."""
        return whole_number(line, self.usage)

    def told(self, action: Any) -> str:
        """A candidate in words."""
        return f"candidate {int(action)}"


HAND: Final = RouteHand
