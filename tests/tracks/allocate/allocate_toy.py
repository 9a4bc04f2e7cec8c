"""Sites, worlds and jobs made by hand, and play on them without a region."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.constants import TRAP_SLOTS
from edgebench.sim.topology import PATH
from edgebench.tracks.allocate.observe import new_seen
from edgebench.tracks.allocate.state import JOB, Sites, State, World, new_state
from edgebench.tracks.allocate.turns import FIRST, take_turn

ONE_OF_EACH = (1.0, 1.0, 1.0, 1.0)


def toy_sites(units: list[float], *, latency_ms: float = 1.0, ms_per_mb: float = 1000.0) -> Sites:
    """Sites with so many units of every resource, each a like way from every other."""
    count = len(units)
    path = np.zeros((count, count), PATH)
    path["latency_ms"], path["ms_per_mb"], path["next_trap"] = latency_ms, ms_per_mb, -1
    for site in range(count):
        path[site, site] = (0.0, 0.0, -1, -1)
    capacity = np.repeat(np.array(units, float)[:, None], 4, axis=1)
    return Sites(capacity, capacity.mean(axis=0), path, np.zeros(0))


def quiet_world(sites: Sites, down: dict[int, tuple[int, int]] | None = None) -> World:
    """No traps, no late ways; `down` tells from which slot to which a site is down."""
    states = np.zeros((len(sites.capacity), TRAP_SLOTS), np.bool_)
    for site, (first, last) in (down or {}).items():
        states[site, first:last] = True
    nothing = np.zeros((0, TRAP_SLOTS))
    return World(nothing.astype(np.bool_), nothing, states, 0, bool(down), 0.0, 0.0, 0.0)


def toy_job(
    arrival_s: float,
    *,
    units: float = 1.0,
    duration_s: float = 10.0,
    slack_s: float = 3.0,
    priority: int = 1,
    origin: int = 0,
    payload_mb: float = 1.0,
) -> tuple[Any, ...]:
    """A row of JOB that needs the same of every resource."""
    arrival_ms, need = 1000.0 * arrival_s, (units,) * 4
    return arrival_ms, arrival_ms + 1000.0 * slack_s, 1000.0 * duration_s, payload_mb, units, need, origin, priority


def toy_jobs(*rows: tuple[Any, ...]) -> Any:
    """The jobs in the order of their arrival."""
    return np.array(sorted(rows), JOB)


class Toy:
    """An episode on such sites, asked about as the Gymnasium form is."""

    def __init__(self, sites: Sites, world: World, jobs: Any) -> None:
        self.sites, self.world, self.jobs = sites, world, jobs
        self.state, self.reward = new_state(sites, jobs.size), 0.0
        self.seen = new_seen(len(sites.capacity))
        take_turn(sites, world, jobs, self.state, self.seen, FIRST)

    @property
    def asked(self) -> int:
        return int(self.state.tally["asked"][0])

    @property
    def valid(self) -> list[int]:
        return np.flatnonzero(self.state.mask).tolist()

    def act(self, action: int) -> None:
        self.reward += take_turn(self.sites, self.world, self.jobs, self.state, self.seen, action)

    def copy(self) -> Toy:
        other = object.__new__(Toy)
        other.__dict__.update(self.__dict__)
        other.state = State(*(part.copy() for part in self.state))
        return other

    def done(self) -> list[bool]:
        """Of each job whether it is done."""
        return (self.state.progress["status"] == 4).tolist()

    def completion(self) -> float:
        priority = self.jobs["priority"]
        return float(priority[self.done()].sum() / priority.sum())


def best_completion(toy: Toy) -> float:
    """The most that any policy reaches from here on, by trying them all."""
    if toy.asked < 0:
        return toy.completion()
    best = 0.0
    for action in toy.valid:
        after = toy.copy()
        after.act(action)
        best = max(best, best_completion(after))
    return best
