"""Requests and routes of Place's episodes a second time, in plain Python."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate
from typing import Any

from splitmix import bits, uniform

from edgebench import constants
from edgebench.registry import Scenario
from edgebench.sim import counter
from edgebench.tracks.place import constants as place
from edgebench.tracks.place import streams

Row = tuple[int, ...]
Request = tuple[int, list[Row]]
E, L = place.EXPERTS, place.LAYERS
ALL = place.REQUESTS + place.PROFILE_REQUESTS


class Routes:
    """What arises on a region's split."""

    def __init__(self, region: Any, scenario: Scenario, split: str) -> None:
        nodes = region.tables["nodes"].to_pylist()
        lon = [node["lon"] for node in nodes]
        self.east = [(one - min(lon)) / (max(lon) - min(lon)) for one in lon]
        users = [task["node_id"] for task in region.task_table(split).to_pylist()]
        self.shares = [(users.count(node) + 0.5) / (len(users) + 0.5 * len(nodes)) for node in range(len(nodes))]
        self.split, self.scenario = ("train", "val", "test").index(split), scenario
        self.near: dict[int, list[int]] = {node: [node] for node in range(len(nodes))}
        for link in region.tables["links"].to_pylist():
            self.near[link["src"]].append(link["dst"])
            self.near[link["dst"]].append(link["src"])

    def episode(self, window: int, seed: int) -> tuple[list[list[Request]], list[Request]]:
        """Requests of every batch and of the history: node and routes of the rows."""
        model = Model(bits(0, streams.MODEL, window, self.split) % 2**62)
        own = bits(seed, streams.TOKENS, window, self.split) % 2**62
        batches = [
            [self._request(model, own, slot, number, self._demand(slot, seed)) for number in range(place.REQUESTS)]
            for slot in range(place.SLOTS)
        ]
        past = range(place.REQUESTS, ALL)
        return batches, [self._request(model, own, 0, number, self.shares) for number in past]

    def _demand(self, slot: int, seed: int) -> list[float]:
        demand = list(self.shares)
        for crowd in range(self.scenario.crowds):
            share = place.SLOTS // self.scenario.crowds
            latest = share - constants.CROWD_SLOTS
            begin = crowd * share + int(uniform(seed, counter.CROWD_START, crowd, 0) * (latest + 1))
            centre = int(uniform(seed, counter.CROWD_PLACE, crowd, 0) * len(demand))
            if begin <= slot < begin + constants.CROWD_SLOTS:
                for node in self.near[centre]:
                    demand[node] = self.shares[node] * self.scenario.crowd_speedup
        if self.scenario.drifts:
            centre = slot / (place.SLOTS - 1)
            bell = [math.exp(-0.5 * ((east - centre) / constants.DRIFT_WIDTH) ** 2) for east in self.east]
            demand = [share * height for share, height in zip(demand, bell, strict=True)]
        return demand

    def _request(self, model: Model, own: int, slot: int, number: int, demand: list[float]) -> Request:
        sums = list(accumulate(demand))
        node = bisect_right(sums, uniform(own, streams.REQUEST_NODE, number, slot) * sums[-1])
        domain = min(int(self.east[node] * place.DOMAINS), place.DOMAINS - 1)
        if uniform(own, streams.REQUEST_DOMAIN, number, 2 * slot) >= place.HOME_SHARE:
            domain = int(uniform(own, streams.REQUEST_DOMAIN, number, 2 * slot + 1) * place.DOMAINS)
        first = (slot * ALL + number) * place.REQUEST_ROWS
        sums_of = [list(accumulate(model.share(slot, domain, layer))) for layer in range(L)]
        return node, [model.route(own, row, sums_of) for row in range(first, first + place.REQUEST_ROWS)]


class Model:
    """The gates of a window's model."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        total = sum((rank + place.ZIPF_SHIFT) ** -place.ZIPF for rank in range(1, E + 1))
        self.law = [(rank + place.ZIPF_SHIFT) ** -place.ZIPF / total for rank in range(1, E + 1)]
        self.order = [
            sorted(range(E), key=lambda expert: uniform(seed, streams.RANK, entity, expert))
            for entity in range((place.DOMAINS + 1) * L)
        ]
        self.walk = [[self._popularity(layer) for layer in range(L)]]
        for slot in range(1, place.SLOTS):
            self.walk.append([self._walked(slot, layer) for layer in range(L)])

    def _popularity(self, entity: int) -> list[float]:
        return [self.law[self.order[entity].index(expert)] for expert in range(E)]

    def _walked(self, slot: int, layer: int) -> list[float]:
        shares = []
        for expert, share in enumerate(self.walk[slot - 1][layer]):
            phase = 2 * math.pi * uniform(self.seed, streams.WALK_PHASE, layer * E + expert, 0)
            noise = 12**0.5 * (uniform(self.seed, streams.WALK_NOISE, layer * E + expert, slot) - 0.5)
            change = place.WALK_SWING * math.sin(place.WALK_RATE * slot + phase) + place.WALK_NOISE * noise
            shares.append(max(0.0, share + change / E))
        return [share / sum(shares) for share in shares]

    def share(self, slot: int, domain: int, layer: int) -> list[float]:
        """Popularity of a layer's experts in a domain."""
        own = self._popularity((domain + 1) * L + layer)
        both = zip(self.walk[slot][layer], own, strict=True)
        return [(1 - place.DOMAIN_SHARE) * common + place.DOMAIN_SHARE * special for common, special in both]

    def route(self, own: int, row: int, sums_of: list[list[float]]) -> Row:
        """The experts of a row."""
        route: list[int] = []
        for layer, sums in enumerate(sums_of):
            drawn = uniform(own, streams.ROUTE, row, layer)
            if layer and drawn < place.AFFINITY:
                rank = self.order[layer - 1].index(route[-1])
                route.append(self.order[layer][rank])
                continue
            left = (drawn - place.AFFINITY) / (1 - place.AFFINITY) if layer else drawn
            route.append(min(bisect_right(sums, left), E - 1))
        return tuple(route)
