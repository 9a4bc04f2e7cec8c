"""Which task comes when in an episode: as the split says, in flash crowds, or from west to east."""

from __future__ import annotations

from typing import Any

from edgebench.constants import DRIFT_BLUR
from edgebench.sim import counter
from edgebench.sim.compiled import part, rare
from edgebench.sim.topology import Topology
from edgebench.tracks.route.state import COUNT, FIRST, SEED, State, Tasks

_uniform = counter.uniform


@part
def arrange(topology: Topology, tasks: Tasks, state: State) -> None:
    """Fill `row` and `born_ms` of every task of the window, in order of arrival.

    A flash crowd divides the gaps between its tasks. Where the load drifts, the tasks change places among the times of
    arrival: they come by the blurred place of their users from west to east.
    """
    first, rules = int(state.cursor[FIRST]), state.rules[0]
    born_ms = 0.0
    for number in range(state.cursor[COUNT]):
        progress = state.progress[number]
        progress.row = first + number
        if number > 0 and rules.crowds > 0:
            gap_ms = tasks[first + number].arrival_ms - tasks[first + number - 1].arrival_ms
            born_ms += gap_ms / rules.crowd_speedup if _in_crowd(state, number) else gap_ms
        else:
            born_ms = tasks[first + number].arrival_ms - tasks[first].arrival_ms
        progress.born_ms = born_ms
    if rules.drifts:
        _sort_from_west(topology, tasks, state)


@rare
def _in_crowd(state: State, number: int) -> bool:
    """Whether a task follows another of its flash crowd. Each crowd begins anywhere in its share of the window."""
    rules, count = state.rules[0], state.cursor[COUNT]
    share = count // rules.crowds
    crowd = min(number // max(share, 1), rules.crowds - 1)
    draw = _uniform(state.cursor[SEED], counter.CROWD_START, crowd, 0)
    begin = crowd * share + int(draw * (max(share - rules.crowd_tasks, 0) + 1))
    return bool(begin < number < begin + rules.crowd_tasks)


@rare
def _sort_from_west(topology: Topology, tasks: Tasks, state: State) -> None:
    """Sort the rows of the window by place, by insertion; of equals the earlier row first."""
    for number in range(1, state.cursor[COUNT]):
        row = state.progress[number].row
        place, at = _place(topology, tasks, state, row), number
        while at > 0 and _place(topology, tasks, state, state.progress[at - 1].row) > place:
            state.progress[at].row = state.progress[at - 1].row
            at -= 1
        state.progress[at].row = row


@rare
def _place(topology: Topology, tasks: Tasks, state: State, row: Any) -> float:
    blur = _uniform(state.cursor[SEED], counter.DRIFT_PLACE, row, 0)
    return float(topology.node[tasks[row].user_node].east + DRIFT_BLUR * blur)
