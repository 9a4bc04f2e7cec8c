"""Allocate by hand: a row a site that could take the job, and one for letting it wait."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from edgebench.play.hand import Decision, Row, entries, whole_number
from edgebench.region import Region
from edgebench.tracks.allocate.constants import RESOURCES
from edgebench.tracks.allocate.features import JOB_FEATURES, QUEUE_FEATURES, SITE_FEATURES

_COLUMNS: Final = ("#", *RESOURCES, "way", "traps", "input", "end", "waiting")
"""Shares of each resource that would be left; seconds of the request's way, of the input's, until the next job ends."""


class AllocateHand:
    """Sites are chosen by their number; the last number lets the job wait."""

    usage = "a number (the last one: wait)"

    def __init__(self, region: Region) -> None:
        self._nodes = region.tables["nodes"].num_rows

    def look(self, observation: dict[str, Any], info: dict[str, Any]) -> Decision:
        """The job whose turn it is and the sites that could take it."""
        job, queue = entries(observation["job"], JOB_FEATURES), entries(observation["queue"], QUEUE_FEATURES)
        needs = ", ".join(f"{name} {job[f'need_{name}']:.2f}" for name in RESOURCES)
        waiting = ", ".join(f"{queue[f'waiting_{priority}']:.0f} of priority {priority}" for priority in (3, 2, 1))
        heading = [
            f"job {info['job']} of priority {job['priority']:.0f}, from node {info['origin']}: "
            f"runs {job['duration_s']:.1f} s, must begin within {job['slack_s']:.1f} s; "
            f"it has waited {job['waited_s']:.1f} s, {job['tries']:.0f} times in vain",
            f"it needs, in mean sites: {needs}; others wait: {waiting}",
        ]
        sites = np.flatnonzero(observation["action_mask"][:-1])
        rows = [self._row(int(site), observation) for site in sites]
        wait = Row([str(self._nodes), "wait", *[""] * (len(_COLUMNS) - 2)], self._nodes)
        return Decision(heading, _COLUMNS, [*rows, wait], int(info["origin"]), int(info["origin"]))

    def _row(self, site: int, observation: dict[str, Any]) -> Row:
        seen = entries(observation["sites"][site], SITE_FEATURES)
        left = [seen[f"free_{name}"] - seen[f"sent_{name}"] - seen[f"need_{name}"] for name in RESOURCES]
        times = [seen[name] for name in ("latency_s", "measured_extra_s", "transmission_s", "next_end_s")]
        figures = [*(f"{share:z.2f}" for share in left), *(f"{time:.2f}" for time in times), f"{seen['waiting']:.0f}"]
        return Row([str(site), *figures], site, site, seen["measured_extra_s"])

    def typed(self, line: str, observation: dict[str, Any]) -> int:
        """A site by its number."""
        return whole_number(line, self.usage)

    def told(self, action: Any) -> str:
        """A site in words."""
        return "wait" if int(action) == self._nodes else f"site {int(action)}"


HAND: Final = AllocateHand
