"""What holds at a moment of a Route episode whoever knows of it: for people to look at, never for agents.

Nothing here changes an episode: states of links and nodes are drawn once more from the counter, not looked up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import TRAP_SLOTS, WINDOW_TASKS
from edgebench.sim.chains import slot_of
from edgebench.sim.compiled import compiled
from edgebench.sim.jitter import is_late
from edgebench.sim.outages import outage_schedule
from edgebench.sim.traps import trap_schedule
from edgebench.tracks.route.simulation import Simulation
from edgebench.tracks.route.state import ARRIVED, COUNT, DONE, ENDED, FIRST, RUNNING, SEED, TURN


class Schedule(NamedTuple):
    """What becomes of C trap links and N nodes in every slot of `TRAP_SLOT_MS`; after the last one its state holds."""

    bad: NDArray[np.bool_]  # (C, TRAP_SLOTS) in `drift` that at the slot's beginning
    down: NDArray[np.bool_]  # (N, TRAP_SLOTS)


class Transfer(NamedTuple):
    """Data under way: from which node to which, and what share of its time has passed."""

    source: int
    target: int
    share: float


class Moment(NamedTuple):
    """An episode at its next decision, or at its end; N nodes, C trap links."""

    window: int
    seed: int
    now_ms: float
    in_flight: int  # tasks that have arrived and neither been answered nor failed
    ended: int  # tasks that have
    utility: float  # of these, summed
    queued_s: NDArray[np.float64]  # (N,) work that waits for a node or runs on it
    bad: NDArray[np.bool_]  # (C,)
    down: NDArray[np.bool_]  # (N,)
    transfers: list[Transfer]
    at_node: int  # where the stage whose turn it is is decided, -1 at the end
    user_node: int  # the node nearest its user, -1 at the end
    candidate_nodes: NDArray[np.int64]  # those of the instances offered, each once


def schedule_of(simulation: Simulation) -> Schedule:
    """The schedule of the episode that has begun."""
    topology, state = simulation.topology, simulation.state
    rules, seed = state.rules[0], int(state.cursor[SEED])
    bad, _ = trap_schedule(topology.trap, seed, bool(rules["traps"]), bool(rules["drifts"]))
    chances = float(rules["outage_enter"]), float(rules["outage_leave"])
    return Schedule(bad, outage_schedule(topology.node.size, seed, *chances))


def moment_of(simulation: Simulation, schedule: Schedule) -> Moment:
    """What holds at the decision that is due, or at the end of the episode."""
    state, seen = simulation.state, simulation.seen
    now_ms = now_of(simulation)
    slot = slot_of(now_ms)
    offered = seen.instances[seen.instances >= 0]
    first, seed, arrived, ended = (int(state.cursor[entry]) for entry in (FIRST, SEED, ARRIVED, ENDED))
    at_node, user_node = (-1, -1) if simulation.over else seen.place[3:5].tolist()
    return Moment(
        window=first // WINDOW_TASKS,
        seed=seed,
        now_ms=now_ms,
        in_flight=arrived - ended,
        ended=ended,
        utility=float(_window(simulation)["utility"].sum()),
        queued_s=queued_s(simulation, schedule, now_ms),
        bad=schedule.bad[:, slot],
        down=schedule.down[:, slot],
        transfers=transfers_at(simulation, now_ms),
        at_node=at_node,
        user_node=user_node,
        candidate_nodes=np.unique(simulation.topology.instance["node"][offered]),
    )


def now_of(simulation: Simulation) -> float:
    """When the next decision is due, in ms; at the end, when the last answer was there or the last stage done."""
    if not simulation.over:
        return float(simulation.state.progress[simulation.state.cursor[TURN]]["ready_ms"])
    tasks = _window(simulation)
    answered_ms = np.where(tasks["outcome"] == DONE, tasks["born_ms"] + tasks["latency_ms"], tasks["done_ms"])
    return float(answered_ms.max())


def queued_s(simulation: Simulation, schedule: Schedule, now_ms: float) -> NDArray[np.float64]:
    """Seconds of work before every node, (N,): `max(0, free − now)`, 0 where the node has failed since it was given.

    The simulator empties a failed node's queue when it next looks at it, so what it holds may be lost already.
    """
    state = simulation.state
    slots = np.arange(TRAP_SLOTS)
    unseen = (slots > state.outage["slot"][:, None]) & (slots <= slot_of(now_ms))
    is_lost = (schedule.down & unseen).any(axis=1)
    return np.where(is_lost, 0.0, np.maximum(0.0, state.server["free_ms"] - now_ms) / 1000.0)


def transfers_at(simulation: Simulation, now_ms: float) -> list[Transfer]:
    """Inputs on their way to the instances chosen and answers on theirs to the users.

    Of several inputs of a stage only the last one's arrival is kept: all are told as arriving with it.
    """
    found = []
    for progress in _window(simulation):
        task = simulation.tasks[progress["row"]]
        if progress["outcome"] == RUNNING:
            stages = (stage for stage in range(task["stages"]) if progress["waiting"] >> stage & 1)
            for stage in stages:
                if progress["sent_to"][stage] >= 0 and not progress["doomed"] >> stage & 1:
                    found += _inputs(task, progress, stage, now_ms)
        elif progress["outcome"] == DONE:
            found += _answers(task, progress, now_ms)
    return [transfer for transfer in found if 0.0 <= transfer.share < 1.0]


def _inputs(task: Any, progress: Any, stage: int, now_ms: float) -> list[Transfer]:
    parents = [other for other in range(stage) if task["parents"][stage] >> other & 1]
    left_ms = max((progress["due_ms"][parent] for parent in parents), default=progress["born_ms"])
    share = _share(left_ms, progress["due_ms"][stage], now_ms)
    sources = [progress["at_node"][parent] for parent in parents] or [task["user_node"]]
    return [Transfer(int(source), int(progress["at_node"][stage]), share) for source in sources]


def _answers(task: Any, progress: Any, now_ms: float) -> list[Transfer]:
    share = _share(progress["done_ms"], progress["born_ms"] + progress["latency_ms"], now_ms)
    leaves = [stage for stage in range(task["stages"]) if task["leaves"] >> stage & 1]
    return [Transfer(int(progress["at_node"][leaf]), int(task["user_node"]), share) for leaf in leaves]


def _share(left_ms: float, there_ms: float, now_ms: float) -> float:
    return float((now_ms - left_ms) / (there_ms - left_ms)) if there_ms > left_ms else 1.0


def _window(simulation: Simulation) -> NDArray[Any]:
    """The records of the window's tasks."""
    return simulation.state.progress[: simulation.state.cursor[COUNT]]


@compiled
def late_shares(nodes: int, seed: int, chance: float, slots: int) -> NDArray[np.float64]:
    """Share of the ways between two nodes that are late in each slot, (slots,)."""
    shares = np.zeros(slots)
    for slot in range(slots if chance > 0.0 else 0):
        late = 0
        for source in range(nodes):
            for target in range(nodes):
                late += is_late(seed, nodes, source, target, slot, chance)
        shares[slot] = late / max(nodes * (nodes - 1), 1)
    return shares
