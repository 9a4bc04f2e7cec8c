"""The Allocate track a second time: slow, in plain Python, from the documentation of the environment.

A heap of events, shortest paths of networkx, dictionaries for what changes, whole histories in place of running
values: what is free is what the jobs held now leave, what is remembered is worked out from every measurement.
"""

from __future__ import annotations

import heapq
import math
from typing import Any

from oracle_network import Network
from splitmix import uniform

from edgebench import constants as shared
from edgebench.registry import Scenario
from edgebench.sim import counter
from edgebench.tracks.allocate import constants
from edgebench.tracks.allocate.constants import RESOURCES

RELEASE, REQUEST, PUBLISH, TURN = range(4)
DONE, EXPIRED = "done", "expired"


def chain(seed: int, streams: tuple[int, int], entity: int, enter: float, leave: float) -> list[bool]:
    """Whether a two-state chain is bad in each slot of an episode."""
    states = [uniform(seed, streams[0], entity, 0) < enter / (enter + leave)]
    for slot in range(1, shared.TRAP_SLOTS):
        changes = uniform(seed, streams[1], entity, slot) < (leave if states[-1] else enter)
        states.append(states[-1] != changes)
    return states


def slot_of(now: float) -> int:
    """The slot of a moment; the last one holds."""
    return min(int(now / 1000.0), shared.TRAP_SLOTS - 1)


def tick_after(now: float) -> float:
    """The next tick."""
    return (math.floor(now / constants.TICK_MS) + 1) * constants.TICK_MS


