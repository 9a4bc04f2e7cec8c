"""The Offload track a second time: slow, in plain Python, from the documentation of environment and physics.

Rational arithmetic for the split, dictionaries keyed by when and whence for the queues, whole histories of
measurements. The tests drive it beside `OffloadEnv`.
"""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

from offload_world import World

from edgebench import constants
from edgebench.tracks.offload import constants as numbers

SLOTS, AGES = numbers.SLOTS, numbers.AGES
WORK, MEMORY, DEADLINE = numbers.WORK_SHARES, numbers.MEMORY_MB, numbers.DEADLINE_SLOTS
WORTH = {"on_time": 1.0, "rejected": -numbers.REJECT_COST} | dict.fromkeys(
    ("late", "overflow", "dropped"), -numbers.LOSS_COST
)


def split(row: Any, degree: int, count: int) -> list[int]:
    """Requests by column, by largest remainder; shares are read to 2^-24."""
    valid = [column for column in range(10) if column <= degree or column == 9]
    weight = dict.fromkeys(range(10), 0)
    for column in valid:
        share = float(row[column])
        if share > 0.0:
            weight[column] = math.floor(min(share, 1.0) * 2**24)
    if not any(weight.values()):
        weight[9] = 1
    total = sum(weight.values())
    quota = {column: Fraction(weight[column] * count, total) for column in range(10)}
    parts = {column: math.floor(quota[column]) for column in range(10)}
    order = sorted(range(10), key=lambda column: (parts[column] - quota[column], column))
    for column in order[: count - sum(parts.values())]:
        parts[column] += 1
    return [parts[column] for column in range(10)]


