"""One episode at a time over a region's arrays: what every face of the Route track holds and calls.

Compiled code is given one number, the address of a list of sizes and of the arrays' addresses (`pack`), and sees the
arrays through it (`unpack`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, MAX_STAGES, WINDOW_TASKS
from edgebench.sim.compiled import compiled, part
from edgebench.sim.episodes import windows_of
from edgebench.sim.tables import Bundle, Field, bundle_maker
from edgebench.sim.topology import INSTANCE, NODE, PATH, TRAITS, TRAP_LINK, WAYS, Topology, words_of
from edgebench.sim.traps import MONITOR
from edgebench.tracks.route.features import F, L, T
from edgebench.tracks.route.observe import PLACES, WORK, Observation, Scratch, new_observations, new_scratch, observe
from edgebench.tracks.route.physics import start, step
from edgebench.tracks.route.rules import RULES
from edgebench.tracks.route.state import (
    CURSOR,
    INPUT,
    OBJECTIVES,
    OUTAGE,
    PROGRESS,
    SERVER,
    TASK,
    State,
    Tasks,
    new_states,
)

_NODES, _INSTANCES, _TRAPS, _TYPES, _TASKS, _WORDS, _TRAP_WORDS, _COLUMNS, _LOOKED_AT = "NMCETWVKQ"
_SIZES: Final = (_NODES, _INSTANCES, _TRAPS, _TYPES, _TASKS, _WORDS, _TRAP_WORDS, _COLUMNS, _LOOKED_AT)
_OF_TOPOLOGY: Final = {
    "node": Field(NODE, (_NODES,)),
    "path": Field(PATH, (_NODES, _NODES)),
    "place": Field("u2", (_NODES, _NODES)),
    "span": Field("u2", (_NODES, _TRAPS, 2)),
    "instance": Field(INSTANCE, (_INSTANCES,)),
    "instance_type": Field("i1", (_INSTANCES,)),
    "instance_node": Field("i4", (_INSTANCES,)),
    "trap": Field(TRAP_LINK, (_TRAPS,)),
    "on_node": Field("i4", (_INSTANCES,)),
    "candidates": Field("i4", (_NODES, _TYPES, CANDIDATES)),
    "host": Field("i4", (_NODES, _TYPES, CANDIDATES)),
    "way": Field("f8", (_NODES, _TYPES, WAYS, CANDIDATES)),
    "trap_bits": Field("u8", (_NODES, _TYPES, _TRAP_WORDS, CANDIDATES)),
    "offer": Field("f4", (_NODES, _TYPES, TRAITS, CANDIDATES)),
    "every": Field("f4", (TRAITS, _INSTANCES)),
    "onward_ms": Field("f8", (_NODES, _TYPES)),
    "kind": Field("i1", (_TYPES,)),
}
_OF_TASKS: Final = {"tasks": Field(TASK, (_TASKS,))}
_OF_STATE: Final = {
    "cursor": Field("i8", (CURSOR,)),
    "inputs": Field(INPUT, (MAX_STAGES,)),
    "ready_ms": Field("f8", (WINDOW_TASKS,)),
    "progress": Field(PROGRESS, (WINDOW_TASKS,)),
    "server": Field(SERVER, (_NODES,)),
    "busy_ms": Field("f8", (_NODES,)),
    "resident": Field("u8", (_WORDS,)),
    "used_ms": Field("f8", (_INSTANCES,)),
    "monitor": Field(MONITOR, (_TRAPS,)),
    "listed": Field("i4", (_TRAPS,)),
    "outage": Field(OUTAGE, (_NODES,)),
    "earned": Field("f8", (OBJECTIVES,)),
    "rules": Field(RULES, (1,)),
}
_OF_OBSERVATION: Final = {
    "candidates": Field("f4", (F, _COLUMNS)),
    "task": Field("f4", (T,)),
    "action_mask": Field("i1", (_COLUMNS,)),
    "instances": Field("i4", (_COLUMNS,)),
    "place": Field("i8", (PLACES,)),
    "labels": Field("f4", (L, _COLUMNS)),
}
_OF_SCRATCH: Final = {
    "by_node": Field("f4", (F, _NODES)),
    "nodes": Field("i4", (_LOOKED_AT,)),
    "place": Field("i4", (_LOOKED_AT,)),
    "work": Field("f8", (WORK, _LOOKED_AT)),
}

GO_ON: Final = -1
"""In place of a window: no episode begins."""


class Simulation:
    """A region's topology and tasks with the state of one episode and the observation of its next decision.

    Args:
        topology: Static arrays, shared between simulations.
        tasks: The tasks of a split, shared between simulations.
        rules: What it goes by (`edgebench.tracks.route.rules.make_rules`).

    Attributes:
        state: What changes; read it, never write it.
        seen: The observation, overwritten by the next call.
        address: All of it for compiled callers (`unpack`); valid as long as the simulation lives.
    """

    def __init__(self, topology: Topology, tasks: Tasks, rules: NDArray[Any]) -> None:
        self.topology, self.tasks = topology, tasks
        (self.state,) = new_states(topology, rules, 1)
        self.seen = Observation(*(part[0] for part in new_observations(topology, rules, 1)))
        self._scratch = new_scratch(topology, rules)
        self._pack()

    def _pack(self) -> None:
        self._packed = pack(self.topology, self.tasks, self.state, self.seen, self._scratch)
        self.address = self._packed.ctypes.data

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_packed", "address")}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept)
        self._pack()

    @property
    def windows(self) -> int:
        """Episodes' worth of tasks in the split."""
        return int(windows_of(self.tasks.size))

    @property
    def over(self) -> bool:
        """Whether every task of the window has ended."""
        return bool(self.seen.place[1] < 0)

    def start(self, window: int, seed: int) -> None:
        """Begin the episode of `window` (0 … windows-1) under scenario `seed`; ValueError for another window."""
        if not 0 <= window < self.windows:
            raise ValueError(f"no window {window}")
        play(self.address, window, seed, 0)

    def step(self, action: int) -> float:
        """Send the stage whose turn it is to candidate `action`; returns the reward (`physics.step`).

        Raises:
            ValueError: The episode is over.
        """
        if self.over:
            raise ValueError("the episode is over")
        return play(self.address, GO_ON, 0, action)