def percentile(values: list[float], share: float) -> float:
    """With linear interpolation between order statistics."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


class AllocateOracle:
    """Episodes of Allocate on a region.

    Args:
        region: Where.
        scenario: How network and sites behave.
        capacity: What each site has of each resource.
    """

    def __init__(self, region: Any, scenario: Scenario, capacity: list[list[float]]) -> None:
        self.network, self.scenario = Network(region), scenario
        self.capacity = capacity
        self.sites = range(len(capacity))
        self.mean = [sum(site[r] for site in capacity) / len(capacity) for r in range(len(RESOURCES))]

    def reset(self, jobs: list[dict[str, Any]], seed: int) -> dict[str, Any] | None:
        """Begin an episode with these jobs; returns what is seen of the first decision."""
        self.seed, self.jobs, self.now, self.asked = seed, [dict(job) for job in jobs], 0.0, -1
        self.events: list[tuple[float, int, int, int]] = [(0.0, PUBLISH, 0, 0)]
        self.shown: dict[int, dict[str, Any]] = {}
        self.sent_since: dict[int, list[int]] = {}
        self.balance: list[tuple[float, float, float]] = []
        self.measured: dict[int, list[tuple[float, float]]] = {}
        self.spells: list[tuple[int, int, float, float, bool]] = []
        self.hits = self.refusals = self.deferrals = 0
        self.paid = 0.0
        self.bad = [
            chain(seed, (counter.TRAP_START, counter.TRAP_CHANGE), number, link["trap_enter"], link["trap_leave"])
            for number, link in enumerate(self.network.traps)
        ]
        rates = self.scenario.outage_enter, self.scenario.outage_leave
        streams = counter.OUTAGE_START, counter.OUTAGE_CHANGE
        self.down = [chain(seed, streams, site, *rates) if rates[0] else [False] * 256 for site in self.sites]
        for number, job in enumerate(self.jobs):
            job.update(number=number, status="waiting", site=-1, tries=0, ready=job["arrival_ms"])
            self._event(min(job["ready"], job["latest_ms"]), TURN, job)
        self._advance()
        return self.view()

    def step(self, action: int) -> tuple[float, dict[str, Any] | None]:
        """Decide on the job that is asked about; the reward, and what is seen of the next decision."""
        job = self.jobs[self.asked]
        if 0 <= action < len(self.capacity) and self._could_take(job, action):
            self._send(job, action)
        else:
            self.deferrals += 1
            self._queue(job, tick_after(self.now))
        self._advance()
        earned = self.points()
        total = earned["done"] - sum(value for name, value in earned.items() if name != "done")
        reward, self.paid = total - self.paid, total
        return reward, self.view()

    def _event(self, time: float, kind: int, job: dict[str, Any]) -> None:
        heapq.heappush(self.events, (time, kind, -job["priority"], job["number"]))

    def _advance(self) -> None:
        self.asked = -1
        while any(kind != PUBLISH for _, kind, _, _ in self.events):
            time, kind, _, number = heapq.heappop(self.events)
            if kind == PUBLISH:
                self._publish(time)
                continue
            self.now, job = time, self.jobs[number]
            if kind == RELEASE:
                self._release(job)
            elif kind == REQUEST:
                self._arrive(job)
            elif job["ready"] > job["latest_ms"]:
                job["status"] = EXPIRED
            elif any(self._could_take(job, site) for site in self.sites):
                self.asked = number
                return
            else:
                self._queue(job, tick_after(self.now))

    def free(self, site: int) -> list[float]:
        """What a site has free now."""
        held = [job for job in self.jobs if job["status"] == "held" and job["site"] == site]
        return [have - sum(job["demand"][r] for job in held) for r, have in enumerate(self.capacity[site])]

    def _publish(self, time: float) -> None:
        shares = []
        for site in self.sites:
            free = self.free(site)
            ends = [job["ends"] for job in self.jobs if job["status"] == "held" and job["site"] == site]
            down = self.down[site][slot_of(time)]
            self.shown[site] = {"free": free, "down": down, "end": min(ends, default=math.inf)}
            self.sent_since[site] = [
                job["number"] for job in self.jobs if job["status"] == "sent" and job["site"] == site
            ]
            shares.append([free[r] / self.capacity[site][r] for r in range(len(RESOURCES))])
        means = [sum(share) / len(share) for share in shares]
        mean = sum(means) / len(means)
        variance = sum((one - mean) ** 2 for one in means) / len(means)
        self.balance.append((sum(means), sum(min(share) for share in shares), variance))
        heapq.heappush(self.events, (time + shared.TELEMETRY_MS, PUBLISH, 0, 0))

    def _could_take(self, job: dict[str, Any], site: int) -> bool:
        free, down = self._known(job, site)
        path = self.network.paths[job["origin"], site]
        there = self.now + path["latency_ms"] + job["payload_mb"] * path["ms_per_mb"]
        return (
            not down
            and all(have >= need for have, need in zip(free, job["demand"], strict=True))
            and there <= job["latest_ms"]
        )

    def _known(self, job: dict[str, Any], site: int) -> tuple[list[float], bool]:
        if site == job["origin"]:
            return self.free(site), self.down[site][slot_of(self.now)]
        return self.shown[site]["free"], self.shown[site]["down"]

    def _armed(self, trap: int, slot: int) -> bool:
        if not self.scenario.drifts:
            return True
        turn = slot * 1000.0 / shared.DRIFT_MS + uniform(self.seed, counter.DRIFT_PHASE, trap, 0)
        return turn % 1.0 < 0.5

    def _trap(self, trap: int, slot: int) -> tuple[bool, float]:
        """Whether a trap link is bad in a slot, and what it adds."""
        link = self.network.traps[trap]
        if not self.scenario.traps:
            return False, 0.0
        if not (self.bad[trap][slot] and self._armed(trap, slot)):
            return False, link["trap_rest_ms"]
        least, most = link["trap_extra_min_ms"], link["trap_extra_max_ms"]
        return True, least + (most - least) * uniform(self.seed, counter.TRAP_EXTRA, trap, slot)

    def _jitter(self, source: int, target: int, slot: int) -> float:
        chance, pair = self.scenario.jitter_chance, source * len(self.capacity) + target
        if source == target or uniform(self.seed, counter.JITTER_CHANCE, pair, slot) >= chance:
            return 0.0
        least, most = self.scenario.jitter_min_ms, self.scenario.jitter_max_ms
        return least + (most - least) * uniform(self.seed, counter.JITTER_EXTRA, pair, slot)

    def _send(self, job: dict[str, Any], site: int) -> None:
        path, slot = self.network.paths[job["origin"], site], slot_of(self.now)
        met = [(trap, *self._trap(trap, slot)) for trap in path["traps"]]
        self.hits += sum(bad for _, bad, _ in met)
        delay = path["latency_ms"] + sum(extra for *_, extra in met) + self._jitter(job["origin"], site, slot)
        job.update(status="sent", site=site, met=met, transfer=job["payload_mb"] * path["ms_per_mb"])
        self.sent_since[site].append(job["number"])
        self._event(self.now + delay, REQUEST, job)

    def _arrive(self, job: dict[str, Any]) -> None:
        site = job["site"]
        for trap, _, extra in job["met"]:
            self.measured.setdefault(trap, []).append((self.now, extra))
        fits = all(have >= need for have, need in zip(self.free(site), job["demand"], strict=True))
        in_time = self.now + job["transfer"] <= job["latest_ms"]
        if not fits or not in_time or self.down[site][slot_of(self.now)]:
            job["tries"] += 1
            self.refusals += 1
            self._queue(job, tick_after(self.now + self.network.paths[site, job["origin"]]["latency_ms"]))
            return
        job.update(status="held", held=self.now, ends=self.now + job["transfer"] + job["duration_ms"])
        fails = [slot * 1000.0 for slot in range(slot_of(self.now) + 1, 256) if self.down[site][slot]]
        self._event(min([job["ends"], *fails]), RELEASE, job)

    def _release(self, job: dict[str, Any]) -> None:
        is_done = self.now >= job["ends"]
        self.spells.append((job["number"], job["site"], job["held"], self.now, is_done))
        if is_done:
            job["status"] = DONE
        else:
            self._queue(job, math.ceil(self.now / shared.TELEMETRY_MS) * shared.TELEMETRY_MS)

    def _queue(self, job: dict[str, Any], ready: float) -> None:
        job.update(status="waiting", ready=ready)
        self._event(max(self.now, min(ready, job["latest_ms"])), TURN, job)

    def _remembered(self, trap: int) -> float:
        """The moving average of a link's extras, faded to now."""
        total = 0.0
        for later, (known, extra) in enumerate(reversed(self.measured.get(trap, []))):
            weight = shared.MEASURE_ALPHA * (1.0 - shared.MEASURE_ALPHA) ** later
            total += weight * extra * math.exp(-(self.now - known) / shared.MEASURE_MEMORY_MS)
        return total

    def view(self) -> dict[str, Any] | None:
        """What is seen of the present decision, by name; None when the episode is over."""
        if self.asked < 0:
            return None
        job = self.jobs[self.asked]
        waiting = [
            other
            for other in self.jobs
            if other["status"] == "waiting" and other["arrival_ms"] <= self.now and other is not job
        ]
        return {
            "sites": [self._see_site(job, site, waiting) for site in self.sites],
            "job": self._see_job(job),
            "queue": self._see_queue(job, waiting),
            "mask": [int(self._could_take(job, site)) for site in self.sites] + [1],
        }

    def _see_site(self, job: dict[str, Any], site: int, waiting: list[dict[str, Any]]) -> dict[str, float]:
        path, (free, down) = self.network.paths[job["origin"], site], self._known(job, site)
        on_way = [other["number"] for other in self.jobs if other["status"] == "sent" and other["site"] == site]
        asked = [self.jobs[number] for number in (on_way if site == job["origin"] else self.sent_since[site])]
        row = {
            "latency_s": path["latency_ms"] / 1e3,
            "transmission_s": job["payload_mb"] * path["ms_per_mb"] / 1e3,
            "measured_extra_s": sum(self._remembered(trap) for trap in path["traps"]) / 1e3,
            "next_end_s": max(0.0, (self.shown[site]["end"] - self.now) / 1e3),
            "waiting": sum(other["origin"] == site for other in waiting),
            "down": down,
            "is_origin": site == job["origin"],
        }
        for r, name in enumerate(RESOURCES):
            row[f"free_{name}"] = free[r] / self.capacity[site][r]
            row[f"sent_{name}"] = sum(other["demand"][r] for other in asked) / self.capacity[site][r]
            row[f"need_{name}"] = job["demand"][r] / self.capacity[site][r]
        return row

    def _see_job(self, job: dict[str, Any]) -> dict[str, float]:
        return {
            **{f"need_{name}": job["demand"][r] / self.mean[r] for r, name in enumerate(RESOURCES)},
            "priority": job["priority"],
            "duration_s": job["duration_ms"] / 1e3,
            "payload_mb": job["payload_mb"],
            "slack_s": (job["latest_ms"] - self.now) / 1e3,
            "waited_s": (self.now - job["arrival_ms"]) / 1e3,
            "tries": job["tries"],
        }

    def _see_queue(self, job: dict[str, Any], waiting: list[dict[str, Any]]) -> dict[str, float]:
        row = {"elapsed": self.now / constants.HORIZON_MS}
        for priority in (1, 2, 3):
            group = [other for other in waiting if other["priority"] == priority]
            row[f"waiting_{priority}"] = len(group)
            row[f"need_{priority}"] = sum(map(self._dominant, group)) / max(len(group), 1)
            slacks = [(other["latest_ms"] - self.now) / 1e3 for other in group]
            row[f"slack_{priority}_s"] = max(0.0, min(slacks, default=constants.LONG_S))
        for r, name in enumerate(RESOURCES):
            known = [self._known(job, site)[0][r] for site in self.sites]
            row[f"free_{name}"] = sum(known) / sum(site[r] for site in self.capacity)
        return row

    def _dominant(self, job: dict[str, Any]) -> float:
        return max(need / have for need, have in zip(job["demand"], self.mean, strict=True))

    def points(self) -> dict[str, float]:
        """Every term of the reward so far."""
        worth = 100.0 / sum(job["priority"] for job in self.jobs)
        ended = {wanted: [job for job in self.jobs if job["status"] == wanted] for wanted in (DONE, EXPIRED)}
        late = sum(self._latency(job) / self._deadline(job) for job in ended[DONE])
        share = shared.TELEMETRY_MS / constants.HORIZON_MS
        work = sum(self._dominant(job) * job["duration_ms"] for job in self.jobs)
        return {
            "done": worth * sum(job["priority"] for job in ended[DONE]),
            "violated": 0.5 * worth * sum(job["priority"] for job in ended[EXPIRED]),
            "latency": 100.0 * constants.LATENCY_WEIGHT * late / len(self.jobs),
            "imbalance": 100.0 * constants.IMBALANCE_WEIGHT * share * sum(row[2] for row in self.balance),
            "waste": 100.0 * constants.WASTE_WEIGHT * self._idle() / work,
        }

    def _idle(self) -> float:
        return sum(
            self._dominant(self.jobs[number]) * (self.jobs[number]["transfer"] if is_done else end - begin)
            for number, _, begin, end, is_done in self.spells
        )

    def _latency(self, job: dict[str, Any]) -> float:
        return float(job["held"] + job["transfer"] - job["arrival_ms"])

    def _deadline(self, job: dict[str, Any]) -> float:
        return float(job["latest_ms"] + job["duration_ms"] - job["arrival_ms"])

    def metrics(self) -> dict[str, float]:
        """The figures of the episode that has ended."""
        jobs, count = self.jobs, len(self.jobs)
        done = [job for job in jobs if job["status"] == DONE]
        latencies = [self._latency(job) if job["status"] == DONE else self._deadline(job) for job in jobs]
        used = [[0.0] * len(RESOURCES) for _ in self.sites]
        for number, site, begin, end, _ in self.spells:
            for r, need in enumerate(jobs[number]["demand"]):
                used[site][r] += need * (end - begin)
        busy = [
            sum(used[site][r] / self.capacity[site][r] for r in range(len(RESOURCES))) / len(RESOURCES)
            for site in self.sites
        ]
        held = sum(self._dominant(jobs[number]) * (end - begin) for number, _, begin, end, _ in self.spells)
        figures = {
            "completion": sum(job["priority"] for job in done) / sum(job["priority"] for job in jobs),
            "success": len(done) / count,
            "latency_mean_ms": sum(latencies) / count,
            "latency_p95_ms": percentile(latencies, 0.95),
            "fragmentation": 1.0 - sum(row[1] for row in self.balance) / sum(row[0] for row in self.balance),
            "waste": self._idle() / held if held else 0.0,
            "imbalance": sum(row[2] for row in self.balance) / len(self.balance),
            "jain": sum(busy) ** 2 / (len(busy) * sum(one**2 for one in busy)) if any(busy) else 1.0,
            "trap_hits": self.hits / count,
            "refusals": self.refusals / count,
            "deferrals": self.deferrals / count,
        }
        for priority in (1, 2, 3):
            group = [job for job in jobs if job["priority"] == priority]
            missed = sum(job["status"] != DONE for job in group)
            figures[f"violations_{priority}"] = missed / len(group) if group else 0.0
        for r, name in enumerate(RESOURCES):
            whole = sum(site[r] for site in self.capacity)
            figures[f"utilisation_{name}"] = sum(site[r] for site in used) / (whole * self.now)
        return figures | {f"points_{name}": value for name, value in self.points().items()}
