"""The gate: is a track a problem worth solving, and is its score honest?

Measured per region on the test split; every check has a value and a least value it must reach. What is measured of
every track stands here, what else is measured of one in its own `gate.py`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from edgebench.constants import GATE_SEEDS
from edgebench.envs import make_env
from edgebench.errors import EdgeBenchError
from edgebench.harness.references import ZERO_AGENT, bounds_of
from edgebench.harness.rollout import decide, fixed_episodes, roll
from edgebench.region import Region, load
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION, SCENARIOS, UNSEEN
from edgebench.registry import track as find_track
from edgebench.track import named

ZERO: Final = ZERO_AGENT.replace("_", "-")

LEAST_GAP: Final = 5.0
LEAST_CORRELATION: Final = 0.95
"""Thresholds: points of the normalised score (0 random-valid, 100 bound), rank correlation."""

Metrics = list[dict[str, float]]
Finding = tuple[str, str, float, float]
"""Title of the table a check stands in, name of the check, value, least value."""
Spoil = Callable[[dict[str, Any], Any], Any]
"""From an observation and a good action to a bad one."""


class Spoiled:
    """An agent that fails on purpose: another's actions, spoiled.

    Args:
        agent: The other.
        spoil: Gives the action to take from the observation and the other's action.
    """

    def __init__(self, agent: Any, spoil: Spoil) -> None:
        self._agent, self._spoil = agent, spoil

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode, the other too."""
        self._agent.reset(info)

    def act(self, observation: dict[str, Any], info: dict[str, Any]) -> Any:
        """The other's action, spoiled."""
        return self._spoil(observation, decide(self._agent, observation, info))


@dataclass(frozen=True)
class GatePlan:
    """What the gate plays on a track.

    Attributes:
        trivial: Names of the trivial reference agents.
        heuristics: Names of the reference agents that think.
        failing: By name, what an agent that fails on purpose does instead of the champion's action.
        trained: By name, agents with something learned on the region's train tasks; they come after the heuristics.
        unseen: The same of those that learned nothing on the region it is given, for the cross-domain check.
        more: Further findings on a region of which all that has been measured is given.
    """

    trivial: tuple[str, ...]
    heuristics: tuple[str, ...]
    failing: Mapping[str, Spoil] = field(default_factory=dict)
    trained: Mapping[str, Callable[[Region], Any]] = field(default_factory=dict)
    unseen: Mapping[str, Callable[[Region], Any]] = field(default_factory=dict)
    more: Callable[[Measured], Iterator[Finding]] = lambda measured: iter(())


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
        rows = [[name, *(value.get((name, region), "–") for region in regions), least[name]] for name in least]
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
    seeds: int = GATE_SEEDS,
    on_step: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> GateReport:
    """Measure the gate of a track on built regions in `trap`: every window of the test split under `seeds` seeds.

    Raises:
        EdgeBenchError: A region is not built, or no region is given.
    """
    if not regions:
        raise EdgeBenchError("no region to measure the gate on", mend="name at least one region")
    report = GateReport(track, edition, DEFAULT_SCENARIO)
    for done, name in enumerate(regions):
        on_step(f"{track} {name}", done, len(regions))
        measured = Measured(load(name, edition=edition), track, seeds)
        report.scores[name] = measured.scores
        report.checks.extend(measured.checks())
    on_step("done", len(regions), len(regions))
    return report