class OffloadOracle:
    """One episode."""

    def __init__(self, region: Any, scenario: Any, *, split: str, window: int, seed: int) -> None:
        self.world = World(region, scenario, split, window, seed)
        self.size = len(self.world.nodes)
        self.columns = [[c for (n, c) in self.world.links if n == node] for node in range(self.size)]
        self.queue: list[Counter[tuple[int, int, int]]] = [Counter() for _ in range(self.size)]
        self.on_link: dict[tuple[int, int], Counter[tuple[int, int]]] = {key: Counter() for key in self.world.links}
        self.flying: dict[tuple[int, int], Counter[tuple[int, int, int]]] = {key: Counter() for key in self.world.links}
        self.measured: dict[tuple[int, int], dict[int, tuple[int, float]]] = {key: {} for key in self.world.links}
        self.ended: list[list[tuple[int, str, int]]] = [[] for _ in range(self.size)]
        self.responses: Counter[int] = Counter()
        self.busy = [0] * self.size
        self.carried = self.could_carry = self.forwarded = self.over_traps = 0
        self.slot, self.total = 0, sum(self._work(slot, node) for slot in range(SLOTS) for node in range(self.size))
        self._begin()
        self._tell()

    def _begin(self) -> None:
        self.sent, self.lost = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
        self.incoming = [0] * self.size
        self.first = self.slot

    def _work(self, slot: int, node: int) -> int:
        if not 0 <= slot < SLOTS:
            return 0
        return sum(count * work for count, work in zip(self.world.arrivals[slot][node], WORK, strict=True))

    def _end(self, node: int, outcome: str, work: int) -> None:
        self.ended[node].append((self.slot, outcome, work))

    def _lose(self, node: int, source: int, kind: int, count: int, outcome: str) -> None:
        origin = node
        if source:
            link = self.world.links[node, source - 1]
            origin = link["to"]
            self.lost[origin, link["source"] - 1] += count
        self._end(origin, outcome, count * WORK[kind])

    def _used_mb(self, node: int) -> int:
        return sum(count * MEMORY[kind] for (_, _, kind), count in self.queue[node].items())

    def _admit(self, node: int, source: int, born: int, kind: int, count: int) -> None:
        fits = min(count, (self.world.memory[node] - self._used_mb(node)) // MEMORY[kind])
        self.queue[node][born, source, kind] += fits
        self._lose(node, source, kind, count - fits, "overflow")

    def step(self, action: Any) -> float:
        """Play a slot; the reward."""
        self._begin()
        self._play(action)
        if self.slot == SLOTS:
            for _ in range(AGES):
                self._play(action)
        self._tell()
        return SLOTS / self.total * sum(self.slot_worth(node) for node in range(self.size))

    def slot_worth(self, node: int) -> float:
        """Worth settled since the step began."""
        return sum(WORTH[outcome] * work for slot, outcome, work in self.ended[node] if slot >= self.first)

    def _play(self, action: Any) -> None:
        for node in range(self.size):
            self._clear(node, "late", lambda born, kind: self.slot - born >= DEADLINE[kind], flies=True)
            if self.world.down[node][self.slot]:
                self._clear(node, "dropped", lambda born, kind: True, flies=False)
        if self.slot < SLOTS:
            for node in range(self.size):
                self._split(node, action[node])
        for node, column in self.world.links:
            self._deliver(node, column)
            self._send(node, column)
        for node in range(self.size):
            self._serve(node)
        self.slot += 1

    def _clear(self, node: int, outcome: str, ends: Any, *, flies: bool) -> None:
        for (born, source, kind), count in list(self.queue[node].items()):
            if ends(born, kind):
                del self.queue[node][born, source, kind]
                self._lose(node, source, kind, count, outcome)
        for column in self.columns[node]:
            held: list[Any] = [self.on_link[node, column], self.flying[node, column]][: 1 + flies]
            for batch in held:
                for key, count in list(batch.items()):
                    born, kind = key[:2]
                    if ends(born, kind):
                        del batch[key]
                        self.lost[node, column] += count
                        self._end(node, outcome, count * WORK[kind])

    def _split(self, node: int, row: Any) -> None:
        for kind, count in enumerate(self.world.arrivals[self.slot][node]):
            if self.world.down[node][self.slot]:
                self._end(node, "dropped", count * WORK[kind])
                continue
            parts = split(row, len(self.columns[node]), count)
            self._end(node, "rejected", parts[9] * WORK[kind])
            self._admit(node, 0, self.slot, kind, parts[0])
            for column in self.columns[node]:
                self.on_link[node, column][self.slot, kind] += parts[1 + column]
                self.sent[node, column] += parts[1 + column]
                self.forwarded += parts[1 + column] * WORK[kind]

    def _deliver(self, node: int, column: int) -> None:
        link = self.world.links[node, column]
        for (born, kind, due), count in sorted(self.flying[node, column].items(), key=lambda x: (-x[0][0], x[0][1])):
            if due > self.slot:
                continue
            del self.flying[node, column][born, kind, due]
            if self.world.down[link["to"]][self.slot]:
                self.lost[node, column] += count
                self._end(node, "dropped", count * WORK[kind])
            else:
                self.incoming[link["to"]] += count * WORK[kind]
                self._admit(link["to"], link["source"], born, kind, count)

    def _send(self, node: int, column: int) -> None:
        link, capacity = self.world.links[node, column], self.world.bandwidth[node, column][self.slot]
        extra, left = self.world.extra_ms(node, column, self.slot), capacity
        for (born, kind), count in sorted(self.on_link[node, column].items()):
            gone = min(count, left // WORK[kind])
            if gone:
                left -= gone * WORK[kind]
                delay_s = (capacity - left) / capacity + (link["latency_ms"] + extra) / 1000.0
                self.flying[node, column][born, kind, self.slot + math.ceil(delay_s)] += gone
                self.on_link[node, column][born, kind] -= gone
            if gone < count:
                break
        self.on_link[node, column] = +self.on_link[node, column]
        self.carried += capacity - left
        self.could_carry += capacity
        if left < capacity:
            known = self.slot + min(1 + int(extra / 1000.0), AGES)
            self.measured[node, column][self.slot] = known, min(extra / 1000.0, AGES)
            self.over_traps += (capacity - left) * self.world.is_bad(node, column, self.slot)

    def _serve(self, node: int) -> None:
        capacity = left = self.world.capacity[node]
        for (born, source, kind), count in sorted(self.queue[node].items()):
            done = min(count, left // WORK[kind])
            if done:
                work = done * WORK[kind]
                origin = self.world.links[node, source - 1]["to"] if source else node
                way_ms = self.world.links[node, source - 1]["latency_ms"] if source else 0.0
                middle = (capacity - left + work / 2) / capacity
                response_ms = 1000.0 * (self.slot - born + middle) + way_ms
                self.responses[int(response_ms / numbers.RESPONSE_BIN_MS)] += work
                self._end(origin, "on_time", work)
                self.queue[node][born, source, kind] -= done
                left -= work
            if done < count:
                break
        self.busy[node] += capacity - left
        self.queue[node] = +self.queue[node]

    def _tell(self) -> None:
        if self.slot % 2 == 0 and self.slot < SLOTS:
            self.told = [
                {
                    "queue": self._queued(node) / self.world.capacity[node],
                    "memory_free": 1.0 - self._used_mb(node) / self.world.memory[node],
                    "load": self._work(self.slot, node) / self.world.capacity[node],
                    "down": float(self.world.down[node][min(self.slot, SLOTS + AGES - 1)]),
                }
                for node in range(self.size)
            ]

    def _queued(self, node: int) -> int:
        return sum(count * WORK[kind] for (_, _, kind), count in self.queue[node].items())

    def _remembered_s(self, node: int, column: int) -> float:
        """The moving average of the link's measurements in the order in which they became known."""
        average, last = 0.0, 0
        known = sorted((due, sent, value) for sent, (due, value) in self.measured[node, column].items())
        fade = 1000.0 / constants.MEASURE_MEMORY_MS
        now = min(self.slot, SLOTS - 1)
        for due, _, value in (entry for entry in known if entry[0] <= now):
            average *= math.exp(-fade * (due - last))
            average, last = (1.0 - constants.MEASURE_ALPHA) * average + constants.MEASURE_ALPHA * value, due
        return average * math.exp(-fade * (now - last))

    def node_row(self, node: int) -> list[float]:
        """What a node knows of itself."""
        now = self.world.arrivals[self.slot][node] if self.slot < SLOTS else [0, 0, 0]
        capacity = self.world.capacity[node]
        lon = [row["lon"] for row in self.world.nodes]
        settled = sum(work for slot, _, work in self.ended[node] if slot >= self.first)
        return [
            *(count / 10.0 for count in now),
            self._work(self.slot, node) / capacity,
            self._work(self.slot - 1, node) / capacity,
            self._queued(node) / capacity,
            self.incoming[node] / capacity,
            1.0 - self._used_mb(node) / self.world.memory[node],
            capacity / 1000.0,
            self.world.memory[node] / 10_000.0,
            (self.slot_worth(node) if self.slot else 0.0) / max(settled, 1),
            min(self.slot / SLOTS, 1.0),
            (lon[node] - min(lon)) / (max(lon) - min(lon)),
        ]

    def neighbour_row(self, node: int, column: int) -> list[float]:
        """What it is told of a neighbour."""
        link, told = self.world.links[node, column], self.told[self.world.links[node, column]["to"]]
        carries = self.world.bandwidth[node, column][max(self.slot - 1, 0)]
        waits = sum(count * WORK[kind] for (_, kind), count in self.on_link[node, column].items())
        return [
            link["latency_ms"],
            carries / 1000.0,
            min(waits / max(carries, 1), 100.0),
            self._remembered_s(node, column),
            self.sent[node, column] / 10.0,
            self.lost[node, column] / 10.0,
            self.world.capacity[link["to"]] / 1000.0,
            told["queue"],
            told["load"],
            told["memory_free"],
            told["down"],
        ]

    def metrics(self) -> dict[str, float]:
        """The figures of the episode."""
        every = [(outcome, work) for node in self.ended for _, outcome, work in node]
        shares = {name: sum(work for outcome, work in every if outcome == name) / self.total for name in WORTH}
        used = [busy / capacity for busy, capacity in zip(self.busy, self.world.capacity, strict=True)]
        return {
            "value": sum(WORTH[name] * share for name, share in shares.items()),
            "success": shares["on_time"],
            **{name: share for name, share in shares.items() if name != "on_time"},
            "response_p50_ms": self._response_ms(0.5),
            "response_p95_ms": self._response_ms(0.95),
            "forwarded": self.forwarded / self.total,
            "trap_hits": self.over_traps / self.total,
            "link_use": self.carried / self.could_carry,
            "jain": sum(used) ** 2 / (len(used) * sum(value**2 for value in used)),
        }

    def _response_ms(self, share: float) -> float:
        wanted, seen = share * sum(self.responses.values()), 0
        for place in sorted(self.responses):
            seen += self.responses[place]
            if seen >= wanted:
                return numbers.RESPONSE_BIN_MS * (place + 1)
        return 0.0
