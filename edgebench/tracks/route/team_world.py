"""Route's gateways as a world to learn in: what is due at each of them, and what each has heard of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, WINDOW_TASKS
from edgebench.learning.seen import Form, Ground, Seen, ground_of
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.tracks.route.continuation import Continuation
from edgebench.tracks.route.features import F, T
from edgebench.tracks.route.gateway_features import AGE, GATEWAY_FEATURES, HEARD, QUEUE, TOLD
from edgebench.tracks.route.parallel import RouteParallelEnv
from edgebench.tracks.route.sight import CONTEXT, LOAD, ROWS, SO_FAR, see
from edgebench.tracks.route.team import Decision, Heard, known_rows
from edgebench.tracks.route.world import rest_of_tasks

_TELLS: Final = tuple(feature.name for feature in GATEWAY_FEATURES[:TOLD])
KNOWN: Final = (
    *(f"own_{name}" for name in _TELLS),
    *(f"{how}_{name}" for how in ("mean", "most") for name in (*_TELLS, "age_s")),
    "heard",
)
"""What a gateway knows of clusters: its own row, mean and most of the others' that it has heard, the share of those it
has heard. Times are logarithms of one more."""
WHOLE: Final = tuple(f"{how}_{name}" for how in ("mean", "most") for name in _TELLS)
"""Mean and most of all gateways' rows as they are."""
_CANDIDATES: Final = ((F, CANDIDATES), np.float32)
_TASK: Final = ((T,), np.float32)
_SINGLE: Final = len(CONTEXT) + len(LOAD)
Floats = NDArray[np.float32]


def team_form(messages: int) -> Form:
    """The form of decisions that go with so many numbers in a message.

    The context begins with that of one who decides alone and ends with the message that has been received.
    """
    received = tuple(f"message_{place}" for place in range(messages))
    return Form(
        rows=ROWS,
        context=(*CONTEXT, *LOAD, *KNOWN, *received),
        prior="expected_utility",
        load=(*SO_FAR, *LOAD, *KNOWN, *received),
        whole=WHOLE,
        messages=messages,
    )