class Measured:
    """Every policy of a track's gate on one region.

    Attributes:
        region: The region.
        episodes: What was played, (window, scenario seed).
        rolled: Metrics of every policy's episodes, by name.
        scores: Score of every policy in points.
        champion: Name of the best of the heuristics and trained agents.
    """

    def __init__(self, region: Region, track: str, seeds: int = GATE_SEEDS) -> None:
        self.region, self._track = region, find_track(track)
        self.plan: GatePlan = named(self._track.gate)
        self._env = make_env(track, region, scenario=DEFAULT_SCENARIO, split="test")
        face: Any = self._env.unwrapped
        self.episodes = fixed_episodes(face.windows, seeds)
        self._agents: dict[str, Callable[[Region], Any]] = {
            name: self._reference(name) for name in (ZERO, *self.plan.trivial, *self.plan.heuristics)
        } | dict(self.plan.trained)
        self.rolled = {name: self.roll(agent(region)) for name, agent in self._agents.items()}
        bound = bounds_of(self._track)
        bounds = bound(region, scenario=SCENARIOS[DEFAULT_SCENARIO], split="test", episodes=self.episodes)
        self._random, self._bound = self.mean(ZERO, self._track.metric), float(bounds.mean())
        self.scores = {name: self.points(metrics) for name, metrics in self.rolled.items()} | {"bound": 100.0}
        self.champion = max((*self.plan.heuristics, *self.plan.trained), key=self.scores.__getitem__)
        self._failing = {
            name: self.roll(Spoiled(self.champion_agent(), spoil)) for name, spoil in self.plan.failing.items()
        }

    def roll(self, agent: Any) -> Metrics:
        """Metrics of an agent's episodes."""
        return list(roll(self._env, agent, self.episodes))

    def points(self, metrics: Metrics) -> float:
        """Score of such episodes."""
        mean = float(np.mean([episode[self._track.metric] for episode in metrics]))
        return self.points_of(mean)

    def points_of(self, mean: float) -> float:
        """Score of a mean of the primary metric."""
        return 100.0 * (mean - self._random) / (self._bound - self._random)

    def mean(self, policy: str, metric: str) -> float:
        """Mean of a metric over a policy's episodes."""
        return float(np.mean([episode[metric] for episode in self.rolled[policy]]))

    def champion_agent(self) -> Any:
        """The champion, afresh."""
        return self._agents[self.champion](self.region)

    @property
    def trivial(self) -> float:
        """Score of the best trivial policy."""
        return max(self.scores[name] for name in self.plan.trivial)

    @property
    def heuristic(self) -> float:
        """Score of the best heuristic."""
        return max(self.scores[name] for name in self.plan.heuristics)

    def checks(self) -> Iterator[Check]:
        """All checks of the region."""
        for finding in (*self._separation(), *self._honesty(), *self._cross_domain(), *self.plan.more(self)):
            table, name, value, least = finding
            yield Check(table, self.region.name, name, value, least)

    def _reference(self, name: str) -> Callable[[Region], Any]:
        module = f"{self._track.agents}.{name.replace('-', '_')}"
        return lambda region: importlib.import_module(module).Agent()

    def _separation(self) -> Iterator[Finding]:
        title = "separation (points)"
        yield title, f"trivial above {ZERO}", self.trivial, LEAST_GAP
        yield title, "best heuristic above trivial", self.heuristic - self.trivial, LEAST_GAP
        yield title, "bound above best heuristic", 100.0 - self.heuristic, LEAST_GAP
        for name in self.plan.trained:
            yield title, f"bound above {name}", 100.0 - self.scores[name], LEAST_GAP

    def _honesty(self) -> Iterator[Finding]:
        from scipy.stats import spearmanr

        title, metric = "honesty", self._track.metric
        runs = [*self.rolled.values(), *self._failing.values()]
        pairs = np.array([(metrics["reward"], metrics[metric]) for run in runs for metrics in run])
        correlation = float(spearmanr(np.round(pairs, 9)).statistic)  # rewards of 0 differ by rounding alone
        yield title, f"rank correlation of reward and {metric}", correlation, LEAST_CORRELATION
        for name, metrics in self._failing.items():
            loss = self.scores[self.champion] - self.points(metrics)
            yield title, f"points lost by failing {name}", loss, 0.0

    def _cross_domain(self) -> Iterator[Finding]:
        """Of the region kept for tests: agents that learned nothing there."""
        if self.region.name != UNSEEN:
            return
        title = "cross-domain (points)"
        best = self.heuristic
        for agent in self.plan.unseen.values():
            best = max(best, self.points(self.roll(agent(self.region))))
        yield title, f"trivial above {ZERO}, never seen", self.trivial, LEAST_GAP
        yield title, "best above trivial, never seen", best - self.trivial, LEAST_GAP
        yield title, "bound above best, never seen", 100.0 - best, LEAST_GAP
