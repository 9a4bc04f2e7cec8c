"""What changes during an episode, and the tasks it is about."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench import constants
from edgebench.sim.topology import Topology, words_of
from edgebench.sim.traps import MONITOR

PROPAGATION, TRANSMISSION, TRAP, QUEUEING, LOADING, SERVICE = range(6)
"""Columns of `PROGRESS["parts_ms"]`."""
PARTS: Final = 6
RUNNING, DONE, LATE, INVALID, DOWN = range(5)
"""Values of `PROGRESS["outcome"]`: in flight, answered in time, failed by lateness, by an invalid action, by a node."""
UTILITY, QUALITY, SPEED, THRIFT = range(4)
"""Entries of what is earned: the utility, and the three objectives it weighs."""
OBJECTIVES: Final = 4

TASK: Final = np.dtype(
    [
        ("arrival_ms", "f8"),  # from the start of the split
        ("deadline_ms", "f8"),
        ("quality_weight", "f8"),
        ("speed_weight", "f8"),
        ("prompt_mb", "f8"),  # what the user sends to every stage without parents
        ("answer_mb", "f8"),  # the largest output that goes back to the user
        ("user_node", "i8"),  # the node nearest the user
        ("stages", "i8"),  # length of the workflow
        ("stage_type", "i1", (constants.MAX_STAGES,)),  # -1 beyond the last stage
        ("tokens", "f8", (constants.MAX_STAGES,)),
        ("output_mb", "f8", (constants.MAX_STAGES,)),  # what the stage yields
        ("payload_mb", "f8", (constants.MAX_STAGES,)),  # sent to the stage in all
        ("parents", "i8", (constants.MAX_STAGES,)),  # bit k: the stage needs what stage k yields
        ("children", "i8", (constants.MAX_STAGES,)),  # bit k: stage k needs what the stage yields
        ("leaves", "i8"),  # bits of the stages without children, whose outputs are the answers
    ],
    align=True,
)
PROGRESS: Final = np.dtype(
    [
        ("ready_ms", "f8"),  # when the task's next event is due, inf once it ended
        ("stage", "i8"),  # the stage it is about; the length of the workflow where the answers are to leave
        ("row", "i8"),  # of the task in the split
        ("born_ms", "f8"),  # when the task arrives
        ("quality_sum", "f8"),
        ("cost_usd", "f8"),
        ("earned", "f8", (OBJECTIVES,)),  # what the task has earned so far
        ("latency_ms", "f8"),  # arrival to answer, two deadlines where it failed
        ("utility", "f8"),
        ("done_ms", "f8"),  # when the last of the stages that have run is done
        ("parts_ms", "f8", (PARTS,)),
        ("due_ms", "f8", (constants.MAX_STAGES,)),  # a stage's next event; once it has run, when it was done
        ("sent_to", "i4", (constants.MAX_STAGES,)),  # instance chosen for a stage, -1 before
        ("at_node", "i4", (constants.MAX_STAGES,)),  # where a stage is decided, then where it runs
        ("waiting", "i8"),  # bits of the stages with an event due: to be decided or on their way
        ("ran", "i8"),  # bits of the stages that have run
        ("doomed", "i8"),  # bits of the stages whose node fails before they are done; due when it does
        ("undecided", "i8"),  # bits of the stages no instance is chosen for
        ("stages_run", "i8"),  # how many
        ("trap_hits", "i8"),  # bad trap links crossed
        ("outcome", "i8"),
    ],
    align=True,
)
FIRST, COUNT, TURN, INPUTS, ARRIVED, ENDED, OLDEST, SEED, LISTED = range(9)
"""Entries of `State.cursor`."""
CURSOR: Final = 9
INPUT: Final = np.dtype([("node", "i8"), ("megabytes", "f8")], align=True)
SERVER: Final = np.dtype(
    [
        ("free_ms", "f8"),  # when the node's queue is empty
        ("seen_free_ms", "f8"),  # free_ms as last published
        ("seen_period", "i8"),  # telemetry period in which free_ms last changed
        ("stored_gb", "f8"),  # memory of resident models
    ],
    align=True,
)
OUTAGE: Final = np.dtype(
    [
        ("slot", "i4"),  # up to which the node was looked at, -1 before the first look
        ("is_down", "i1"),  # whether it was down then
        ("seen_down", "i1"),  # whether it was when telemetry was last published
    ],
    align=True,
)

_LINE: Final = 64
"""Bytes that a processor fetches at once."""

Tasks = NDArray[Any]
"""The tasks of one split in order of arrival, (T,) of `TASK`."""


class State(NamedTuple):
    """An episode in progress: W tasks of the window, N nodes, M instances, C trap links; times from its start."""

    cursor: NDArray[np.int64]  # (CURSOR,) first task of the window, tasks in it, task whose turn it is (-1: over),
    # inputs of its stage; tasks that have arrived, that have ended, and the first that has not ended; the scenario's
    # seed; trap links of which something was measured
    inputs: NDArray[Any]  # (stages,) of INPUT: what the stage whose turn it is must be sent, and from where
    ready_ms: NDArray[np.float64]  # (W,) that of `progress` once more, side by side for the search of the next event
    progress: NDArray[Any]  # (W,) of PROGRESS
    server: NDArray[Any]  # (N,) of SERVER
    busy_ms: NDArray[np.float64]  # (N,) loading and service given
    resident: NDArray[np.uint64]  # (M / 64,) bit m: the model is in its node's memory
    used_ms: NDArray[np.float64]  # (M,) until when a resident model was last used
    monitor: NDArray[Any]  # (C,) of MONITOR
    listed: NDArray[np.int32]  # (C,) trap links of which something was measured, in the order of their first time
    outage: NDArray[Any]  # (N,) of OUTAGE
    earned: NDArray[np.float64]  # (OBJECTIVES,) of the last step
    rules: NDArray[Any]  # (1,) of RULES


def new_states(topology: Topology, rules: NDArray[Any], count: int) -> list[State]:
    """Allocate states side by side: what belongs together shares pages, so that few of them are ever looked up.

    `edgebench.tracks.route.physics.start` fills them; `rules` is shared.
    """
    traps, tasks, nodes = topology.trap.size, constants.WINDOW_TASKS, topology.node.size
    fields: list[tuple[Any, tuple[int, ...]]] = [
        (np.int64, (CURSOR,)),
        (INPUT, (constants.MAX_STAGES,)),
        (np.float64, (tasks,)),
        (PROGRESS, (tasks,)),
        (SERVER, (nodes,)),
        (np.float64, (nodes,)),
        (np.uint64, (words_of(topology.instance.size),)),
        (np.float64, (topology.instance.size,)),
        (MONITOR, (traps,)),
        (np.int32, (traps,)),
        (OUTAGE, (nodes,)),
        (np.float64, (OBJECTIVES,)),
    ]
    sizes = [np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in fields]
    ends = np.cumsum([-(-size // _LINE) * _LINE for size in sizes])
    block = np.zeros((count, int(ends[-1])), np.uint8)
    begins = [0, *ends[:-1].tolist()]
    return [
        State(
            *(
                *(
                    row[begin : begin + size].view(dtype).reshape(shape)
                    for begin, size, (dtype, shape) in zip(begins, sizes, fields, strict=True)
                ),
                rules,
            )
        )
        for row in block
    ]
