"""The Place track without Gymnasium: a region's devices, episodes, edits and observations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.tracks.place.constants import EXPERTS, LAYERS, PLAN_EDITS, REQUESTS, SLOTS
from edgebench.tracks.place.devices import contiguous, make_devices
from edgebench.tracks.place.episode import first_state, take_turn
from edgebench.tracks.place.generator import Generator
from edgebench.tracks.place.metrics import episode_metrics
from edgebench.tracks.place.observe import Seen, blank_seen, make_sight, observe
from edgebench.tracks.place.physics import blank_ways
from edgebench.tracks.place.state import LATENCY_MS, Placement
from edgebench.tracks.place.trace_file import read_log


class Simulation:
    """Episodes of a region's split under a scenario.

    Args:
        region: Where.
        scenario: Under which conditions.
        split: Whose users and tokens.
        trace: A file of a user's own routes in place of drawn ones, or None.

    Raises:
        EdgeBenchError: No such split, too few nodes, the experts do not fit, or the trace is none.
    """

    def __init__(self, region: Region, scenario: Scenario, split: str, trace: str | Path | None = None) -> None:
        topology = region.topology()
        log = None if trace is None else read_log(trace)
        self.experts: int = EXPERTS if log is None else int(log.max()) + 1
        self.layers: int = LAYERS if log is None else log.shape[1]
        self.devices = make_devices(region.public(), topology.path, self.experts, self.layers)
        self.generator = Generator(region, topology, self.devices, scenario, split, log)
        self.contiguous = contiguous(self.devices, self.experts, self.layers)
        self._sight = make_sight(self.devices, self.generator.shares, topology.trap.size)
        self._ways = blank_ways(self.devices.node.size, REQUESTS)
        self._used = np.zeros(self._ways.bad.shape, np.bool_)
        self.seen: Seen = blank_seen(self.experts, self.layers, self.devices.node.size)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Experts of all layers, verbs, devices: the shape of the flat action mask."""
        return self.experts * self.layers, 3, self.devices.node.size

    def start(self, window: int, seed: int) -> None:
        """Begin an episode with the contiguous placement."""
        self.world, self.history = self.generator.draw(window, seed)
        self.state = first_state(self.devices, self.world, self.history, self.experts, self.contiguous)
        self.observe()

    def turn(self, expert: int, verb: int, device: int) -> float:
        """Make an edit, serve a batch if it is time, observe; returns the reward (`episode.take_turn`)."""
        reward = take_turn(self.devices, self.world, self.state, self._ways, self._used, expert, verb, device)
        self.observe()
        return reward

    def observe(self) -> None:
        """Write into `seen` what is seen before the next edit."""
        observe(self.devices, self._sight, self.world, self.state, self.seen)

    def put(self, placement: Placement) -> None:
        """Begin with another placement, which fits; nothing is loaded, the reference stays the contiguous one."""
        self.state.placement[:] = placement
        self.state.clock[0] = PLAN_EDITS

    @property
    def over(self) -> bool:
        """Whether every batch has been served."""
        return bool(self.state.clock[0] >= PLAN_EDITS + SLOTS)

    @property
    def served(self) -> int:
        """The slot of the last batch that was served, -1 before the first."""
        return int(self.state.clock[0]) - PLAN_EDITS - 1 if self.state.clock[0] > PLAN_EDITS else -1

    def last_batch(self) -> dict[str, NDArray[np.int64] | NDArray[np.int16] | float]:
        """Routes, origins and latency of the last batch that was served."""
        slot = self.served
        return {
            "routes": self.world.routes[slot].copy(),
            "origin": self.world.origin[slot].copy(),
            "latency_ms": float(self.state.outcome[slot, LATENCY_MS]),
        }

    def metrics(self) -> dict[str, float]:
        """Figures of the episode that has ended."""
        return episode_metrics(self.devices, self.world, self.state)
