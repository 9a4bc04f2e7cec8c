"""One episode as it went, for people: what was asked, where it queued, what links and nodes were like."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import TRAP_SLOT_MS, TRAP_SLOTS
from edgebench.errors import EdgeBenchError
from edgebench.pinning import checked_seed, checked_window
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.show.truth import late_shares, moment_of, schedule_of
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.simulation import Simulation

SPLIT: Final = "test"
"""Whose tasks an episode shown has."""
_NAME: Final = re.compile(r"([^:]*):([0-9]{1,19})(?::([0-9]{1,9}))?")
_DIGITS: Final = 6
"""Of a figure as JSON: a microsecond."""


class EpisodeName(NamedTuple):
    """Which episode: a scenario's name, its seed, a window of the test split."""

    scenario: str
    seed: int
    window: int


class EpisodeTrace(NamedTuple):
    """An episode as it went; D decisions, W tasks, N nodes, C trap links, S slots of `TRAP_SLOT_MS` begun.

    Times are in s from the start of the window.
    """

    name: EpisodeName
    agent: str  # who decided
    at_s: NDArray[np.float64]  # (D,) when each decision was due
    in_flight: NDArray[np.int64]  # (D,) tasks that had arrived and neither been answered nor failed
    queued_s: NDArray[np.float64]  # (D, N) seconds of work that waited for each node or ran on it
    arrived_s: NDArray[np.float64]  # (W,) when each task arrived
    utility: float  # mean of the tasks
    bad: NDArray[np.bool_]  # (C, S) whether each trap link was bad; in `drift` at the slot's beginning
    down: NDArray[np.bool_]  # (N, S) whether each node was down
    late: NDArray[np.float64]  # (S,) share of the ways between two nodes that were late


def parse_episode(text: str) -> EpisodeName:
    """`trap:0` or `trap:0:3` as scenario, seed and window.

    Raises:
        EdgeBenchError: The text is of another form, the scenario is unknown or the seed too large.
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise EdgeBenchError(
            f"no episode {text!r}", where="--episode", mend="SCENARIO:SEED or SCENARIO:SEED:WINDOW, as trap:0"
        )
    scenario, seed, window = match.groups(default="0")
    return EpisodeName(find_scenario(scenario).name, checked_seed(int(seed)), int(window))


def record_episode(region: Region, name: EpisodeName, agent: str, act: Callable[[dict[str, Any]], int]) -> EpisodeTrace:
    """Play an episode of the test split and keep what happened.

    Args:
        region: A built region.
        name: Which episode.
        agent: What tables call the policy.
        act: The policy: from what is seen, which the next step overwrites, to a valid action.

    Raises:
        EdgeBenchError: The split has no such window, or the scenario is unknown.
    """
    rules = make_rules(find_scenario(name.scenario).parameters())
    simulation = Simulation(region.topology(), region.task_arrays(SPLIT), rules)
    simulation.start(checked_window(name.window, simulation.windows, region.name, SPLIT), name.seed)
    schedule = schedule_of(simulation)
    moments = []
    while not simulation.over:
        moments.append(moment_of(simulation, schedule))
        simulation.step(act(simulation.seen._asdict()))
    end = moment_of(simulation, schedule)
    slots = int(moments[-1].now_ms / TRAP_SLOT_MS) + 1
    held = np.minimum(np.arange(slots), TRAP_SLOTS - 1)
    return EpisodeTrace(
        name=name,
        agent=agent,
        at_s=np.array([moment.now_ms for moment in moments]) / 1000.0,
        in_flight=np.array([moment.in_flight for moment in moments]),
        queued_s=np.array([moment.queued_s for moment in moments]),
        arrived_s=simulation.state.progress["born_ms"][: end.ended] / 1000.0,
        utility=end.utility / end.ended,
        bad=schedule.bad[:, held],
        down=schedule.down[:, held],
        late=late_shares(simulation.topology.node.size, name.seed, float(rules["jitter_chance"][0]), slots),
    )


def arrivals(trace: EpisodeTrace) -> NDArray[np.int64]:
    """Tasks that arrived in each slot, (S,)."""
    slots = trace.bad.shape[1]
    return np.bincount((trace.arrived_s * 1000.0 / TRAP_SLOT_MS).astype(np.int64), minlength=slots)[:slots]


def describe_episode(region: Region, trace: EpisodeTrace) -> dict[str, Any]:
    """The figures of an episode as plain JSON values: by decision and by slot of `slot_s`."""
    return {
        "region": region.name,
        "edition": region.edition,
        "split": SPLIT,
        **trace.name._asdict(),
        "agent": trace.agent,
        "tasks": trace.arrived_s.size,
        "decisions": trace.at_s.size,
        "utility": round(trace.utility, _DIGITS),
        "trap_links": trace.bad.shape[0],
        "by_decision": {
            "at_s": trace.at_s.round(_DIGITS).tolist(),
            "tasks_in_flight": trace.in_flight.tolist(),
            "queued_s": trace.queued_s.sum(axis=1).round(_DIGITS).tolist(),
        },
        "slot_s": TRAP_SLOT_MS / 1000.0,
        "by_slot": {
            "tasks_arriving": arrivals(trace).tolist(),
            "bad_trap_links": trace.bad.sum(axis=0).tolist(),
            "nodes_down": trace.down.sum(axis=0).tolist(),
            "share_of_ways_late": trace.late.round(_DIGITS).tolist(),
        },
    }
