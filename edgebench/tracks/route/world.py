"""Route as a world to learn in: the batch that the vector environment steps, and what learning sees of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, WINDOW_TASKS
from edgebench.learning.seen import Form, Ground, Seen, ground_of
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.sim.topology import public_topology
from edgebench.tracks.route.batch import Batch
from edgebench.tracks.route.continuation import Continuation
from edgebench.tracks.route.env import route_rules
from edgebench.tracks.route.features import TASK
from edgebench.tracks.route.sight import CONTEXT, LABELLED, LOAD, ROWS, SO_FAR, see, see_labels

FORM: Final = Form(
    rows=ROWS,
    context=(*CONTEXT, *LOAD),
    prior="expected_utility",
    load=(*SO_FAR, *LOAD),
    objectives=("quality", "speed", "thrift"),
)
_TASK, _ROW, _STAGE = 1, 0, 2
"""Columns of `edgebench.tracks.route.observe.Observation.place`."""


def form_of(*, privileged: bool) -> Form:
    """What decisions are made of, with `edgebench.tracks.route.sight.LABELLED` in every row or without."""
    return replace(FORM, rows=(*ROWS, *LABELLED)) if privileged else FORM


class RouteWorld:
    """Episodes of `edgebench.tracks.route.env.RouteEnv`; a stream is a task.

    Args:
        regions: Whose episodes.
        scenario: How the network behaves.
        split: Whose tasks.
        each: Episodes at once of every region.
        privileged: Whether rows end with `edgebench.tracks.route.sight.LABELLED`, which no operator can know; what
            rests on them is marked.

    Raises:
        EdgeBenchError: Unknown scenario or split.
    """

    streams: Final = WINDOW_TASKS

    def __init__(
        self,
        regions: Sequence[Region],
        *,
        scenario: str,
        split: str,
        each: int,
        privileged: bool = False,
    ) -> None:
        self.form = form_of(privileged=privileged)
        rules = route_rules(find_scenario(scenario), view="candidates", privileged=privileged)
        self._parts = [_Part(region, rules, split, each) for region in regions]
        self.grounds: tuple[Ground, ...] = tuple(ground_of(region.name, region.public()) for region in regions)
        self.count, self._each = len(regions) * each, each
        self._rows = np.zeros((self.count, CANDIDATES, len(self.form.rows)), np.float32)
        self._context = np.zeros((self.count, len(FORM.context)), np.float32)
        self._live = np.zeros(self.count, np.bool_)
        self._earned = np.zeros(self.count)

    def begin(self, episodes: Sequence[tuple[int, int]], *, credited: bool = True) -> None:
        """See `edgebench.learning.world.World`."""
        for part in self._parts:
            for row, episode in enumerate(episodes):
                part.batch.begin(row, *episode)
        self._live[:], self._earned[:] = True, 0.0

    def seen(self) -> Seen:
        """See `edgebench.learning.world.World`."""
        for number, part in enumerate(self._parts):
            here = slice(number * self._each, (number + 1) * self._each)
            part.see(self._rows[here], self._context[here])
            if len(self.form.rows) > len(ROWS):
                see_labels(part.batch.seen.labels, part.batch.seen.task, self._rows[here])
        live = np.flatnonzero(self._live)
        places = np.concatenate([part.batch.seen.place for part in self._parts])[live]
        return Seen(
            self._rows[live],
            self._context[live],
            np.concatenate([part.batch.seen.action_mask for part in self._parts])[live] > 0,
            np.zeros((live.size, 0), np.float32),
            np.concatenate([part.nodes() for part in self._parts])[live],
            live // self._each,
            live,
            places[:, _TASK],
        )

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """See `edgebench.learning.world.World`."""
        every = np.zeros(self.count, np.int64)
        live = np.flatnonzero(self._live)
        every[live] = actions
        for number, part in enumerate(self._parts):
            part.batch.step(every[number * self._each : (number + 1) * self._each])
        earned = np.concatenate([part.batch.earned for part in self._parts])[live]
        self._earned[live] += earned[:, 0]
        self._live[live] = ~np.concatenate([part.batch.over for part in self._parts])[live]
        return earned

    def scores(self) -> NDArray[np.float64]:
        """Mean utility of a task: an episode's rewards sum to the utilities of its tasks."""
        return self._earned / WINDOW_TASKS


