"""What arises in an episode of Place: deterministic in region, split, window, scenario and seed, draws by counter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.schema import SPLITS
from edgebench.sim.compiled import compiled
from edgebench.sim.conditions import draw_conditions
from edgebench.sim.counter import bits, uniform
from edgebench.sim.demand import crowd_factors, drift_factors, node_shares
from edgebench.sim.topology import Topology
from edgebench.tracks.place import streams
from edgebench.tracks.place.constants import DOMAINS, PROFILE_REQUESTS, REQUEST_ROWS, REQUESTS, SLOTS
from edgebench.tracks.place.state import Devices, Floats, History, World
from edgebench.tracks.place.tokens import Model, draw_domain, draw_model, draw_routes
from edgebench.tracks.place.trace_file import cut_log

_NODE = streams.REQUEST_NODE
_SEEDS = 2**62


class Generator:
    """Draws the episodes of a region's split under a scenario.

    Args:
        region: Where.
        topology: The region's.
        devices: The region's.
        scenario: Under which conditions.
        split: Whose demand; splits share no draw of tokens, and their users live at different nodes.
        log: Routes of a user's own model (`edgebench.tracks.place.trace_file`) in place of drawn ones, or None.
    """

    def __init__(
        self,
        region: Region,
        topology: Topology,
        devices: Devices,
        scenario: Scenario,
        split: str,
        log: NDArray[np.int16] | None = None,
    ) -> None:
        self._topology, self._devices, self._parameters = topology, devices, scenario.parameters()
        tasks = region.task_table(split)
        self._split, self._log = tuple(SPLITS).index(split), log
        nodes, east = topology.node.size, topology.node["east"]
        self.shares = node_shares(tasks["node_id"].to_numpy(), nodes)
        self._home = np.minimum((east * DOMAINS).astype(np.int64), DOMAINS - 1)
        self._neighbours = region.neighbours().node

    def draw(self, window: int, seed: int) -> tuple[World, History]:
        """The episode of a window under a scenario seed, and what was served before it."""
        origin, before = self._origins(window, seed)
        routes, past = self._routes(window, seed, origin, before)
        return self._world(routes, origin, seed), History(past, before)

    def _hashed(self, seed: int, stream: int, window: int) -> int:
        return int(bits(seed, stream, window, self._split) % np.uint64(_SEEDS))

    def _origins(self, window: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Nodes of the requests of the episode, (S, Q), and of the history, (requests,)."""
        episode = self._hashed(seed, streams.TOKENS, window)
        crowd = crowd_factors(
            self._neighbours,
            SLOTS,
            seed,
            crowds=int(self._parameters["crowds"]),
            speedup=self._parameters["crowd_speedup"],
        )
        demand = self.shares * crowd
        if self._parameters["drifts"]:
            demand *= drift_factors(self._topology.node["east"], self.shares, SLOTS)
        before = _draw_nodes(episode, self.shares[None], PROFILE_REQUESTS, REQUESTS)[0]
        return _draw_nodes(episode, demand, REQUESTS, 0), before

    def _routes(
        self, window: int, seed: int, origin: NDArray[np.int64], before: NDArray[np.int64]
    ) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        if self._log is not None:
            return cut_log(self._log, self._hashed(seed, streams.TOKENS, window))
        model = draw_model(self._hashed(0, streams.MODEL, window), SLOTS)
        episode = self._hashed(seed, streams.TOKENS, window)
        routes = _draw_batches(model, episode, self._home[origin], 0)
        past = _draw_batches(model, episode, self._home[before][None], REQUESTS)[0]
        return routes, past

    def _world(self, routes: NDArray[np.int16], origin: NDArray[np.int64], seed: int) -> World:
        conditions = draw_conditions(self._topology, seed, self._parameters)
        names = "jitter_chance", "jitter_min_ms", "jitter_max_ms"
        return World(
            routes,
            origin,
            conditions.extra_ms[:, :SLOTS].copy(),
            conditions.bad[:, :SLOTS].copy(),
            conditions.down[self._devices.node, :SLOTS].copy(),
            seed,
            *(self._parameters[name] for name in names),
        )


@compiled
def _draw_nodes(seed: int, demand: Floats, requests: int, first: int) -> NDArray[np.int64]:
    """Nodes of requests `first` ... by the demand of each slot, (slots, N), which need not sum to 1; (slots, Q)."""
    origin = np.empty((demand.shape[0], requests), np.int64)
    for slot in range(demand.shape[0]):
        reached = np.cumsum(demand[slot])
        for request in range(requests):
            drawn = uniform(seed, _NODE, first + request, slot) * reached[-1]
            origin[slot, request] = min(np.searchsorted(reached, drawn, side="right"), demand.shape[1] - 1)
    return origin


@compiled
def _draw_batches(model: Model, seed: int, home: NDArray[np.int64], first: int) -> NDArray[np.int16]:
    """Routes of requests `first` ... from nodes of these home domains, (slots, Q); (slots, Q x rows, L)."""
    slots, requests = home.shape
    routes = np.empty((slots, requests * REQUEST_ROWS, model.follower.shape[0]), np.int16)
    for slot in range(slots):
        for request in range(requests):
            domain = draw_domain(seed, home[slot, request], first + request, slot)
            row = request * REQUEST_ROWS
            number = (slot * (REQUESTS + PROFILE_REQUESTS) + first + request) * REQUEST_ROWS
            draw_routes(model, seed, slot, domain, number, routes[slot, row : row + REQUEST_ROWS])
    return routes