class RouteTeamWorld:
    """Episodes of `edgebench.tracks.route.parallel.RouteParallelEnv`; a stream is a task.

    A step is a round: all gateways with a decision due take one. Each is credited with its share of what all tasks have
    earned in the round, one over the decisions in it.

    With `messages` of M above 0, actions are (D, 1 + M): the index of a row, and a message from -1 to 1 that leaves
    with it. What a gateway has received is the mean of the messages that have arrived from the others, weighted by how
    close they are (1 / (1 + latency over the mean latency between gateways)); it is the end of the context, 0 before
    the first. A gateway with nothing due sends what it sent last. A policy that sends has to draw both parts and take
    both into account in the chance of its action; one with an encoder of its own may send parts of what it has made of
    its rows.

    Args:
        regions: Whose episodes.
        scenario: How the network behaves.
        split: Whose tasks.
        each: Episodes at once of every region.
        gateways: G.
        clusters: How nodes are shared out among them.
        tick_ms: From one dispatch tick to the next.
        observe: `local` or `global`, what a gateway sees of the others.
        messages: M.

    Raises:
        EdgeBenchError: Unknown scenario, split, clusters or mode, or a number out of its range.
    """

    streams: Final = WINDOW_TASKS

    def __init__(
        self, regions: Sequence[Region], *, scenario: str, split: str, each: int, gateways: int = 4,
        clusters: str = "kmeans", tick_ms: float = 100.0, observe: str = "local", messages: int = 0,
    ) -> None:  # fmt: skip
        find_scenario(scenario)
        face: dict[str, Any] = {
            "scenario": scenario,
            "split": split,
            "gateways": gateways,
            "clusters": clusters,
            "tick_ms": tick_ms,
        }
        self._tables = [
            _Table(region, observe=observe, messages=messages, **face) for region in regions for _ in range(each)
        ]
        for number, region in enumerate(regions):
            self._tables[number * each].find_rest(region.task_arrays(split))
            for table in self._tables[number * each + 1 : (number + 1) * each]:
                table.rest = self._tables[number * each].rest
        self.form = team_form(messages)
        self.grounds: tuple[Ground, ...] = tuple(ground_of(region.name, region.public()) for region in regions)
        self.count, self._each = len(self._tables), each
        self._earned = np.zeros(self.count)

    def begin(self, episodes: Sequence[tuple[int, int]], *, credited: bool = True) -> None:
        """See `edgebench.learning.world.World`."""
        for number, table in enumerate(self._tables):
            table.start(episodes[number % self._each])
        self._earned[:] = 0.0

    def seen(self) -> Seen:
        """See `edgebench.learning.world.World`."""
        due = [(number, gateway) for number, table in enumerate(self._tables) for gateway in table.due]
        episode = np.array([number for number, _ in due], np.int64)
        decisions = [self._tables[number].due[gateway] for number, gateway in due]
        rows = np.zeros((len(due), CANDIDATES, len(ROWS)), np.float32)
        context = np.zeros((len(due), len(self.form.context)), np.float32)
        whole, nodes = np.zeros((len(due), len(WHOLE)), np.float32), np.full((len(due), CANDIDATES), -1, np.int32)
        rest = np.zeros((len(due), CANDIDATES), np.float32)
        for place, ((number, _), decision) in enumerate(zip(due, decisions, strict=True)):
            nodes[place], rest[place] = self._tables[number].look_at(decision)
        if due:
            context[:, _SINGLE:], whole[:] = self._of_clusters(due)
        mask = _stacked(decisions, "action_mask", (CANDIDATES + 1,), np.int8)[:, :-1].copy()
        own = np.zeros((len(due), _SINGLE), np.float32)
        see(_stacked(decisions, "candidates", *_CANDIDATES), _stacked(decisions, "task", *_TASK), mask, rest, rows, own)
        context[:, :_SINGLE] = own
        stream = np.array([decision.number for decision in decisions], np.int64)
        return Seen(rows, context, mask > 0, whole, nodes, episode // self._each, episode, stream)

    def _of_clusters(self, due: Sequence[tuple[int, int]]) -> tuple[Floats, Floats]:
        """What gateways know of the others, (D, `KNOWN` and messages), and all rows as they are, (D, `WHOLE`)."""
        gateway = np.array([gateway for _, gateway in due], np.int64)
        heard = Heard(*map(np.stack, zip(*(self._tables[number].heard(at) for number, at in due), strict=True)))
        letters = map(np.stack, zip(*(self._tables[number].letters(at) for number, at in due), strict=True))
        told = [_known(gateway, known_rows(gateway, heard)), _received(*letters)]
        fresh = _scaled(heard.fresh)[..., :TOLD]
        return np.hstack(told), np.hstack([fresh.mean(axis=1), fresh.max(axis=1)])

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """See `edgebench.learning.world.World`."""
        parts = actions.reshape(len(actions), -1)
        given = zip(parts[:, 0].astype(np.int64).tolist(), np.clip(parts[:, 1:], -1.0, 1.0), strict=True)
        shares = []
        for number, table in enumerate(self._tables):
            if taken := len(table.due):
                reward = table.act(dict(zip(table.due, islice(given, taken), strict=True)))
                self._earned[number] += reward
                shares += [reward / taken] * taken
        return np.array(shares, np.float64)[:, None]

    def scores(self) -> NDArray[np.float64]:
        """Mean utility of a task: an episode's rewards sum to the utilities of its tasks."""
        return self._earned / WINDOW_TASKS


class _Table(RouteParallelEnv):
    """The gateways of one episode, without the dictionaries of a face.

    Attributes:
        rest: What the rest of every task can add, (tasks, stages + 1, N).
    """

    rest: Floats

    def find_rest(self, tasks: NDArray[Any]) -> None:
        """Work out `rest`; episodes of a region share it."""
        topology = self._simulation.topology
        self.rest = rest_of_tasks(Continuation(topology), tasks, topology.node.size)

    def start(self, episode: tuple[int, int]) -> None:
        """Begin the episode of a window and a scenario seed."""
        self._begin(None, dict(zip(("window", "seed"), episode, strict=True)))
        if not hasattr(self, "_near"):
            latency_ms = self._simulation.topology.path["latency_ms"][np.ix_(self.stands_on, self.stands_on)]
            self._near = 1.0 / (1.0 + latency_ms / max(float(latency_ms.mean()), 1e-9))
            np.fill_diagonal(self._near, 0.0)

    @property
    def due(self) -> Mapping[int, Decision]:
        """The decisions that are due, by gateway; none when the episode is over."""
        return self._decisions

    def look_at(self, decision: Decision) -> tuple[NDArray[np.int32], Floats]:
        """Nodes of the candidates, -1 beyond the last, and what the rest of the workflow can add from each, (K,)."""
        instances, topology = decision.info["instances"], self._simulation.topology
        nodes = topology.instance["node"][instances]
        row = self._simulation.state.progress["row"][decision.number]
        rest: Floats = self.rest[row, decision.info["stage"] + 1, nodes]
        return np.where(instances >= 0, nodes, -1).astype(np.int32), rest

    def heard(self, gateway: int) -> Heard:
        """By what a gateway knows the others."""
        return self._heard(gateway)

    def letters(self, gateway: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Messages that have arrived at a gateway, (G, M), and how close the senders are: 0 of itself and of none."""
        arrived = np.isfinite(self._mail.sent_ms[gateway])
        return self._mail.letters[gateway, :, TOLD:], self._near[gateway] * arrived

    def act(self, given: Mapping[int, tuple[int, NDArray[Any]]]) -> float:
        """Take the decisions that are due, of each gateway the row and the message; what all tasks earn meanwhile."""
        return self._act(given)


def _known(gateway: NDArray[np.int64], rows: Floats) -> Floats:
    """What gateways make of the rows that they know, (D, `KNOWN`)."""
    scaled, every = _scaled(rows)[..., : AGE + 1], np.arange(len(gateway))
    others = rows[..., HEARD] > 0.0
    others[every, gateway] = False
    count = others.sum(axis=1)
    told = np.where(others[..., None], scaled, 0.0)  # no feature is below 0, so what is not heard is never the most
    mean = told.sum(axis=1) / np.maximum(count, 1).astype(np.float32)[:, None]
    share = count / max(rows.shape[1] - 1, 1)
    return np.hstack([scaled[every, gateway, :TOLD], mean, told.max(axis=1), share[:, None]]).astype(np.float32)


def _received(words: Floats, near: NDArray[np.float64]) -> Floats:
    """Mean of the messages that have arrived from the others, the closer the more, (D, M)."""
    total: NDArray[np.float64] = (near[:, None] @ words)[:, 0] / np.maximum(near.sum(axis=1), 1e-9)[:, None]
    return total.astype(np.float32)


def _stacked(decisions: Sequence[Decision], name: str, shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    """A part of what is observed of decisions, (D, ...)."""
    if not decisions:
        return np.zeros((0, *shape), kind)
    return np.stack([decision.observed[name] for decision in decisions])


def _scaled(rows: Floats) -> Floats:
    """Rows of clusters with the logarithms of times."""
    scaled = rows.copy()
    for column in (QUEUE, AGE):
        scaled[..., column] = np.log1p(rows[..., column]) / 2.0
    return scaled
