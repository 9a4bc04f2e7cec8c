"""Offload as a world to learn in: every node of every episode splits its requests in every slot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.learning.seen import SHARES, Form, Ground, Seen, ground_of, nothing_due
from edgebench.learning.sight import Decide
from edgebench.learning.summary import summaries, summary_names
from edgebench.region import Region
from edgebench.registry import scenario as find_scenario
from edgebench.sim.conditions import find_neighbours
from edgebench.tracks.offload.constants import SLOTS
from edgebench.tracks.offload.network import links_of
from edgebench.tracks.offload.sight import CONTEXT, ROWS, see
from edgebench.tracks.offload.simulation import Simulation
from edgebench.tracks.offload.state import LOCAL, C

FORM: Final = Form(
    rows=ROWS,
    context=CONTEXT,
    action=SHARES,
    prior="fair",
    whole=summary_names(CONTEXT),
    truncated=True,
    nodes_decide=True,
)


class OffloadWorld:
    """Episodes of both faces, in which nodes see and do the same; a stream is a node, and its reward its own users'.

    The worth of what has ended, had it been done on time, is taken off each reward: it does not depend on what anyone
    does and would drown in noise what does. Over an episode it comes to `SLOTS` for all nodes together, so the rewards
    of an episode sum to those of the environment less `SLOTS`.

    Args:
        regions: Whose episodes.
        scenario: How network and load behave.
        split: Whose users.
        each: Episodes at once of every region.

    Raises:
        EdgeBenchError: Unknown scenario or split.
    """

    form: Final = FORM

    def __init__(self, regions: Sequence[Region], *, scenario: str, split: str, each: int) -> None:
        self.count, self._each = len(regions) * each, each
        self.grounds: tuple[Ground, ...] = tuple(ground_of(region.name, region.public()) for region in regions)
        self._plays = [Simulation(region, find_scenario(scenario), split) for region in regions for _ in range(each)]
        nodes = np.array([play.nodes for play in self._plays])
        self._nodes, self.streams = nodes, int(nodes.max())
        self._episode = np.repeat(np.arange(self.count), nodes)
        self._stream = np.concatenate([np.arange(each) for each in nodes])
        self._rows_of = np.concatenate([rows_of(play.network.link["neighbour"]) for play in self._plays])
        self._slot, self._earned, self._ended = SLOTS, np.zeros(self.count), np.zeros(nodes.sum())

    def begin(self, episodes: Sequence[tuple[int, int]], *, credited: bool = True) -> None:
        """See `edgebench.learning.world.World`."""
        for number, play in enumerate(self._plays):
            play.start(*episodes[number % self._each])
        self._slot = 0
        self._earned[:], self._ended[:] = 0.0, 0.0

    def seen(self) -> Seen:
        """See `edgebench.learning.world.World`."""
        if self._slot == SLOTS:
            return nothing_due(self.form)
        parts = [play.seen for play in self._plays]
        return seen_of(
            np.concatenate([part.nodes for part in parts]),
            np.concatenate([part.neighbours for part in parts]),
            np.concatenate([part.action_mask for part in parts]),
            self._rows_of,
            self._nodes,
        )._replace(ground=self._episode // self._each, episode=self._episode, stream=self._stream)

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """See `edgebench.learning.world.World`."""
        shares = np.ascontiguousarray(actions, np.float32)
        ends = np.cumsum(self._nodes)
        for number, (play, end) in enumerate(zip(self._plays, ends, strict=True)):
            self._earned[number] += play.step(shares[end - play.nodes : end])
        self._slot += 1
        ended, before = np.concatenate([_ended(play) for play in self._plays]), self._ended
        self._ended = ended
        own: NDArray[np.float64] = np.concatenate([play.own_rewards() for play in self._plays])
        brought: NDArray[np.float64] = own - (ended - before)
        return brought[:, None]

    def scores(self) -> NDArray[np.float64]:
        """The value: an episode's rewards sum to it for every slot."""
        return np.asarray(self._earned / SLOTS)


def _ended(play: Simulation) -> NDArray[np.float64]:
    """Worth of all that has ended of each node's own users, had it been done on time, in units of rewards, (N,)."""
    assert play.episode is not None
    return np.asarray(play.state.node["tally"].sum(axis=1) * SLOTS / max(float(play.episode.total_work[0]), 1.0))


class Sight:
    """What learning sees of an observation of `edgebench.tracks.offload.env.OffloadEnv`, all nodes of it.

    Args:
        public: Of the region (`edgebench.region.Region.public`).
    """

    form: Final = FORM

    def __init__(self, public: dict[str, NDArray[Any]]) -> None:
        columns = ("src", "dst", "latency_ms", "bandwidth_mbps")
        src, dst, latency_ms, bandwidth_mbps = (np.asarray(public[f"links.{name}"]) for name in columns)
        no_trap = np.zeros(src.size, np.bool_)
        near = find_neighbours(len(public["nodes.node_id"]), src, dst, latency_ms, bandwidth_mbps, no_trap)
        self._rows_of = rows_of(links_of(near)["neighbour"])

    def begin(self, info: dict[str, Any]) -> None:
        """Begin an episode; nothing of it has to be remembered."""

    def decide(self, observation: dict[str, Any], info: dict[str, Any], decide: Decide) -> NDArray[np.float32]:
        """Shares of every node, (N, C)."""
        return np.asarray(decide(self.seen(observation)), np.float32)

    def seen(self, observation: dict[str, Any]) -> Seen:
        """The nodes' decisions, as the world shows them."""
        nodes, near, mask = (observation[name] for name in ("nodes", "neighbours", "action_mask"))
        return seen_of(nodes, near, mask, self._rows_of, np.array([len(self._rows_of)]))


def rows_of(neighbour: NDArray[np.int64]) -> NDArray[np.int32]:
    """The node that each row of a node's decision stands for, (N, C), from those of its links, (N, D)."""
    nodes = np.full((len(neighbour), C), -1, np.int32)
    nodes[:, LOCAL], nodes[:, 1:-1] = np.arange(len(neighbour)), neighbour
    return nodes


def seen_of(
    nodes: NDArray[np.float32],
    neighbours: NDArray[np.float32],
    mask: NDArray[np.int8],
    rows_of_nodes: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> Seen:
    """Decisions of nodes, those of an episode one behind the other.

    Args:
        nodes: Of the observations, (n, F).
        neighbours: Of the observations, (n, D, G).
        mask: Of the observations, (n, C).
        rows_of_nodes: As `rows_of` gives them, (n, C).
        counts: Nodes of each episode, (episodes,), summing to n.
    """
    rows, context = see(nodes, neighbours, mask)
    episode = np.repeat(np.arange(counts.size), counts)
    stream = np.arange(len(nodes)) - np.repeat(np.cumsum(counts) - counts, counts)
    ground = np.zeros(len(nodes), np.int64)
    return Seen(rows, context, mask > 0, summaries(context, counts), rows_of_nodes, ground, episode, stream)
