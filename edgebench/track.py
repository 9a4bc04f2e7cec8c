"""What a track is: the record from which loader, evaluator, gate, boards, cards and docs take all they need of it."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

SUCCESS: Final = "success"
"""The metric every track has: the share of what was asked that was done, 0 in a failed episode."""


@dataclass(frozen=True)
class Metric:
    """A figure of an episode.

    Attributes:
        name: Its column, with the unit at the end where it has one.
        meaning: What it is, in one line.
        least: No episode has less.
        most: No episode has more.
        heading: Its column in printed tables, "" for a figure that stands in the files alone.
        scale: Printed is the value times this, as the heading's unit says,
        digits: with so many behind the point.
    """

    name: str
    meaning: str
    least: float = 0.0
    most: float = math.inf
    heading: str = ""
    scale: float = 1.0
    digits: int = 3


OF_THE_HARNESS: Final = (
    Metric("reward", "sum of the rewards", least=-math.inf),
    Metric("decisions", "decisions taken", least=1.0),
    Metric("decision_cpu_ms", "mean CPU time of a decision", heading="decision ms"),
)
"""The figures of an episode that every track has beside its own; the last is the harness's, not the environment's."""


@dataclass(frozen=True)
class Track:
    """A decision problem. Everything but its name, question and figures is named as `module:attribute`.

    Attributes:
        name: A word; the Gymnasium ids begin with it.
        question: What is decided, in one line.
        metric: The primary metric, higher is better.
        floor: Its value of a failed episode.
        metrics: The figures of an episode that the environment tells: the primary metric, `success` and others.
        env: The Gymnasium environment that the harness plays (`edgebench.envs`).
        bound: The reference bound (`edgebench.harness.references.EpisodeBounds`).
        gate: The gate's plan (`edgebench.harness.gate.GatePlan`).
        agents: The package of the track's reference agents, `random_valid` among them: a score of 0 is its.
        vector: The Gymnasium vector environment, "" where there is none.
        parallel: The PettingZoo parallel environment, "" where there is none.
        aec: The PettingZoo AEC environment, "" where there is none.
        row_check: What else must hold in a row of an episode table (`edgebench.leaderboard.rows.RowCheck`), "" for
            nothing.
        streams: The track's draws (`edgebench.sim.counter.Stream`), "" for none of its own.
        worlds: What learning plays (`edgebench.learning.world.World`), by face; `single` has the actions of `env`.
        sights: How a policy that was trained on a face sees `env` (`edgebench.learning.sight.Sight`), by face; without
            one it is played on its face alone.
        first_agent: The module that `edgebench init` writes out for a beginner, "" for none.
        guide: The reference agent that `edgebench play` asks and `edgebench explain` sets beside a run, "" for none.
        hand: How a person plays it (`edgebench.play.hand.Hand`), "" where nobody can.
        losses: Where the primary metric is lost (`edgebench.explain.losses.Losses`), "" where that is not told.
    """

    name: str
    question: str
    metric: str
    floor: float
    metrics: tuple[Metric, ...]
    env: str
    bound: str
    gate: str
    agents: str
    vector: str = ""
    parallel: str = ""
    aec: str = ""
    row_check: str = ""
    streams: str = ""
    worlds: Mapping[str, str] = field(default_factory=dict)
    sights: Mapping[str, str] = field(default_factory=dict)
    first_agent: str = ""
    guide: str = ""
    hand: str = ""
    losses: str = ""

    @property
    def figures(self) -> tuple[Metric, ...]:
        """All figures of an episode, in the order of their columns."""
        return (*self.metrics, *OF_THE_HARNESS)

    @property
    def floors(self) -> dict[str, float]:
        """What a failed episode has in place of figures; it has no others."""
        return {SUCCESS: 0.0, self.metric: self.floor}

    @property
    def folder(self) -> Path:
        """The folder of the track's parts: that of its environment's module."""
        found = importlib.util.find_spec(self.env.partition(":")[0])
        if found is None or found.origin is None:
            raise ModuleNotFoundError(self.env)
        return Path(found.origin).resolve().parent

    def env_id(self, region: str) -> str:
        """The Gymnasium id of this track on a registered region."""
        return f"EdgeBench/{self.name.capitalize()}-{region.upper()}-v0"

    @property
    def any_env_id(self) -> str:
        """The Gymnasium id of this track on any region: `gymnasium.make(id, region="bern", edition="mine")`."""
        return f"EdgeBench/{self.name.capitalize()}-v0"


def named(entry: str) -> Any:
    """What stands at `module:attribute`."""
    module, _, attribute = entry.partition(":")
    return getattr(importlib.import_module(module), attribute)
