"""The Place track a second time: slow, in plain Python, from the documentation of the environment.

Shortest paths of networkx, dictionaries of copies, whole lists of rows in place of running sums.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from oracle_network import Network
from place_routes import Routes
from splitmix import uniform

from edgebench import constants
from edgebench.registry import Scenario
from edgebench.sim import counter
from edgebench.tracks.place import constants as place

VERBS = ("place", "replicate", "delete")


def chain(seed: int, streams: tuple[int, int], entity: int, enter: float, leave: float) -> list[bool]:
    """Whether a two-state chain is bad in each slot of an episode."""
    states = [uniform(seed, streams[0], entity, 0) < enter / (enter + leave)]
    for slot in range(1, place.SLOTS):
        changes = uniform(seed, streams[1], entity, slot) < (leave if states[-1] else enter)
        states.append(states[-1] != changes)
    return states


class PlaceOracle:
    """Episodes of Place on a region's split."""

    def __init__(self, region: Any, scenario: Scenario, *, split: str, network: Network | None = None) -> None:
        self.network = network or Network(region)
        self.scenario = scenario
        nodes = self.network.nodes
        order = sorted(range(len(nodes)), key=lambda node: (nodes[node]["compute"], node))
        count = place.DEVICES
        self.nodes = [order[round(rank * (len(order) - 1) / (count - 1))] for rank in range(count)]
        self.experts = place.EXPERTS * place.LAYERS
        self.size_gb = place.MODEL_GB / self.experts
        self.memory_gb = [nodes[node]["storage_gb"] * place.MEMORY_SHARE for node in self.nodes]
        self.room = [int(memory / self.size_gb + 1e-9) for memory in self.memory_gb]
        work = place.MODEL_WORK / place.LAYERS
        self.row_ms = [place.ROW_TOKENS * work / self.network.speed(node) for node in self.nodes]
        self.row_mb = place.ROW_TOKENS * place.TOKEN_MB
        self.routes = Routes(region, scenario, split)

    def reset(self, window: int, seed: int) -> dict[str, Any]:
        """Begin an episode; returns what is seen."""
        self.seed = seed
        self.batches, self.history = self.routes.episode(window, seed)
        self.traps = [self._trap(number, link) for number, link in enumerate(self.network.traps)]
        enter, leave = self.scenario.outage_enter, self.scenario.outage_leave
        streams = counter.OUTAGE_START, counter.OUTAGE_CHANGE
        self.down = [
            chain(seed, streams, node, enter, leave) if enter else [False] * place.SLOTS for node in self.nodes
        ]
        self.copies = self._contiguous()
        self.measured = [0.0] * len(self.traps)
        self.load = self._loads([row for _, rows in self.history for row in rows])
        self.mean_load = dict(self.load)
        self.affinity = self._transitions([row for _, rows in self.history for row in rows])
        self.busy, self.total_busy = [0.0] * place.DEVICES, [0.0] * place.DEVICES
        nothing, nobody = [0.0] * len(self.traps), [False] * place.DEVICES
        self.reference = [self._serve(slot, nothing, nobody)["latency_ms"] for slot in range(place.SLOTS)]
        self.edits, self.served, self.rewards = 0, [], []
        return self.view()

    def _trap(self, number: int, link: dict[str, Any]) -> list[tuple[bool, float]]:
        """Of a trap link in each slot: whether it is bad, and what it adds."""
        streams = counter.TRAP_START, counter.TRAP_CHANGE
        spread = link["trap_extra_max_ms"] - link["trap_extra_min_ms"]
        states = []
        for slot, bad in enumerate(chain(self.seed, streams, number, link["trap_enter"], link["trap_leave"])):
            extra = link["trap_extra_min_ms"] + spread * uniform(self.seed, counter.TRAP_EXTRA, number, slot)
            turn = slot * constants.TRAP_SLOT_MS / constants.DRIFT_MS
            turn += uniform(self.seed, counter.DRIFT_PHASE, number, 0)
            armed = not self.scenario.drifts or turn % 1.0 < 0.5
            bad = bad and armed and self.scenario.traps
            states.append((bad, extra if bad else link["trap_rest_ms"] * self.scenario.traps))
        return states

    def _contiguous(self) -> dict[int, set[int]]:
        shares = [self.experts * room / sum(self.room) for room in self.room]
        taken = [math.floor(share) for share in shares]
        for device in sorted(range(len(shares)), key=lambda one: (taken[one] - shares[one], one)):
            taken[device] += sum(taken) < self.experts
        holders = [device for device, count in enumerate(taken) for _ in range(count)]
        in_order = [(layer, number) for number in range(place.EXPERTS) for layer in range(place.LAYERS)]
        holder = dict(zip(in_order, holders, strict=True))
        return {
            layer * place.EXPERTS + number: {holder[layer, number]}
            for layer in range(place.LAYERS)
            for number in range(place.EXPERTS)
        }

    # --- what happens ----------------------------------------------------------------------------

    def is_valid(self, expert: int, verb: int, device: int) -> bool:
        """Whether an edit is valid."""
        if expert not in self.copies or verb not in range(3) or device not in range(place.DEVICES):
            return False
        if VERBS[verb] == "delete":
            return device in self.copies[expert] and len(self.copies[expert]) > 1
        held = sum(device in copies for copies in self.copies.values())
        return device in self.copies[expert] or held < self.room[device]

    def step(self, expert: int, verb: int, device: int) -> tuple[float, dict[str, Any]]:
        """Make an edit, and serve a batch if it is time; returns reward and view."""
        valid = self.is_valid(expert, verb, device)
        loads = valid and VERBS[verb] != "delete" and device not in self.copies[expert]
        if valid and VERBS[verb] == "place":
            self.copies[expert] = {device}
        elif valid:
            (self.copies[expert].add if VERBS[verb] == "replicate" else self.copies[expert].discard)(device)
        self.edits += 1
        reward = 0.0
        if self.edits > place.PLAN_EDITS:
            reward = self._batch(valid, device if loads else None)
        self.rewards.append(reward)
        return reward, self.view()

    def _batch(self, valid: bool, loaded_on: int | None) -> float:
        slot = self.edits - place.PLAN_EDITS - 1
        done = self._serve(slot, self.measured, self.told_down(slot))
        self.busy = done["busy"]
        self.total_busy = [sum(pair) for pair in zip(self.total_busy, self.busy, strict=True)]
        done["loading_ms"] = 0.0
        if loaded_on is not None:
            done["loading_ms"] = max(0.0, 1000.0 * self.size_gb / place.STORE_GB_PER_S - self.busy[loaded_on])
        if not valid:
            done["lost_ms"] += place.ROUTER_LOST_MS
            done["lost"] += len(done["ways"])
            done["latency_ms"] += place.ROUTER_LOST_MS
        done["latency_ms"] += done["loading_ms"]
        done["loaded_gb"] = self.size_gb * (loaded_on is not None)
        done["copies"] = sum(map(len, self.copies.values()))
        self.served.append(done)
        self._learn(slot, done)
        return (self.reference[slot] - done["latency_ms"]) / (sum(self.reference) / len(self.reference))

    def _learn(self, slot: int, done: dict[str, Any]) -> None:
        fade = math.exp(-constants.TRAP_SLOT_MS / constants.MEASURE_MEMORY_MS)
        met = {trap for source, target in done["ways"] for trap in self.network.paths[source, target]["traps"]}
        met |= {trap for source, target in done["home"] for trap in self.network.paths[source, target]["traps"]}
        for trap in range(len(self.traps)):
            self.measured[trap] *= fade
            if trap in met:
                alpha = constants.MEASURE_ALPHA
                self.measured[trap] = (1 - alpha) * self.measured[trap] + alpha * self.traps[trap][slot][1]
        rows, alpha = [row for _, of_request in self.batches[slot] for row in of_request], place.LOAD_ALPHA
        self.load, now = self._loads(rows), self._transitions(rows)
        for expert in self.copies:
            self.mean_load[expert] = (1 - alpha) * self.mean_load[expert] + alpha * self.load[expert]
        for step in self.affinity.keys() | now.keys():
            self.affinity[step] = (1 - alpha) * self.affinity.get(step, 0.0) + alpha * now.get(step, 0.0)

    def told_down(self, slot: int) -> list[bool]:
        """Which devices are down by the last telemetry."""
        period = round(constants.TELEMETRY_MS / constants.TRAP_SLOT_MS)
        return [states[slot - slot % period] for states in self.down]

    def _loads(self, rows: list[tuple[int, ...]]) -> dict[int, float]:
        loads = dict.fromkeys(range(self.experts), 0.0)
        for row in rows:
            for layer, expert in enumerate(row):
                loads[layer * place.EXPERTS + expert] += 1.0 / len(rows)
        return loads

    def _transitions(self, rows: list[tuple[int, ...]]) -> dict[tuple[int, int, int], float]:
        shares: dict[tuple[int, int, int], float] = {}
        for row in rows:
            for layer, step in enumerate(pairwise(row)):
                shares[layer, *step] = shares.get((layer, *step), 0.0) + 1.0 / len(rows)
        return shares

    def late_ms(self, source: int, target: int, slot: int) -> float:
        """What a way takes longer in `jitter`."""
        pair = source * len(self.network.nodes) + target
        if source == target or uniform(self.seed, counter.JITTER_CHANCE, pair, slot) >= self.scenario.jitter_chance:
            return 0.0
        spread = self.scenario.jitter_max_ms - self.scenario.jitter_min_ms
        return self.scenario.jitter_min_ms + spread * uniform(self.seed, counter.JITTER_EXTRA, pair, slot)

    def _serve(self, slot: int, measured: list[float], told: list[bool]) -> dict[str, Any]:
        """Send the batch of a slot through the experts."""
        rows = [(origin, row) for origin, of_request in self.batches[slot] for row in of_request]
        each = place.REQUEST_ROWS
        at = [origin for origin, _ in rows]
        done: dict[str, Any] = {"ways": [], "home": [], "lost": 0, "lost_ms": 0.0, "busy": [0.0] * place.DEVICES}
        transmission, compute = 0.0, 0.0
        for layer in range(place.LAYERS):
            sent: dict[int, list[tuple[int, int]]] = {device: [] for device in range(place.DEVICES)}
            for number, (_, row) in enumerate(rows):
                expert = layer * place.EXPERTS + row[layer]
                device = min(
                    self.copies[expert], key=lambda one: (self._guess(at[number], one, sent, measured, told), one)
                )
                if self.down[device][slot]:
                    done["lost"] += 1
                    done["lost_ms"] += place.ROUTER_LOST_MS / len(rows)
                    done["ways"].append((at[number], at[number]))
                else:
                    sent[device].append((at[number], expert))
                    done["ways"].append((at[number], self.nodes[device]))
                    at[number] = self.nodes[device]
            transmission += max(self._inflow(device, sent) for device in sent)
            works = [self._work(device, sent) for device in sent]
            compute += max(works)
            done["busy"] = [sum(pair) for pair in zip(done["busy"], works, strict=True)]
        home = [0.0] * (len(rows) // each)
        for number, (origin, _) in enumerate(rows):
            done["home"].append((at[number], origin))
            home[number // each] += self.network.paths[at[number], origin]["ms_per_mb"] * self.row_mb
        return self._timed(done, slot, len(rows), transmission + max(home), compute)

    def _guess(
        self, source: int, device: int, sent: dict[int, list[tuple[int, int]]], measured: list[float], told: list[bool]
    ) -> float:
        """When the router reckons a device to have done a row."""
        path = self.network.paths[source, self.nodes[device]]
        known = path["latency_ms"] + sum(measured[trap] for trap in path["traps"])
        queue = self._inflow(device, sent) + path["ms_per_mb"] * self.row_mb
        queue += self._work(device, sent) + self.row_ms[device]
        return round(known + queue + place.ROUTER_LOST_MS * told[device], 6)

    def _inflow(self, device: int, sent: dict[int, list[tuple[int, int]]]) -> float:
        target = self.nodes[device]
        return sum(self.network.paths[source, target]["ms_per_mb"] * self.row_mb for source, _ in sent[device])

    def _work(self, device: int, sent: dict[int, list[tuple[int, int]]]) -> float:
        used = {expert for _, expert in sent[device]}
        stream_ms = 1000.0 * self.size_gb / place.STREAM_GB_PER_S
        return len(sent[device]) * self.row_ms[device] + len(used) * stream_ms

    def _timed(self, done: dict[str, Any], slot: int, rows: int, transmission: float, compute: float) -> dict[str, Any]:
        moves = done["ways"] + done["home"]
        paths = [self.network.paths[way] for way in moves]
        done["path_ms"] = sum(path["latency_ms"] for path in paths) / rows
        extras = [sum(self.traps[trap][slot][1] for trap in path["traps"]) for path in paths]
        done["trap_ms"] = (sum(extras) + sum(self.late_ms(*way, slot) for way in moves)) / rows
        done["hits"] = sum(self.traps[trap][slot][0] for path in paths for trap in path["traps"]) / rows
        done["crossed"] = sum(source != target for source, target in moves)
        done["transmission_ms"], done["compute_ms"] = transmission, compute
        done["imbalance"] = max(done["busy"]) * place.DEVICES / max(sum(done["busy"]), 1e-9)
        parts = ("path_ms", "trap_ms", "transmission_ms", "compute_ms", "lost_ms")
        done["latency_ms"] = sum(done[part] for part in parts)
        return done

    # --- what is seen ----------------------------------------------------------------------------

    def view(self) -> dict[str, Any]:
        """Experts and devices as dictionaries of features, links, affinity, placement and valid edits."""
        slot = min(max(self.edits - place.PLAN_EDITS, 0), place.SLOTS - 1)
        devices = range(place.DEVICES)
        return {
            "experts": [self._expert(expert) for expert in self.copies],
            "devices": [self._device(device, slot) for device in devices],
            "links": [[self._link(start, end) for end in devices] for start in devices],
            "labels": [[self._label(start, end, slot) for end in devices] for start in devices],
            "progress": {
                "edits_left": max(place.PLAN_EDITS - self.edits, 0) / place.PLAN_EDITS,
                "batches_left": min(place.PLAN_EDITS + place.SLOTS - self.edits, place.SLOTS) / place.SLOTS,
            },
        }

    def _expert(self, expert: int) -> dict[str, float]:
        return {
            "layer": expert // place.EXPERTS / (place.LAYERS - 1),
            "load": self.load[expert] * place.EXPERTS,
            "mean_load": self.mean_load[expert] * place.EXPERTS,
            "copies": len(self.copies[expert]),
            "size_gb": self.size_gb,
        }

    def _device(self, device: int, slot: int) -> dict[str, float]:
        held = sum(device in copies for copies in self.copies.values())
        node, users = self.nodes[device], range(len(self.network.nodes))
        entry = [self._known(user, node) for user in users]
        leave = [self._known(node, user) for user in users]
        return {
            "row_ms": self.row_ms[device],
            "memory_gb": self.memory_gb[device],
            "free_gb": (self.room[device] - held) * self.size_gb,
            "held": held,
            "busy_s": self.busy[device] / 1000.0,
            "entry_s": self._by_demand(entry, 0) / 1000.0,
            "entry_row_ms": self._by_demand(entry, 1),
            "exit_s": self._by_demand(leave, 0) / 1000.0,
            "down": float(self.told_down(slot)[device]),
        }

    def _known(self, source: int, target: int) -> tuple[float, float]:
        path = self.network.paths[source, target]
        return path["latency_ms"] + sum(self.measured[trap] for trap in path["traps"]), path["ms_per_mb"] * self.row_mb

    def _by_demand(self, values: list[tuple[float, float]], entry: int) -> float:
        return sum(share * value[entry] for share, value in zip(self.routes.shares, values, strict=True))

    def _link(self, start: int, end: int) -> dict[str, float]:
        path = self.network.paths[self.nodes[start], self.nodes[end]]
        return {
            "path_s": path["latency_ms"] / 1000.0,
            "row_ms": path["ms_per_mb"] * self.row_mb,
            "measured_extra_s": sum(self.measured[trap] for trap in path["traps"]) / 1000.0,
        }

    def _label(self, start: int, end: int, slot: int) -> dict[str, float]:
        path = self.network.paths[self.nodes[start], self.nodes[end]]
        return {
            "extra_now_s": sum(self.traps[trap][slot][1] for trap in path["traps"]) / 1000.0,
            "down_now": float(self.down[end][slot]),
        }

    def metrics(self) -> dict[str, float]:
        """Figures of an episode that has ended."""
        latencies = sorted(done["latency_ms"] for done in self.served)
        position = 0.95 * (len(latencies) - 1)
        below = math.floor(position)
        rows = place.REQUESTS * place.REQUEST_ROWS
        crossed = self._mean("crossed")
        in_time = [done["latency_ms"] <= constants.DEADLINE_MS and not done["lost"] for done in self.served]
        busy = self.total_busy
        return {
            "relative_speed": sum(self.reference) / sum(latencies),
            "success": sum(in_time) / len(in_time),
            "latency_mean_ms": sum(latencies) / len(latencies),
            "latency_p95_ms": latencies[below] + (position - below) * (latencies[below + 1] - latencies[below]),
            "network_ms": self._mean("path_ms") + self._mean("transmission_ms"),
            **{name: self._mean(name) for name in ("trap_ms", "compute_ms", "loading_ms", "lost_ms", "imbalance")},
            "crossing_share": crossed / (rows * (place.LAYERS + 1)),
            "all_to_all_mb": crossed * self.row_mb,
            "loaded_gb": sum(done["loaded_gb"] for done in self.served),
            "copies": self._mean("copies") / self.experts,
            "trap_hits": self._mean("hits"),
            "jain": sum(busy) ** 2 / (len(busy) * sum(one**2 for one in busy)),
            "reward": sum(self.rewards),
            "decisions": float(self.edits),
        }

    def _mean(self, name: str) -> float:
        return float(sum(done[name] for done in self.served) / len(self.served))
