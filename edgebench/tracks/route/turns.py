"""Decisions that are due at the same time, taken in rounds by gateways; what these tell each other.

A decision belongs to the gateway in whose cluster it is taken. Every function takes the address of a simulation
(`simulation.Simulation.address`) and leaves its future as it was, but for `play_round`: telemetry and trap links are
looked at no later than now, which decides nothing.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part
from edgebench.sim.topology import Topology
from edgebench.tracks.route.failures import period_slot
from edgebench.tracks.route.gateway_features import DOWN, QUEUE, STORED, WAITING
from edgebench.tracks.route.observe import observe
from edgebench.tracks.route.physics import step
from edgebench.tracks.route.servers import lose_what_failed, period_of, published_free
from edgebench.tracks.route.simulation import unpack
from edgebench.tracks.route.state import ARRIVED, OLDEST, TURN, State, Tasks
from edgebench.tracks.route.transfers import gather, jitter, path_extra

MESSAGE_MB: Final = 0.001
"""What a gateway sends another at once, its row and its message: a kilobyte, a packet's payload."""
_MS_PER_S: Final = 1000.0


@compiled
def find_decisions(
    address: int, gateway_of: NDArray[np.int64], first: NDArray[np.int64], due: NDArray[np.int64]
) -> float:
    """Find out who has to decide now.

    Args:
        address: Of the simulation.
        gateway_of: (N,) gateway of each node.
        first: (G,) is set to the lowest task with a decision due at the gateway, -1 where there is none.
        due: (G,) is set to the number of tasks with a decision due there.

    Returns:
        Now, in ms from the start of the window; 0 when the episode is over.
    """
    _, tasks, state, _, _ = unpack(address)
    for gateway in range(first.size):
        first[gateway], due[gateway] = -1, 0
    if state.cursor[TURN] < 0:
        return 0.0
    now_ms = state.progress[state.cursor[TURN]].ready_ms
    for number in range(state.cursor[OLDEST], state.cursor[ARRIVED]):
        progress = state.progress[number]
        if _is_due(tasks[progress.row], progress, now_ms):
            gateway = gateway_of[progress.at_node[progress.stage]]
            if due[gateway] == 0:
                first[gateway] = number
            due[gateway] += 1
    return float(now_ms)


@part
def _is_due(task: Any, progress: Any, now_ms: float) -> bool:
    """Whether a task's next event is a decision, and now."""
    if progress.ready_ms != now_ms or progress.stage == task.stages:
        return False
    return bool(progress.sent_to[progress.stage] < 0)


@compiled
def see_decision(address: int, number: int) -> None:
    """Write the observation of the decision that task `number` has due."""
    topology, tasks, state, seen, scratch = unpack(address)
    _turn_to(tasks, state, number)
    observe(topology, tasks, state, seen, scratch)


@compiled
def play_round(address: int, numbers: NDArray[np.int64], actions: NDArray[np.int64]) -> float:
    """Take decisions that are due at the same time, one after another, and go on to the next; it is not observed.

    Args:
        address: Of the simulation.
        numbers: (D,) tasks with a decision due, ascending.
        actions: (D,) candidate of each; one that does not exist fails its task.

    Returns:
        What all tasks have earned meanwhile (`edgebench.tracks.route.physics.step`).
    """
    topology, tasks, state, _, _ = unpack(address)
    earned = 0.0
    for place in range(numbers.size):
        _turn_to(tasks, state, numbers[place])
        earned += step(topology, tasks, state, actions[place])
    return earned


@part
def _turn_to(tasks: Tasks, state: State, number: int) -> None:
    progress = state.progress[number]
    task = tasks[progress.row]
    state.cursor[TURN] = number
    gather(state, task, progress, task.parents[progress.stage])


@compiled
def see_clusters(
    address: int, gateway_of: NDArray[np.int64], due: NDArray[np.int64], now_ms: float, rows: NDArray[np.float32]
) -> None:
    """Write what every gateway tells of its cluster (`edgebench.tracks.route.gateway_features`).

    Args:
        address: Of the simulation.
        gateway_of: (N,) gateway of each node.
        due: (G,) decisions due at each gateway.
        now_ms: The time of these decisions.
        rows: (G, TOLD) is written.
    """
    topology, _, state, _, _ = unpack(address)
    totals, nodes = np.zeros(rows.shape), np.zeros(due.size)
    for node in range(topology.node.shape[0]):
        gateway = gateway_of[node]
        nodes[gateway] += 1.0
        _add_node(topology, state, node, now_ms, totals[gateway])
    for gateway in range(due.size):
        for column in (QUEUE, STORED, DOWN):
            rows[gateway, column] = totals[gateway, column] / nodes[gateway]
        rows[gateway, WAITING] = due[gateway] / 10.0


@part
def _add_node(topology: Topology, state: State, node: int, now_ms: float, totals: NDArray[np.float64]) -> None:
    if state.rules[0].outage_enter > 0.0:
        lose_what_failed(topology, state, node, period_slot(now_ms))
        totals[DOWN] += state.outage[node].seen_down
    server = state.server[node]
    totals[QUEUE] += max(0.0, published_free(server, period_of(now_ms)) - now_ms) / _MS_PER_S
    totals[STORED] += server.stored_gb * topology.node[node].per_storage


@compiled
def arrivals_ms(address: int, stands_on: NDArray[np.int64], now_ms: float, there_ms: NDArray[np.float64]) -> None:
    """Write when what every gateway sends now is with every other, by the formula of `transfers.send`.

    Args:
        address: Of the simulation.
        stands_on: (G,) node of each gateway.
        now_ms: No earlier than the simulation's last event.
        there_ms: (G, G) is written, [to, from].
    """
    topology, _, state, _, _ = unpack(address)
    nodes = topology.node.shape[0]
    for receiver in range(stands_on.size):
        for sender in range(stands_on.size):
            target, source = stands_on[receiver], stands_on[sender]
            path = topology.path[target, source]
            extra_ms = path_extra(topology, state, source, target, MESSAGE_MB, now_ms)
            late_ms = jitter(state, nodes, source, target, now_ms)
            there_ms[receiver, sender] = now_ms + path.latency_ms + extra_ms + MESSAGE_MB * path.ms_per_mb + late_ms
