"""The gate: is a track a problem worth solving, and is its score honest?

Measured per region on the test split; every check has a value and a least value it must reach.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from edgebench.constants import EVAL_SEEDS
from edgebench.envs import make_env
from edgebench.errors import EdgeBenchError
from edgebench.harness.rollout import fixed_episodes, roll
from edgebench.region import Region, load
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.tracks.route.bound import task_bounds

SEEDS: Final = 3 * EVAL_SEEDS
"""Scenario seeds a window: three times those of a score, for the gate measures differences of few points."""
TRIVIAL: Final = ("nearest",)
HEURISTICS: Final = ("fastest-node", "highest-quality", "least-loaded", "greedy-estimate", "lookahead")
PARTS: Final = {
    "network": "network_ms",
    "trap extras": "trap_ms",
    "queueing": "queueing_ms",
    "loading": "loading_ms",
    "service": "service_ms",
}
MEMORYLESS: Final = "what it did before"

LEAST_GAP: Final = 5.0
LEAST_CORRELATION: Final = 0.95
LEAST_PART: Final = 8.0
LEAST_LOSS: Final = 2.0
LEAST_GAIN: Final = 2.0
LEAST_MEMORY_LOSS: Final = 5.0
"""Thresholds in points of the normalised score (0 random-valid, 100 bound), in per cent of latency for parts."""

Metrics = list[dict[str, float]]


@dataclass(frozen=True)
class Check:
    """One line of the gate: `value` must be at least `least`."""

    table: str
    region: str
    name: str
    value: float
    least: float

    @property
    def holds(self) -> bool:
        """Whether the value reaches the least one; a NaN does not."""
        return self.value >= self.least


@dataclass(frozen=True)
class Table:
    """A titled table of text cells."""

    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class GateReport:
    """What the gate measured: every policy's score and every check."""

    track: str
    edition: str
    scenario: str
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every check holds and there is one."""
        return bool(self.checks) and all(check.holds for check in self.checks)

    def tables(self) -> list[Table]:
        """Scores by policy and region, then the checks, a table a kind."""
        regions = list(self.scores)
        policies = list(self.scores[regions[0]]) if regions else []
        cells = [[name, *(f"{self.scores[region][name]:z.1f}" for region in regions)] for name in policies]
        tables = [Table("scores (0 random-valid, 100 bound)", ["policy", *regions], cells)]
        for title in dict.fromkeys(check.table for check in self.checks):
            tables.append(self._check_table(title, [check for check in self.checks if check.table == title]))
        return tables

    def _check_table(self, title: str, checks: list[Check]) -> Table:
        regions = list(dict.fromkeys(check.region for check in checks))
        value = {(check.name, check.region): f"{check.value:z.2f}{'' if check.holds else ' FAILS'}" for check in checks}
        least = {check.name: f"{check.least:g}" for check in checks}
        rows = [[name, *(value[name, region] for region in regions), least[name]] for name in least]
        return Table(title, ["check", *regions, "at least"], rows)

    def as_json(self) -> dict[str, Any]:
        """Everything measured, as plain values."""
        checks = [{**vars(check), "holds": check.holds} for check in self.checks]
        head = {"track": self.track, "edition": self.edition, "scenario": self.scenario, "ok": self.ok}
        return {**head, "scores": self.scores, "checks": checks}


def run_gate(
    track: str,
    *,
    regions: Sequence[str],
    edition: str = SAMPLE_EDITION,
    on_step: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> GateReport:
    """Measure the gate of a track on built regions, scenario `trap`.

    Raises:
        EdgeBenchError: A region is not built, or no region is given.
    """
    if not regions:
        raise EdgeBenchError("no region to measure the gate on", mend="name at least one region")
    report = GateReport(track, edition, DEFAULT_SCENARIO)
    for done, name in enumerate(regions):
        on_step(name, done, len(regions))
        measured = _Measured(load(name, edition=edition), track)
        report.scores[name] = measured.scores
        report.checks.extend(measured.checks())
    on_step("done", len(regions), len(regions))
    return report


class _Measured:
    """Every policy of the gate on one region."""

    def __init__(self, region: Region, track: str) -> None:
        self._region = region
        self._env = make_env(track, region, scenario=DEFAULT_SCENARIO, split="test")
        face: Any = self._env.unwrapped
        self._episodes = fixed_episodes(face.windows, SEEDS)
        self._search: Any = importlib.import_module("reference_agents.route.tuned_search")
        self._weights = self._search.weights_of(region, DEFAULT_SCENARIO)
        self.rolled = {name: self._roll(_agent(name)) for name in ("random-valid", *TRIVIAL, *HEURISTICS)}
        tuned: Any = importlib.import_module("reference_agents.route.tuned")
        self.rolled["tuned"] = self._roll(tuned.Agent(self._weights))
        self._saboteurs = {
            name: self._roll(_Saboteur(tuned.Agent(self._weights), gives_up)) for name, gives_up in SABOTAGE.items()
        }
        bounds = task_bounds(region, "test")
        self._random, self._bound = _mean(self.rolled["random-valid"], "utility"), float(bounds.mean())
        self.scores = {name: self._points(_mean(metrics, "utility")) for name, metrics in self.rolled.items()}
        self.scores["bound"] = 100.0

    def checks(self) -> Iterator[Check]:
        """All checks of the region."""
        for table, name, value, least in (
            *self._separation(),
            *self._honesty(),
            *self._parts(),
            *self._ablations(),
            *self._learnability(),
        ):
            yield Check(table, self._region.name, name, value, least)

    def _roll(self, agent: Any) -> Metrics:
        return list(roll(self._env, agent, self._episodes))

    def _points(self, utility: float) -> float:
        return 100.0 * (utility - self._random) / (self._bound - self._random)

    def _best_heuristic(self) -> float:
        return max(self.scores[name] for name in HEURISTICS)

    def _separation(self) -> Iterator[tuple[str, str, float, float]]:
        title = "separation (points)"
        trivial, best = max(self.scores[name] for name in TRIVIAL), self._best_heuristic()
        yield title, "trivial above random-valid", trivial, LEAST_GAP
        yield title, "best heuristic above trivial", best - trivial, LEAST_GAP
        yield title, "bound above best heuristic", 100.0 - best, LEAST_GAP
        yield title, "bound above tuned", 100.0 - self.scores["tuned"], LEAST_GAP

    def _honesty(self) -> Iterator[tuple[str, str, float, float]]:
        from scipy.stats import spearmanr

        title = "honesty"
        runs = [*self.rolled.values(), *self._saboteurs.values()]
        pairs = np.array([(metrics["reward"], metrics["utility"]) for run in runs for metrics in run])
        correlation = float(spearmanr(np.round(pairs, 9)).statistic)  # rewards of 0 differ by rounding alone
        yield title, "rank correlation of reward and utility", correlation, LEAST_CORRELATION
        for name, metrics in self._saboteurs.items():
            loss = self.scores["tuned"] - self._points(_mean(metrics, "utility"))
            yield title, f"points lost by failing {name}", loss, 0.0

    def _parts(self) -> Iterator[tuple[str, str, float, float]]:
        means = {name: _mean(self.rolled["random-valid"], metric) for name, metric in PARTS.items()}
        for name, mean in means.items():
            yield "parts of random-valid's latency (%)", name, 100.0 * mean / sum(means.values()), LEAST_PART

    def _ablations(self) -> Iterator[tuple[str, str, float, float]]:
        for without in self._search.WITHOUT:
            if without != MEMORYLESS:
                yield "tuned without (points lost)", without, self._loss(without), LEAST_LOSS

    def _learnability(self) -> Iterator[tuple[str, str, float, float]]:
        title = "learnability (points)"
        yield title, "tuned above the best heuristic", self.scores["tuned"] - self._best_heuristic(), LEAST_GAIN
        yield title, f"lost by ignoring {MEMORYLESS}", self._loss(MEMORYLESS), LEAST_MEMORY_LOSS

    def _loss(self, without: str) -> float:
        runs = self._search.TunedRuns(self._region, "test", DEFAULT_SCENARIO, without)
        return self.scores["tuned"] - self._points(runs.utility(self._weights, self._episodes))


class _Saboteur:
    """An agent that fails tasks on purpose: sends an index outside the candidates when `gives_up` says so."""

    def __init__(self, agent: Any, gives_up: Callable[[dict[str, Any]], bool]) -> None:
        self._agent, self._gives_up = agent, gives_up

    def reset(self, info: dict[str, Any]) -> None:
        self._agent.reset(info)

    def act(self, observation: dict[str, Any], info: dict[str, Any]) -> int:
        return -1 if self._gives_up(observation) else int(self._agent.act(observation, info))


def _entry(observation: dict[str, Any], name: str) -> float:
    from edgebench.tracks.route.features import TASK

    return float(observation["task"][TASK[name]])


SABOTAGE: Final[dict[str, Callable[[dict[str, Any]], bool]]] = {
    "at once": lambda seen: True,
    "on the last stage": lambda seen: _entry(seen, "stages_left") < 0.15,
    "once the deadline has passed": lambda seen: _entry(seen, "elapsed_s") > _entry(seen, "deadline_s"),
}
"""When a saboteur fails a task on purpose."""


def _agent(name: str) -> Any:
    return importlib.import_module(f"reference_agents.{name.replace('-', '_')}").Agent()


def _mean(metrics: Metrics, name: str) -> float:
    return float(np.mean([episode[name] for episode in metrics]))
