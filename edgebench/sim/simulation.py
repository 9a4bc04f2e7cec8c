"""One episode at a time over a region's arrays: what every face of the Route track holds and calls.

A compiled call pays for each array it is given, so the arrays' addresses are packed into one (`pack`) and the arrays
are seen through them on the other side (`unpack`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import carray
from numba import types as numba_types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, MAX_STAGES, TRAP_SLOTS, WINDOW_TASKS
from edgebench.sim.compiled import compiled, part
from edgebench.sim.episodes import windows_of
from edgebench.sim.features import F, T
from edgebench.sim.observe import PLACES, Observation, new_observation, observe
from edgebench.sim.route import start as start_episode
from edgebench.sim.route import step as step_episode
from edgebench.sim.state import CURSOR, INPUT, MONITOR, PROGRESS, SERVER, TASK, State, Tasks, new_state
from edgebench.sim.tables import table_maker
from edgebench.sim.topology import INSTANCE, NODE, OFFER, PATH, TRAP_LINK, Topology

_NODES, _INSTANCES, _TRAPS, _TYPES, _TASKS = range(5)
_SIZES: Final = 5


class Simulation:
    """A region's topology and tasks with the state of one episode and the observation of its next decision.

    Args:
        topology: Static arrays, shared between simulations.
        tasks: The tasks of a split, shared between simulations.

    Attributes:
        state: What changes; read it, never write it.
        seen: The observation, overwritten by the next call.
        packed: All of it for compiled callers (`unpack`); valid as long as the simulation lives.
    """

    def __init__(self, topology: Topology, tasks: Tasks) -> None:
        self.topology, self.tasks = topology, tasks
        self.state, self.seen = new_state(topology), new_observation()
        self.packed = pack(topology, tasks, self.state, self.seen)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "packed"}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept)
        self.packed = pack(self.topology, self.tasks, self.state, self.seen)

    @property
    def windows(self) -> int:
        """Episodes' worth of tasks in the split."""
        return int(windows_of(self.tasks.size))

    @property
    def over(self) -> bool:
        """Whether every task of the window has ended."""
        return bool(self.seen.place[1] < 0)

    def start(self, window: int, seed: int, traps: bool) -> None:
        """Begin the episode of `window` (0 … windows-1) under scenario `seed`, with or without bad trap links."""
        start_packed(self.packed, window, seed, traps)

    def step(self, action: int) -> float:
        """Send the stage whose turn it is to candidate `action`; returns the reward (`edgebench.sim.route.step`)."""
        return step_packed(self.packed, action)


def pack(topology: Topology, tasks: Tasks, state: State, seen: Observation) -> NDArray[np.int64]:
    """Sizes, then the address of every array in the order in which `unpack` takes them."""
    sizes = (topology.node.size, topology.instance.size, topology.trap.size, topology.kind.size, tasks.size)
    arrays = (*topology, tasks, *state, *seen)
    if not all(array.flags.c_contiguous for array in arrays):
        raise ValueError("the simulator's arrays must be contiguous")
    return np.array([*sizes, *(array.ctypes.data for array in arrays)], np.int64)


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typing_context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return numba_types.voidptr(numba_types.int64), generate


_NODE, _PATH = table_maker("NODE", NODE, 1), table_maker("PATH", PATH, 2)
_INSTANCE, _OFFER = table_maker("INSTANCE", INSTANCE, 1), table_maker("OFFER", OFFER, 3)
_TRAP_LINK, _MONITOR = table_maker("TRAP_LINK", TRAP_LINK, 1), table_maker("MONITOR", MONITOR, 1)
_TASK, _PROGRESS = table_maker("TASK", TASK, 1), table_maker("PROGRESS", PROGRESS, 1)
_INPUT, _SERVER = table_maker("INPUT", INPUT, 1), table_maker("SERVER", SERVER, 1)
_I8, _F8, _F8_2 = table_maker("i8", "i8", 1), table_maker("f8", "f8", 1), table_maker("f8", "f8", 2)
_I1, _I1_2 = table_maker("i1", "i1", 1), table_maker("i1", "i1", 2)
_I4, _I4_3 = table_maker("i4", "i4", 1), table_maker("i4", "i4", 3)


@part
def unpack(packed: NDArray[np.int64]) -> tuple[Topology, Tasks, State, Observation]:
    """The arrays of a simulation as tables (`edgebench.sim.tables`), the observation as arrays; in compiled code."""
    nodes, instances, traps, types = packed[_NODES], packed[_INSTANCES], packed[_TRAPS], packed[_TYPES]
    at = packed[_SIZES:]
    topology = Topology(
        _NODE(at[0], (nodes,)),
        _PATH(at[1], (nodes, nodes)),
        _INSTANCE(at[2], (instances,)),
        _TRAP_LINK(at[3], (traps,)),
        _I4(at[4], (instances,)),
        _I4_3(at[5], (nodes, types, CANDIDATES)),
        _OFFER(at[6], (nodes, types, CANDIDATES)),
        _F8_2(at[7], (nodes, types)),
        _I1(at[8], (types,)),
    )
    tasks = _TASK(at[9], (packed[_TASKS],))
    state = State(
        _I8(at[10], (CURSOR,)),
        _INPUT(at[11], (MAX_STAGES,)),
        _F8(at[12], (WINDOW_TASKS,)),
        _PROGRESS(at[13], (WINDOW_TASKS,)),
        _SERVER(at[14], (nodes,)),
        _I1(at[15], (instances,)),
        _F8(at[16], (instances,)),
        _MONITOR(at[17], (traps,)),
        _F8_2(at[18], (traps, TRAP_SLOTS)),
        _I1_2(at[19], (traps, TRAP_SLOTS)),
    )
    seen = Observation(
        carray(_pointer(at[20]), (F, CANDIDATES), np.float32),
        carray(_pointer(at[21]), (T,), np.float32),
        carray(_pointer(at[22]), (CANDIDATES,), np.int8),
        carray(_pointer(at[23]), (CANDIDATES,), np.int32),
        carray(_pointer(at[24]), (PLACES,), np.int64),
    )
    return topology, tasks, state, seen


@compiled
def start_packed(packed: NDArray[np.int64], window: int, seed: int, traps: bool) -> None:
    """`Simulation.start` for compiled callers."""
    topology, tasks, state, seen = unpack(packed)
    start_episode(topology, tasks, state, window, seed, traps)
    observe(topology, tasks, state, seen)


@compiled
def step_packed(packed: NDArray[np.int64], action: int) -> float:
    """`Simulation.step` for compiled callers."""
    topology, tasks, state, seen = unpack(packed)
    reward = step_episode(topology, tasks, state, action)
    observe(topology, tasks, state, seen)
    return reward
