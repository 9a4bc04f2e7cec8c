"""What each published table is made of: training runs, agents that are not trained, and where all are played."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from edgebench.constants import EVAL_SEEDS, GATE_SEEDS
from edgebench.errors import unknown_name
from edgebench.learning.job import SINGLE
from edgebench.registry import DEFAULT_SCENARIO, SCENARIOS

SEEDS: Final = 5
"""Training seeds of every row."""
TRAINED_ON: Final = ("s1", "s2", "s3")
STANDARD: Final = (*TRAINED_ON, "s4")
_MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Row:
    """A method trained in one way.

    Attributes:
        label: Its name in the table, and of its folder.
        method: A learning method.
        regions: Where it learns.
        settings: Its own, where they are not the defaults.
        times: How many times as many decisions as the other rows it learns from; its label says so.
    """

    label: str
    method: str
    regions: tuple[str, ...] = TRAINED_ON
    settings: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1


@dataclass(frozen=True)
class Table:
    """A published table.

    Attributes:
        name: What `edgebench reproduce --table` calls it.
        title: What it shows.
        track: The decision problem.
        rows: What is trained, with the same seeds, and the same number of decisions but for `Row.times`.
        tests: Regions on which everything is played.
        scenarios: In which everything is played.
        steps: Decisions that each run learns from.
        face: Who decides.
        agents: Reference agents beside them, on the face `single`.
        matrix: Whether it is read as training region x test region.
        default_seeds: Under how many scenario seeds every window is played in the default scenario, under `EVAL_SEEDS`
            in any other: more where the differences are of few points.
    """

    name: str
    title: str
    track: str
    rows: tuple[Row, ...]
    tests: tuple[str, ...] = STANDARD
    scenarios: tuple[str, ...] = tuple(SCENARIOS)
    steps: int = _MILLION
    face: str = SINGLE
    agents: tuple[str, ...] = ()
    matrix: bool = False
    default_seeds: int = EVAL_SEEDS

    @property
    def scenario_seeds(self) -> dict[str, int]:
        """By scenario, under how many scenario seeds every window is played."""
        return {name: self.default_seeds if name == DEFAULT_SCENARIO else EVAL_SEEDS for name in self.scenarios}

    def only(self, labels: Sequence[str]) -> Table:
        """The same of some rows; EdgeBenchError where one is not there."""
        rows = {row.label: row for row in self.rows}
        for label in labels:
            if label not in rows:
                raise unknown_name("row", label, rows)
        return dataclasses.replace(self, rows=tuple(rows[label] for label in labels))


def _plain(*methods: str) -> tuple[Row, ...]:
    return tuple(Row(method, method) for method in methods)


def _longer(method: str, times: int) -> Row:
    return Row(f"{method}-x{times}", method, times=times)


def _without(method: str, *parts: str) -> tuple[Row, ...]:
    return tuple(Row(f"{method}-without-{part.replace('_', '-')}", method, settings={part: False}) for part in parts)


_ROUTE: Final = (
    *("ppo", "a2c", "ppo-cn", "pf-ppo", "gnn-ppo", "transformer", "imitation", "topofreerl", "vamappo", "es"),
)
_HEURISTICS: Final = ("tuned", "lookahead", "greedy-estimate", "nearest", "random-valid")
_TRAP: Final = (DEFAULT_SCENARIO,)
_CAREFUL: Final = {"actor_rate": 0.004, "noise": 0.3}
"""On Allocate, tried with MADDPG on `val`, seed 0, 0.3 M decisions: with the defaults, tried on Offload, the actor
leaves what it begins with for less."""
TABLES: Final = {
    table.name: table
    for table in (
        Table(
            "route-methods", "Every method, learning on s1, s2 and s3, on all regions and in all scenarios", "route",
            (*_plain(*_ROUTE), _longer("es", 10)), agents=_HEURISTICS,
        ),
        Table(
            "route-scale", "Learning on 500 nodes, playing on 2000", "route",
            tuple(Row(method, method, ("trap500",)) for method in _ROUTE),
            tests=("trap500", "trap2000"), steps=_MILLION // 2, agents=_HEURISTICS[1:],
        ),
        Table(
            "route-team", "Four gateways deciding together", "route", _plain("ippo", "mappo", "vamappo"),
            steps=_MILLION // 2, face="team",
        ),
        Table(
            "route-transfer", "Learning on one region, playing on another", "route",
            tuple(Row(f"ppo-on-{region}", "ppo", (region,)) for region in STANDARD),
            scenarios=_TRAP, steps=_MILLION // 2, matrix=True,
        ),
        Table(
            "route-ablations", "Methods without one of their parts", "route",
            (
                *_plain("topofreerl"), *_without("topofreerl", "se", "dwa"),
                Row("topofreerl-with-trap-labels", "topofreerl", settings={"trap_labels": True}),
                *_plain("vamappo"), *_without("vamappo", "adaptation", "coordination"),
                *_plain("ppo"), *_without("ppo", "mask"),
            ),
            scenarios=_TRAP, steps=_MILLION // 2,
        ),
        Table(
            "route-messages", "VAMAPPO on the gateways' face without messages and without coordination", "route",
            (*_plain("vamappo"), *_without("vamappo", "messages", "coordination")),
            scenarios=_TRAP, steps=_MILLION // 2, face="team",
        ),
        Table(
            "offload-methods", "Every method on Offload", "offload",
            (*_plain("dirichlet-ppo", "ippo", "mappo", "maddpg", "matd3", "sac", "es"), _longer("es", 10)),
            face="team", steps=2 * _MILLION,
            agents=("proportional", "lp-yesterday", "nearest-slack", "all-local", "random-valid"),
        ),
        Table(
            "allocate-methods", "Methods on Allocate", "allocate",
            (*_plain("ppo", "es"), _longer("es", 10)),
            agents=("priority-edf", "worst-fit", "first-fit", "random-valid"), default_seeds=GATE_SEEDS,
        ),
        Table(
            "allocate-team", "Sites that offer, on Allocate", "allocate",
            (*_plain("ippo", "mappo"), *(Row(name, name, settings=_CAREFUL) for name in ("maddpg", "matd3"))),
            face="team", agents=("priority-edf", "all-offer", "random-valid"),
        ),
        Table(
            "place-methods", "Methods on Place", "place", (*_plain("ppo", "ma-ppo", "es"), _longer("es", 10)),
            steps=_MILLION // 5,
            agents=("affinity-annealing", "hierarchical-eplb", "popularity", "contiguous", "random-valid"),
        ),
        Table(
            "place-team", "One who picks the expert and one who places it, on Place", "place", _plain("ippo", "mappo"),
            face="team", steps=_MILLION // 5,
            agents=("affinity-annealing", "hierarchical-eplb", "popularity", "random-valid"),
        ),
    )
}  # fmt: skip
"""The published tables by name."""


def tables_of(name: str) -> list[Table]:
    """The table of that name, or all those of the track of that name.

    Raises:
        EdgeBenchError: No table and no track with tables bears the name.
    """
    if name in TABLES:
        return [TABLES[name]]
    found = [table for table in TABLES.values() if table.track == name]
    if not found:
        raise unknown_name("table", name, {*TABLES, *(table.track for table in TABLES.values())})
    return found