class _Part:
    """Episodes of one region."""

    def __init__(self, region: Region, rules: NDArray[Any], split: str, count: int) -> None:
        topology, tasks = region.topology(), region.task_arrays(split)
        self.batch = Batch(topology, tasks, rules, count)
        self._node = topology.instance["node"].astype(np.int32)
        self._rest = rest_of_tasks(Continuation(topology), tasks, topology.node.size)

    def nodes(self) -> NDArray[np.int32]:
        """The candidates' nodes, -1 beyond the last, (count, K)."""
        instances = self.batch.seen.instances
        return np.where(instances >= 0, self._node[instances], np.int32(-1))

    def see(self, rows: NDArray[np.float32], context: NDArray[np.float32]) -> None:
        """Write what learning sees of every episode."""
        seen = self.batch.seen
        task, stage = np.maximum(seen.place[:, (_ROW, _STAGE)], 0).T
        rest = self._rest[task[:, None], stage[:, None] + 1, self._node[seen.instances]]
        see(seen.candidates, seen.task, seen.action_mask, rest, rows, context)


def rest_of_tasks(continuation: Continuation, tasks: NDArray[Any], nodes: int) -> NDArray[np.float32]:
    """What the rest of every task can add, (tasks, stages + 1, N): `Continuation.values` of each."""
    rest = np.zeros((tasks.size, int(tasks["stages"].max()) + 1, nodes), np.float32)
    for row, task in enumerate(tasks):
        rest[row, : task["stages"] + 1] = continuation.of_task(task, task["quality_weight"], task["speed_weight"])
    return rest


class Sight:
    """What a policy is shown of `edgebench.tracks.route.env.RouteEnv`, as `RouteWorld` shows it.

    Args:
        public: What is public of the region (`edgebench.region.Region.public`).
        privileged: As of `RouteWorld`; the environment has to show labels.
    """

    def __init__(self, public: dict[str, NDArray[Any]], *, privileged: bool = False) -> None:
        self.form = form_of(privileged=privileged)
        topology = public_topology(public)
        self._node, self._continuation = topology.instance["node"].astype(np.int32), Continuation(topology)
        self._rest: dict[int, NDArray[np.float64]] = {}

    def begin(self, info: dict[str, Any]) -> None:
        """Begin an episode."""
        self._rest.clear()

    def decide(self, observation: dict[str, Any], info: dict[str, Any], decide: Callable[[Seen], NDArray[Any]]) -> int:
        """The candidate that is chosen."""
        mask, instances = observation["action_mask"], info["instances"]
        rows = np.zeros((1, mask.size, len(self.form.rows)), np.float32)
        context, node = np.zeros((1, len(FORM.context)), np.float32), self._node[instances]
        rest = self._rest_of(observation["task"], info)[info["stage"] + 1][node].astype(np.float32)
        see(observation["candidates"][None], observation["task"][None], mask[None], rest[None], rows, context)
        if len(self.form.rows) > len(ROWS):
            see_labels(observation["labels"][None], observation["task"][None], rows)
        nodes = np.where(instances >= 0, node, np.int32(-1))[None]
        of = np.array([info["task"]], np.int64)
        nothing, first = np.zeros((1, 0), np.float32), np.zeros(1, np.int64)
        return int(decide(Seen(rows, context, mask[None] > 0, nothing, nodes, first, first, of))[0])

    def _rest_of(self, task: NDArray[np.float32], info: dict[str, Any]) -> NDArray[np.float64]:
        """What the rest of the task can add, (S + 1, N): of every task worked out once."""
        if info["task"] not in self._rest:
            told = (float(task[TASK[name]]) for name in ("quality_weight", "speed_weight", "deadline_s"))
            self._rest[info["task"]] = self._continuation.values(info, *told)
        return self._rest[info["task"]]
