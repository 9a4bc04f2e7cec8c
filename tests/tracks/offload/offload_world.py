"""What an Offload episode brings, a second time: plain Python and scipy's distributions, from the documentation."""

from __future__ import annotations

import math
from typing import Any

from scipy.stats import poisson

from edgebench import constants
from edgebench.sim import counter
from edgebench.tracks.offload import constants as numbers
from edgebench.tracks.offload import streams

_MASK = (1 << 64) - 1
SLOTS = numbers.SLOTS + numbers.AGES


def _mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def bits(*numbers_of_counter: int) -> int:
    """64 bits of (seed, stream, entity, slot)."""
    state = 0
    for number in numbers_of_counter:
        state = _mix(((state ^ number) + 0x9E3779B97F4A7C15) & _MASK)
    return state


def uniform(*numbers_of_counter: int) -> float:
    """A draw in [0, 1)."""
    return (bits(*numbers_of_counter) >> 11) / 2**53


def normal(seed: int, stream: int, entity: int, slot: int) -> float:
    """A standard normal draw of two uniform ones."""
    first, second = (uniform(seed, stream, entity, 2 * slot + half) for half in (0, 1))
    return math.sqrt(-2.0 * math.log(1.0 - first)) * math.cos(2.0 * math.pi * second)


def chain(seed: int, first: int, change: int, entity: int, enter: float, leave: float) -> list[bool]:
    """The states of a two-state chain."""
    states = [uniform(seed, first, entity, 0) * (enter + leave) < enter]
    for slot in range(1, SLOTS):
        states.append(states[-1] != (uniform(seed, change, entity, slot) < (leave if states[-1] else enter)))
    return states


