"""The gate's plan of the Route track: who plays, who fails on purpose, what else must hold."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from edgebench.harness.gate import Finding, GatePlan, Measured, Spoil
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO
from edgebench.tracks.route.features import TASK

PARTS: Final = {
    "network": "network_ms",
    "trap extras": "trap_ms",
    "queueing": "queueing_ms",
    "loading": "loading_ms",
    "service": "service_ms",
}
MEMORYLESS: Final = "what it did before"

LEAST_PART: Final = 8.0
LEAST_LOSS: Final = 2.0
LEAST_GAIN: Final = 2.0
LEAST_MEMORY_LOSS: Final = 5.0
"""Thresholds in points of the normalised score, in per cent of latency for parts."""


def _entry(observation: dict[str, Any], name: str) -> float:
    return float(observation["task"][TASK[name]])


def _when(gives_up: Callable[[dict[str, Any]], bool]) -> Spoil:
    """Fail the task, by an index outside the candidates, when `gives_up` says so."""
    return lambda seen, action: -1 if gives_up(seen) else action


FAILING: Final = {
    "at once": _when(lambda seen: True),
    "on the last stage": _when(lambda seen: _entry(seen, "stages_left") < 0.15),
    "once the deadline has passed": _when(lambda seen: _entry(seen, "elapsed_s") > _entry(seen, "deadline_s")),
}


def _search() -> Any:
    return importlib.import_module("reference_agents.route.tuned_search")


def _tuned(region: Region) -> Any:
    return importlib.import_module("reference_agents.route.tuned").Agent(_search().weights_of(region, DEFAULT_SCENARIO))


def _tuned_elsewhere(region: Region) -> Any:
    return importlib.import_module("reference_agents.route.tuned").Agent(_search().weights_from_elsewhere(region.name))


def _findings(measured: Measured) -> Iterator[Finding]:
    yield from _parts(measured)
    search = _search()
    weights = search.weights_of(measured.region, DEFAULT_SCENARIO)
    losses = {name: _loss(measured, weights, name) for name in search.WITHOUT}
    memory_loss = losses.pop(MEMORYLESS)
    for name, loss in losses.items():
        yield "tuned without (points lost)", name, loss, LEAST_LOSS
    title = "learnability (points)"
    yield title, "tuned above the best heuristic", measured.scores["tuned"] - measured.heuristic, LEAST_GAIN
    yield title, f"lost by ignoring {MEMORYLESS}", memory_loss, LEAST_MEMORY_LOSS


def _parts(measured: Measured) -> Iterator[Finding]:
    means = {name: measured.mean("random-valid", metric) for name, metric in PARTS.items()}
    for name, mean in means.items():
        yield "parts of random-valid's latency (%)", name, 100.0 * mean / sum(means.values()), LEAST_PART


def _loss(measured: Measured, weights: Any, without: str) -> float:
    runs = _search().TunedRuns(measured.region, "test", DEFAULT_SCENARIO, without)
    return measured.scores["tuned"] - measured.points_of(runs.utility(weights, measured.episodes))


PLAN: Final = GatePlan(
    trivial=("nearest",),
    heuristics=("fastest-node", "highest-quality", "least-loaded", "greedy-estimate", "lookahead"),
    failing=FAILING,
    trained={"tuned": _tuned},
    unseen={"tuned": _tuned_elsewhere},
    more=_findings,
)
