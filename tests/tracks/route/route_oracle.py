"""The Route track a second time: slow, in plain Python, from the documentation of the environment and the simulator.

A heap of events, shortest paths of networkx, dictionaries for what changes, whole histories in place of running
values. The tests drive it beside `RouteEnv`; the benchmark takes it for the pure-Python step.
"""

from __future__ import annotations

import heapq
import math
from typing import Any

from oracle_network import Network, kind_of
from splitmix import uniform

from edgebench import constants
from edgebench.constants import COST_REF_USD, COST_WEIGHT, FAIL_FACTOR, MODEL_TYPES, TELEMETRY_MS, WINDOW_TASKS
from edgebench.registry import Scenario
from edgebench.sim import counter

PARTS = ("network_ms", "trap_ms", "queueing_ms", "loading_ms", "service_ms")


def parents_of(row: dict[str, Any], stage: int) -> list[int]:
    """The stages a stage waits for."""
    return [parent for parent in range(stage) if row["stage_parents"][stage] & 1 << parent]


def children_of(row: dict[str, Any], stage: int) -> list[int]:
    """The stages that wait for a stage."""
    return [child for child in range(len(row["stage_types"])) if stage in parents_of(row, child)]


def leaves_of(row: dict[str, Any]) -> list[int]:
    """The stages whose outputs go back to the user."""
    return [stage for stage in range(len(row["stage_types"])) if not children_of(row, stage)]


def chain(seed: int, streams: tuple[int, int], entity: int, enter: float, leave: float) -> list[bool]:
    """Whether a two-state chain is bad in each slot of an episode."""
    states = [uniform(seed, streams[0], entity, 0) < enter / (enter + leave)]
    for slot in range(1, constants.TRAP_SLOTS):
        changes = uniform(seed, streams[1], entity, slot) < (leave if states[-1] else enter)
        states.append(states[-1] != changes)
    return states


def trap_states(links: list[dict[str, Any]], seed: int) -> list[list[tuple[bool, float]]]:
    """Of each trap link in each slot of an episode: whether it is bad, and its extra delay whatever is sent."""
    return [_chain(link, number, seed) for number, link in enumerate(links)]


def _chain(link: dict[str, Any], number: int, seed: int) -> list[tuple[bool, float]]:
    streams = counter.TRAP_START, counter.TRAP_CHANGE
    least, most = link["trap_extra_min_ms"], link["trap_extra_max_ms"]
    states = []
    for slot, bad in enumerate(chain(seed, streams, number, link["trap_enter"], link["trap_leave"])):
        drawn = least + (most - least) * uniform(seed, counter.TRAP_EXTRA, number, slot)
        states.append((bad, drawn if bad else link["trap_rest_ms"]))
    return states


def slot_of(now: float) -> int:
    """The slot of a moment; the last one holds."""
    return min(int(now / constants.TRAP_SLOT_MS), constants.TRAP_SLOTS - 1)


def slow_ms_per_mb(link: dict[str, Any]) -> float:
    """What a bad trap link takes longer for a megabyte: what it has left of its bandwidth, lost packets sent again."""
    full = link["bandwidth_mbps"]
    left = full if link["trap_mbps"] is None else min(full, link["trap_mbps"])
    return float(8000.0 / (left * (1.0 - link["trap_loss"])) - 8000.0 / full)