def pack(topology: Topology, tasks: Tasks, state: State, seen: Observation, scratch: Scratch) -> NDArray[np.int64]:
    """Sizes, then the address of every array in the order of the layouts above."""
    sizes = (
        topology.node.size,
        topology.instance.size,
        topology.trap.size,
        topology.kind.size,
        tasks.size,
        words_of(topology.instance.size),
        words_of(topology.trap.size),
        seen.action_mask.size,
        scratch.nodes.size,
    )
    arrays = (*topology, tasks, *state, *seen, *scratch)
    if not all(array.flags.c_contiguous for array in arrays):
        raise ValueError("the simulator's arrays must be contiguous")
    return np.array([*sizes, *(array.ctypes.data for array in arrays)], np.int64)


_LAYOUTS: Final = (_OF_TOPOLOGY, _OF_TASKS, _OF_STATE, _OF_OBSERVATION, _OF_SCRATCH)
_PLACES: Final = {
    (layout, field): place
    for place, (layout, field) in enumerate(
        ((layout, field) for layout, fields in enumerate(_LAYOUTS) for field in fields), start=len(_SIZES)
    )
}
WORDS: Final = len(_SIZES) + len(_PLACES)
"""Of the list that `pack` makes."""
_see_topology, _see_tasks, _see_state, _see_observation, _see_scratch = (
    bundle_maker(
        Bundle(
            name,
            {size: place for place, size in enumerate(_SIZES)},
            _LAYOUTS[layout],
            {field: _PLACES[layout, field] for field in _LAYOUTS[layout]},
        )
    )
    for layout, name in enumerate(("Topology", "Tasks", "State", "Observation", "Scratch"))
)


@part
def unpack(address: int) -> tuple[Topology, Tasks, State, Observation, Scratch]:
    """The arrays of a simulation as tables (`edgebench.sim.tables`); in compiled code."""
    return (
        _see_topology(address),
        _see_tasks(address).tasks,
        _see_state(address),
        _see_observation(address),
        _see_scratch(address),
    )


@compiled
def play(address: int, window: int, seed: int, action: int) -> float:
    """Begin the episode of `window` under `seed`, or where `window` is `GO_ON` take `action`; then observe.

    One function for both, since all of the physics is compiled into it.

    Returns:
        The reward of a step, 0 of a beginning.
    """
    topology, tasks, state, seen, scratch = unpack(address)
    reward = 0.0
    if window == GO_ON:
        reward = step(topology, tasks, state, action)
    else:
        start(topology, tasks, state, window, seed)
    observe(topology, tasks, state, seen, scratch)
    return reward
