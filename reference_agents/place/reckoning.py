"""What batches take under a placement as an operator reckons it: the track's own physics on the routes that were seen
and the extras that are remembered."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.topology import public_topology
from edgebench.tracks.place.annealing import Batches, anneal, mean_latency, stack_ways
from edgebench.tracks.place.constants import EXPERTS, LAYERS, REQUESTS
from edgebench.tracks.place.devices import contiguous, make_devices
from edgebench.tracks.place.edits import REPLICATE, edit
from edgebench.tracks.place.physics import blank_ways
from edgebench.tracks.place.state import Ways
from reference_agents.place.planning import DEVICE, Observation

_EXTRA: Final = 2


class Reckoning:
    """A region's devices and ways, and the batches that were seen last.

    Args:
        topology: Of the region, as agents are given it at reset.
    """

    def __init__(self, topology: dict[str, NDArray[Any]]) -> None:
        self._topology = topology
        self._path = public_topology(topology).path
        self._warm_up()

    def _warm_up(self) -> None:
        """Have the compiled functions at hand, outside the budget of the first decision."""
        devices = make_devices(self._topology, self._path)
        ways = stack_ways([blank_ways(devices.node.size, REQUESTS)])
        down = np.zeros((1, devices.node.size), np.bool_)
        batches = Batches(ways, np.zeros((1, REQUESTS, LAYERS), np.int16), down)
        placement = contiguous(devices)
        anneal(devices, batches, EXPERTS, placement, 0, 1, 1.0, 1.0)
        mean_latency(devices, batches, EXPERTS, placement)
        edit(placement, 0, REPLICATE, int(placement[0].argmax()))

    def begin(self, observation: Observation, info: dict[str, Any], keep: int) -> None:
        """Begin an episode with its history; the last `keep` batches are remembered."""
        experts, layers = observation["affinity"].shape[1], info["history_routes"].shape[1]
        self.experts = experts
        self.devices = make_devices(self._topology, self._path, experts, layers)
        self._first_entry_s = observation["devices"][:, DEVICE["entry_s"]].astype(np.float64)
        self._first_exit_s = observation["devices"][:, DEVICE["exit_s"]].astype(np.float64)
        self._seen: deque[tuple[NDArray[np.int16], NDArray[np.int64]]] = deque(maxlen=keep)
        origins = info["history_origin"].reshape(-1, REQUESTS)
        routes = info["history_routes"].reshape(len(origins), -1, layers)
        self._seen.extend(zip(routes, origins, strict=True))

    def note(self, info: dict[str, Any]) -> None:
        """Remember the batch that was served last, if there is one."""
        if "routes" in info:
            self._seen.append((info["routes"], info["origin"]))

    def batches(self, observation: Observation, last: int, expected_ms: float = 0.0) -> Batches:
        """The `last` batches, with the extras that are remembered now and as much more on every way between nodes."""
        seen = list(self._seen)[-last:]
        ways = stack_ways([self._ways(observation, origin) for _, origin in seen])
        more_ms = expected_ms * (ways.path_ms > 0.0)
        ways.extra_ms[:] += more_ms
        ways.known_ms[:] += more_ms
        down = observation["devices"][:, DEVICE["down"]] > 0.0
        return Batches(ways, np.stack([routes for routes, _ in seen]), np.tile(down, (len(seen), 1)))

    def _ways(self, observation: Observation, origin: NDArray[np.int64]) -> Ways:
        """Ways between devices and requests from these nodes."""
        count = self.devices.node.size
        ways = blank_ways(count, origin.size)
        nodes = np.concatenate([self.devices.node, origin])
        path = self._path[np.ix_(nodes, nodes)].T
        ways.path_ms[:], ways.row_ms[:] = path["latency_ms"], path["ms_per_mb"] * self.devices.row_mb
        entry_s = observation["devices"][:, DEVICE["entry_s"]] - self._first_entry_s
        exit_s = observation["devices"][:, DEVICE["exit_s"]] - self._first_exit_s
        ways.extra_ms[:count, :count] = 1000.0 * observation["links"][:, :, _EXTRA]
        ways.extra_ms[count:, :count] = 1000.0 * entry_s
        ways.extra_ms[:count, count:] = 1000.0 * exit_s[:, None]
        ways.known_ms[:] = ways.path_ms + ways.extra_ms
        return ways