def percentile(values: list[float], share: float) -> float:
    """With linear interpolation between order statistics."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


class RouteOracle:
    """Episodes of Route on a region's split."""

    def __init__(
        self, region: Any, scenario: Scenario, *, split: str, tick_ms: float = 0.0, network: Network | None = None
    ) -> None:
        self.network = network or Network(region)
        self.scenario, self.tick_ms = scenario, tick_ms
        self.split = region.task_table(split).to_pylist()

    def reset(self, window: int, seed: int) -> dict[str, Any] | None:
        """Begin an episode; returns what is seen of the first decision."""
        self.seed = seed
        arrivals = self._arrivals(window)
        self.tasks = [self._new_task(number, row, born) for number, (row, born) in enumerate(arrivals)]
        self.events: list[tuple[float, int, int]] = []
        for task in self.tasks:
            for stage in range(len(task["row"]["stage_types"])):
                if not parents_of(task["row"], stage):
                    self._due(task, stage, self._tick(task["born_ms"]))
        self.free = {node: [(-math.inf, 0.0)] for node in range(len(self.network.nodes))}
        self.busy = dict.fromkeys(range(len(self.network.nodes)), 0.0)
        self.stored = dict.fromkeys(range(len(self.network.nodes)), 0.0)
        self.used: dict[int, dict[int, float]] = {node: {} for node in range(len(self.network.nodes))}
        self.trap_states = trap_states(self.network.traps, seed)
        self.down = self._outages()
        self.noticed = dict.fromkeys(self.down, -1)
        self.measured: list[list[tuple[float, float]]] = [[] for _ in self.network.traps]
        self.rewards: list[float] = []
        self._advance()
        return self.view()

    def _arrivals(self, window: int) -> list[tuple[dict[str, Any], float]]:
        """Tasks and when they come, in that order."""
        rows = self.split[window * WINDOW_TASKS : (window + 1) * WINDOW_TASKS]
        times = [row["arrival_ms"] - rows[0]["arrival_ms"] for row in rows]
        if self.scenario.crowds:
            times = self._crowded(times)
        if self.scenario.drifts:
            lon = [node["lon"] for node in self.network.nodes]
            places = []
            for number, row in enumerate(rows):
                blur = uniform(self.seed, counter.DRIFT_PLACE, window * WINDOW_TASKS + number, 0)
                east = (lon[row["node_id"]] - min(lon)) / (max(lon) - min(lon))
                places.append((east + constants.DRIFT_BLUR * blur, number))
            rows = [rows[number] for _, number in sorted(places)]
        return list(zip(rows, times, strict=True))

    def _crowded(self, times: list[float]) -> list[float]:
        share, size = len(times) // self.scenario.crowds, self.scenario.crowd_tasks
        followers = set()
        for crowd in range(self.scenario.crowds):
            draw = uniform(self.seed, counter.CROWD_START, crowd, 0)
            begin = crowd * share + int(draw * (share - size + 1))
            followers |= set(range(begin + 1, begin + size))
        crowded = times[:1]
        for number in range(1, len(times)):
            speedup = self.scenario.crowd_speedup if number in followers else 1.0
            crowded.append(crowded[-1] + (times[number] - times[number - 1]) / speedup)
        return crowded

    def _outages(self) -> dict[int, list[bool]]:
        enter, leave = self.scenario.outage_enter, self.scenario.outage_leave
        streams = counter.OUTAGE_START, counter.OUTAGE_CHANGE
        nodes = range(len(self.network.nodes)) if enter else ()
        return {node: chain(self.seed, streams, node, enter, leave) for node in nodes}

    def _tick(self, due: float) -> float:
        return math.ceil(due / self.tick_ms) * self.tick_ms if self.tick_ms else due

    def _new_task(self, number: int, row: dict[str, Any], born: float) -> dict[str, Any]:
        state = {"sent_to": {}, "done_ms": {}, "doomed": set(), "running": True}
        sums = dict.fromkeys(("quality", "cost_usd", "earned", "utility", "trap_hits", *PARTS), 0.0)
        return {"number": number, "born_ms": born, "row": row, "answered": False, **state, **sums}

    # --- what happens ----------------------------------------------------------------------------

    def step(self, action: int) -> tuple[float, dict[str, Any] | None]:
        """Send the stage whose turn it is; returns the reward and what is seen of the next decision (None: over)."""
        assert self.turn is not None
        task, stage, now = self.turn
        offered = self.network.offers[self._node(task, stage), task["row"]["stage_types"][stage]]
        if 0 <= action < len(offered):
            task["sent_to"][stage] = self.network.instances[offered[action]]
            inputs = self._inputs(task, parents_of(task["row"], stage))
            self._due(task, stage, self._send(task, inputs, task["sent_to"][stage]["node_id"], now))
            reward = self._advance()
        else:
            reward = self._end(task, utility=0.0) + self._advance()
        self.rewards.append(reward)
        return reward, self.view()

    def _node(self, task: dict[str, Any], stage: int) -> int:
        """Where a stage is decided: where the parent ran that was done last, or where the user is."""
        parents = parents_of(task["row"], stage)
        if not parents:
            return int(task["row"]["node_id"])
        last = max(parents, key=lambda parent: (task["done_ms"][parent], -parent))
        return int(task["sent_to"][last]["node_id"])

    def _inputs(self, task: dict[str, Any], stages: list[int]) -> list[tuple[int, float]]:
        """Node and megabytes of what the stages yielded, or of the prompt where there are none."""
        row = task["row"]
        outputs = [(task["sent_to"][stage]["node_id"], row["stage_output_mb"][stage]) for stage in stages]
        return outputs or [(row["node_id"], row["prompt_mb"])]

    def _advance(self) -> float:
        earned = 0.0
        while self.events:
            now, number, stage = heapq.heappop(self.events)
            task = self.tasks[number]
            if not task["running"]:
                continue
            if stage == len(task["row"]["stage_types"]):
                earned += self._answer(task, now)
            elif stage in task["sent_to"]:
                earned += self._arrive(task, stage, now)
            else:
                self.turn: tuple[dict[str, Any], int, float] | None = task, stage, now
                return earned
        self.turn = None
        return earned

    def _send(self, task: dict[str, Any], inputs: list[tuple[int, float]], node: int, now: float) -> float:
        """All at once, each on its own path; returns when the last is there."""
        arrivals = []
        for source, megabytes in inputs:
            path = self.network.paths[source, node]
            extras = [self._extra_ms(trap, megabytes, now) for trap in path["traps"]]
            network = path["latency_ms"] + self._jitter(source, node, now) + megabytes * path["ms_per_mb"]
            arrivals.append((now + network + sum(extras), network, sum(extras)))
            for trap, extra in zip(path["traps"], extras, strict=True):
                task["trap_hits"] += self._state(trap, now)[0]
                if all(known_ms <= now for known_ms, _ in self.measured[trap]):
                    self.measured[trap].append((arrivals[-1][0], extra))
        there, network, extra = max(arrivals, key=lambda arrival: arrival[0])
        task["network_ms"] += network
        task["trap_ms"] += extra
        return there

    def _due(self, task: dict[str, Any], stage: int, when: float) -> None:
        heapq.heappush(self.events, (when, task["number"], stage))

    def _state(self, trap: int, now: float) -> tuple[bool, float]:
        if not self.scenario.traps:
            return False, 0.0
        turn = now / constants.DRIFT_MS + uniform(self.seed, counter.DRIFT_PHASE, trap, 0)
        if self.scenario.drifts and turn % 1.0 >= 0.5:
            return False, self.network.traps[trap]["trap_rest_ms"]
        return self.trap_states[trap][slot_of(now)]

    def _extra_ms(self, trap: int, megabytes: float, now: float) -> float:
        bad, extra = self._state(trap, now)
        return extra + (megabytes * slow_ms_per_mb(self.network.traps[trap]) if bad else 0.0)

    def _jitter(self, source: int, target: int, now: float) -> float:
        way, slot = source * len(self.network.nodes) + target, int(now / constants.TRAP_SLOT_MS)
        is_late = uniform(self.seed, counter.JITTER_CHANCE, way, slot) < self.scenario.jitter_chance
        if source == target or not is_late:
            return 0.0
        spread = self.scenario.jitter_max_ms - self.scenario.jitter_min_ms
        return self.scenario.jitter_min_ms + spread * uniform(self.seed, counter.JITTER_EXTRA, way, slot)

    def _notice(self, node: int, slot: int, now: float) -> None:
        """Lose what a node held if it was down in any slot since the last notice."""
        if self.down and any(self.down[node][self.noticed[node] + 1 : slot + 1]):
            self.free[node].append((now, 0.0))
            self.used[node].clear()
            self.stored[node] = 0.0
        if self.down:
            self.noticed[node] = max(self.noticed[node], slot)

    def _told(self, now: float) -> int:
        """The slot of which telemetry last told."""
        period = round(TELEMETRY_MS / constants.TRAP_SLOT_MS)
        return min(int(now / TELEMETRY_MS), (constants.TRAP_SLOTS - 1) // period) * period

    def _arrive(self, task: dict[str, Any], stage: int, now: float) -> float:
        instance, row = task["sent_to"][stage], task["row"]
        node, tokens = instance["node_id"], row["stage_tokens"][stage]
        if stage in task["doomed"]:
            return self._end(task, utility=0.0)
        self._notice(node, self._told(now), self._told(now) * constants.TRAP_SLOT_MS - 1e-3)
        self._notice(node, slot_of(now), now)
        if self.down and self.down[node][slot_of(now)]:
            return self._end(task, utility=0.0)
        begin = max(now, self.free[node][-1][1])
        if begin - task["born_ms"] > FAIL_FACTOR * row["deadline_ms"]:
            return self._end(task, utility=0.0)
        loading = self._load(instance)
        service = tokens * instance["work"] / self.network.speed(node)
        done = begin + loading + service
        self.free[node].append((now, done))
        self.used[node][instance["instance_id"]] = done
        self.busy[node] += loading + service
        failing = [slot for slot in range(slot_of(now), slot_of(done) + 1) if self.down and self.down[node][slot]]
        for part, value in (("queueing_ms", begin - now), ("loading_ms", loading), ("service_ms", service)):
            task[part] += value
        if done - task["born_ms"] <= FAIL_FACTOR * row["deadline_ms"] and failing:
            task["doomed"].add(stage)
            self._due(task, stage, failing[0] * constants.TRAP_SLOT_MS)
            return 0.0
        task["quality"] += instance["quality"]
        task["cost_usd"] += instance["price_usd_per_1k_tokens"] / 1000.0 * tokens
        task["done_ms"][stage] = done
        elapsed = max(task["done_ms"].values()) - task["born_ms"]
        if elapsed > FAIL_FACTOR * row["deadline_ms"]:
            return self._end(task, utility=0.0)
        self._follow(task, stage)
        return self._earn(task, self._potential(task, elapsed))

    def _follow(self, task: dict[str, Any], stage: int) -> None:
        done, stages = task["done_ms"], len(task["row"]["stage_types"])
        for child in children_of(task["row"], stage):
            if all(parent in done for parent in parents_of(task["row"], child)):
                self._due(task, child, self._tick(max(done[parent] for parent in parents_of(task["row"], child))))
        if len(done) == stages:
            self._due(task, stages, max(done.values()))

    def _load(self, instance: dict[str, Any]) -> float:
        node, resident = instance["node_id"], self.used[instance["node_id"]]
        if instance["instance_id"] in resident:
            return 0.0
        while self.stored[node] + instance["memory_gb"] > self.network.nodes[node]["storage_gb"]:
            oldest = min(resident, key=lambda one: resident[one])
            del resident[oldest]
            self.stored[node] -= self.network.instances[oldest]["memory_gb"]
        self.stored[node] += instance["memory_gb"]
        return float(1000.0 * instance["memory_gb"] / constants.LOAD_GB_PER_S)

    def _answer(self, task: dict[str, Any], now: float) -> float:
        row = task["row"]
        task["latency_ms"] = self._send(task, self._inputs(task, leaves_of(row)), row["node_id"], now) - task["born_ms"]
        if task["latency_ms"] > FAIL_FACTOR * task["row"]["deadline_ms"]:
            return self._end(task, utility=0.0)
        task["answered"] = True
        return self._end(task, utility=max(0.0, self._worth(task, max(0.0, 1.0 - self._lateness(task)))))

    def _lateness(self, task: dict[str, Any]) -> float:
        return float(task["latency_ms"] / task["row"]["deadline_ms"])

    def _worth(self, task: dict[str, Any], speed: float) -> float:
        row = task["row"]
        quality = task["quality"] / len(row["stage_types"])
        cost = COST_WEIGHT * task["cost_usd"] / COST_REF_USD
        return float(row["quality_weight"] * quality + row["speed_weight"] * speed - cost)

    def _potential(self, task: dict[str, Any], elapsed: float) -> float:
        done = len(task["done_ms"]) / len(task["row"]["stage_types"])
        return self._worth(task, done - min(1.0, elapsed / task["row"]["deadline_ms"]))

    def _end(self, task: dict[str, Any], *, utility: float) -> float:
        task["running"], task["utility"] = False, utility
        if not task["answered"]:
            task["latency_ms"] = FAIL_FACTOR * task["row"]["deadline_ms"]
        return self._earn(task, utility)

    def _earn(self, task: dict[str, Any], potential: float) -> float:
        gained = potential - task["earned"]
        task["earned"] = potential
        return float(gained)

    # --- what is seen ----------------------------------------------------------------------------

    def view(self) -> dict[str, Any] | None:
        """Whose turn it is, what is offered, and every feature by name; None at the end."""
        if self.turn is None:
            return None
        task, stage, _ = self.turn
        node = self._node(task, stage)
        offered = self.network.offers[node, task["row"]["stage_types"][stage]]
        return {
            "task": task["number"],
            "stage": stage,
            "node": node,
            "user_node": task["row"]["node_id"],
            "instances": offered,
            "candidates": [self._candidate(self.network.instances[number]) for number in offered],
            "features": self._features(),
        }

    def _candidate(self, instance: dict[str, Any]) -> dict[str, float]:
        assert self.turn is not None
        task, stage, now = self.turn
        row, node = task["row"], instance["node_id"]
        self._notice(node, self._told(now), self._told(now) * constants.TRAP_SLOT_MS - 1e-3)
        back = self.network.paths[node, row["node_id"]]
        tokens, speed = row["stage_tokens"][stage], self.network.speed(node)
        inputs = [self._expected(source, node, sent) for source, sent in self._inputs(task, parents_of(row, stage))]
        latency, transmission, extra = max(inputs, key=sum)
        arrival = now + latency + transmission + extra
        extra_back = sum(self._remembered(trap, now) for trap in back["traps"])
        children, outputs = children_of(row, stage), row["stage_output_mb"]
        answer_mb = max(outputs[leaf] for leaf in leaves_of(row)) if children else outputs[stage]
        onward = [self.network.onward_ms[node, row["stage_types"][child]] for child in children]
        return {
            "propagation_s": latency / 1e3,
            "transmission_s": transmission / 1e3,
            "measured_extra_s": extra / 1e3,
            "queue_s": max(0.0, self._published(node, now) - arrival) / 1e3,
            "loading_s": 0.0
            if instance["instance_id"] in self.used[node]
            else instance["memory_gb"] / constants.LOAD_GB_PER_S,
            "service_s": tokens * instance["work"] / speed / 1e3,
            "quality": instance["quality"],
            "cost": instance["price_usd_per_1k_tokens"] * tokens / 1e3 / COST_REF_USD,
            "return_s": (back["latency_ms"] + answer_mb * back["ms_per_mb"] + extra_back) / 1e3,
            "onward_s": max(onward, default=0.0) / 1e3,
            "speed": speed,
            "stored": self.stored[node] / self.network.nodes[node]["storage_gb"],
            "down": float(bool(self.down) and self.down[node][self._told(now)]),
        }

    def _expected(self, source: int, node: int, megabytes: float) -> tuple[float, float, float]:
        """Latency, transmission and remembered extra of an input at the decision that is due."""
        assert self.turn is not None
        path = self.network.paths[source, node]
        extra = sum(self._remembered(trap, self.turn[2]) for trap in path["traps"])
        return path["latency_ms"], megabytes * path["ms_per_mb"], extra

    def _published(self, node: int, now: float) -> float:
        """The queue as it was when the telemetry period of `now` began."""
        period = int(now / TELEMETRY_MS)
        return next(
            free for since, free in reversed(self.free[node]) if since < 0 or int(since / TELEMETRY_MS) < period
        )

    def _remembered(self, trap: int, now: float) -> float:
        average, since = 0.0, 0.0
        for known_ms, extra in self.measured[trap]:
            if known_ms <= now:
                average *= (1.0 - constants.MEASURE_ALPHA) * math.exp((since - known_ms) / constants.MEASURE_MEMORY_MS)
                average += constants.MEASURE_ALPHA * extra
                since = known_ms
        return average * math.exp((since - now) / constants.MEASURE_MEMORY_MS)

    def _features(self) -> dict[str, float]:
        assert self.turn is not None
        task, stage, now = self.turn
        row, kinds = task["row"], [kind_of(name) for name in task["row"]["stage_types"]]
        following = [kinds[child] for child in children_of(row, stage)]
        undecided = [kinds[other] for other in range(len(kinds)) if other not in task["sent_to"]]
        undecided.remove(kinds[stage])
        return {
            "quality_weight": row["quality_weight"],
            "speed_weight": row["speed_weight"],
            "deadline_s": row["deadline_ms"] / 1e3,
            "elapsed_s": (now - task["born_ms"]) / 1e3,
            "stages_left": (len(undecided) + 1) / 10,
            "stages": len(kinds) / 10,
            **{f"is_{kind}": float(kinds[stage] == kind) for kind in MODEL_TYPES},
            **{f"next_{kind}": float(kind in following) for kind in MODEL_TYPES},
            **{f"later_{kind}": undecided.count(kind) / 10 for kind in MODEL_TYPES},
            "tokens_k": row["stage_tokens"][stage] / 1e3,
            "payload_mb": sum(sent for _, sent in self._inputs(task, parents_of(row, stage))),
            "quality_so_far": task["quality"] / len(kinds),
            "cost_so_far": task["cost_usd"] / COST_REF_USD,
            "in_flight": sum(one["running"] and one["born_ms"] <= now for one in self.tasks) / WINDOW_TASKS,
        }

    # --- what is reported ------------------------------------------------------------------------

    def summary(self) -> dict[str, float]:
        """Every metric of the episode."""
        count, latencies = len(self.tasks), [task["latency_ms"] for task in self.tasks]
        qualities = [task["quality"] / len(task["row"]["stage_types"]) for task in self.tasks if task["answered"]]
        busy = list(self.busy.values())
        squares = sum(value**2 for value in busy)
        means = ("utility", "cost_usd", "trap_hits", *PARTS)
        return {
            **{name: sum(task[name] for task in self.tasks) / count for name in means},
            "success": len(qualities) / count,
            "quality": sum(qualities) / len(qualities) if qualities else 0.0,
            "latency_mean_ms": sum(latencies) / count,
            "latency_p50_ms": percentile(latencies, 0.50),
            "latency_p95_ms": percentile(latencies, 0.95),
            "latency_p99_ms": percentile(latencies, 0.99),
            "jain": sum(busy) ** 2 / (len(busy) * squares) if squares else 1.0,
            "reward": math.fsum(self.rewards),
            "decisions": float(len(self.rewards)),
        }