class World:
    """Nodes, links and one episode of a region's split under the sinusoidal workload."""

    def __init__(self, region: Any, scenario: Any, split: str, window: int, seed: int) -> None:
        self.scenario = scenario
        self.nodes = region.tables["nodes"].to_pylist()
        self.links = self._neighbours(region)
        self.seed = bits(seed, streams.OFFLOAD_EPISODE, ["train", "val", "test"].index(split) * 2**20 + window, 0) >> 1
        self.capacity = [int(node["compute"] * numbers.SHARES_PER_COMPUTE) for node in self.nodes]
        self.memory = [int(node["storage_gb"] * numbers.MEMORY_MB_PER_GB) for node in self.nodes]
        self.users = [0.5] * len(self.nodes)
        for node in region.task_table(split)["node_id"].to_pylist():
            self.users[node] += 1.0
        self.arrivals = self._arrivals()
        self.extra = {trap: self._extras(trap, row) for trap, row in self.traps.items()}
        outage = scenario.outage_enter, scenario.outage_leave
        self.down = [
            chain(self.seed, counter.OUTAGE_START, counter.OUTAGE_CHANGE, node, *outage)
            if scenario.outage_enter
            else [False] * SLOTS
            for node in range(len(self.nodes))
        ]
        self.bandwidth = {key: self._bandwidth(*key) for key in self.links}

    def _neighbours(self, region: Any) -> dict[tuple[int, int], dict[str, Any]]:
        """Links by node and column, by latency and then by the neighbour's number; trap links numbered in passing."""
        ways: list[list[tuple[float, int, Any, int]]] = [[] for _ in self.nodes]
        self.traps: dict[int, Any] = {}
        for link in region.tables["links"].to_pylist():
            trap = -1
            if link["is_trap"]:
                trap = len(self.traps)
                self.traps[trap] = link
            for here, there in ((link["src"], link["dst"]), (link["dst"], link["src"])):
                ways[here].append((link["latency_ms"], there, link, trap))
        found = {}
        for node, mine in enumerate(ways):
            for column, (latency, there, link, trap) in enumerate(sorted(mine, key=lambda way: way[:2])):
                found[node, column] = {
                    "to": there,
                    "latency_ms": latency + constants.HOP_MS,
                    "mbps": link["bandwidth_mbps"],
                    "trap": trap,
                }
        for (node, _), link in found.items():
            link["source"] = 1 + next(c for (n, c), back in found.items() if n == link["to"] and back["to"] == node)
        return found

    def _arrivals(self) -> list[list[list[int]]]:
        total, users = sum(self.capacity), sum(self.users)
        wanted = [
            mine * (count / users / (mine / total)) ** numbers.PROVISION
            for mine, count in zip(self.capacity, self.users, strict=True)
        ]
        shares = [want / sum(wanted) for want in wanted]
        lon = [node["lon"] for node in self.nodes]
        east = [(each - min(lon)) / (max(lon) - min(lon)) for each in lon]
        begun = uniform(self.seed, streams.PHASE, 0, 0)
        crowds = self._crowds()
        arrivals = []
        for slot in range(numbers.SLOTS):
            bell = [math.exp(-0.5 * ((e - slot / (numbers.SLOTS - 1)) / constants.DRIFT_WIDTH) ** 2) for e in east]
            scale = sum(b * s for b, s in zip(bell, shares, strict=True))
            row = []
            for node, share in enumerate(shares):
                swing = 1.0 + numbers.SWING * math.sin(2.0 * math.pi * (slot / numbers.SLOTS + east[node] + begun))
                factor = self.scenario.crowd_speedup if (slot, node) in crowds else 1.0
                factor *= bell[node] / scale if self.scenario.drifts else 1.0
                mean = numbers.LOAD * total * share * swing * factor / sum(numbers.WORK_SHARES)
                row.append([self._count(node, kind, slot, mean) for kind in range(3)])
            arrivals.append(row)
        return arrivals

    def _count(self, node: int, kind: int, slot: int, mean: float) -> int:
        entities, pieces = 3 * len(self.nodes), math.ceil(mean / 256.0)
        draws = [uniform(self.seed, streams.ARRIVALS, 3 * node + kind + p * entities, slot) for p in range(pieces)]
        return int(sum(poisson.ppf(draw, mean / pieces) for draw in draws))

    def _crowds(self) -> set[tuple[int, int]]:
        """Slots and nodes in a flash crowd."""
        found = set()
        for crowd in range(self.scenario.crowds):
            share = numbers.SLOTS // self.scenario.crowds
            draw = uniform(self.seed, counter.CROWD_START, crowd, 0)
            begin = crowd * share + int(draw * (share - constants.CROWD_SLOTS + 1))
            centre = int(uniform(self.seed, counter.CROWD_PLACE, crowd, 0) * len(self.nodes))
            near = [link["to"] for (node, column), link in self.links.items() if node == centre and column < 8]
            found |= {(slot, node) for slot in range(begin, begin + constants.CROWD_SLOTS) for node in [centre, *near]}
        return found

    def _extras(self, trap: int, row: Any) -> list[tuple[bool, float]]:
        """Whether a trap link is bad and what it adds, in every slot."""
        if not self.scenario.traps:
            return [(False, 0.0)] * SLOTS
        ends = row["trap_enter"], row["trap_leave"]
        found = []
        for slot, bad in enumerate(chain(self.seed, counter.TRAP_START, counter.TRAP_CHANGE, trap, *ends)):
            turn = slot * 1000.0 / constants.DRIFT_MS + uniform(self.seed, counter.DRIFT_PHASE, trap, 0)
            hit = bad and not (self.scenario.drifts and turn % 1.0 >= 0.5)
            least, most = row["trap_extra_min_ms"], row["trap_extra_max_ms"]
            drawn = least + (most - least) * uniform(self.seed, counter.TRAP_EXTRA, trap, slot)
            found.append((hit, drawn if hit else row["trap_rest_ms"]))
        return found

    def _bandwidth(self, node: int, column: int) -> list[int]:
        """What a link carries in every slot, in CPU shares."""
        level, found, rho, sigma = 0.0, [], numbers.BANDWIDTH_RHO, numbers.BANDWIDTH_SIGMA
        for slot in range(SLOTS):
            drawn = normal(self.seed, streams.BANDWIDTH, 8 * node + column, slot)
            level = drawn if slot == 0 else rho * level + math.sqrt(1.0 - rho * rho) * drawn
            factor = math.exp(sigma * level - 0.5 * sigma * sigma)
            found.append(int(factor * self.links[node, column]["mbps"] / 8.0 / numbers.MB_PER_SHARE))
        return found

    def extra_ms(self, node: int, column: int, slot: int) -> float:
        """What a link adds to the way of what leaves in a slot."""
        link = self.links[node, column]
        extra = self.extra[link["trap"]][slot][1] if link["trap"] >= 0 else 0.0
        entity = node * len(self.nodes) + link["to"]
        if uniform(self.seed, counter.JITTER_CHANCE, entity, slot) < self.scenario.jitter_chance:
            spread = self.scenario.jitter_max_ms - self.scenario.jitter_min_ms
            drawn = uniform(self.seed, counter.JITTER_EXTRA, entity, slot)
            extra += self.scenario.jitter_min_ms + spread * drawn
        return extra

    def is_bad(self, node: int, column: int, slot: int) -> bool:
        """Whether the link is a trap in its bad state."""
        trap = self.links[node, column]["trap"]
        return trap >= 0 and self.extra[trap][slot][0]
