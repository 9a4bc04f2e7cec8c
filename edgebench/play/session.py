"""An episode in a person's hands: the decisions, the guide's advice, the score at the end. No terminal here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from edgebench.envs import make_env
from edgebench.errors import EdgeBenchError
from edgebench.harness.actions import action_problem
from edgebench.harness.references import References, compute_on
from edgebench.harness.rollout import decide, reset_info, roll
from edgebench.play.hand import Decision, Hand
from edgebench.region import Region
from edgebench.registry import track as find_track
from edgebench.track import named

HINT: Final = "h"
FINISH: Final = "f"
QUIT: Final = "q"


@dataclass(frozen=True)
class Outcome:
    """How an episode ended for the person and for the guide.

    Attributes:
        yours: Figures of the episode as it was played.
        guides: Those of the guide on the same episode.
        references: What scores of 0 and 1 stand for on it.
        metric: The primary metric's name.
    """

    yours: Mapping[str, float]
    guides: Mapping[str, float]
    references: References
    metric: str

    def score(self, figures: Mapping[str, float]) -> float | None:
        """The score on this one episode; None where random does as well as the bound."""
        span = self.references.bound - self.references.random
        return (figures[self.metric] - self.references.random) / span if span > 0.0 else None


class Session:
    """One episode, decision by decision.

    Args:
        track: The decision problem.
        region: Where.
        scenario: How the network behaves.
        split: Whose tasks.
        window: Which window of them.
        seed: The scenario's seed.

    Attributes:
        track: The track.
        guide_name: The heuristic that is asked.
        region: Where.
        decision: What is shown now.
        hinted: The guide's choice, once asked for; None before.
        decisions: Taken so far, and
        by_guide: of them by the guide, asked for the rest.
        earned: Sum of the rewards so far.
        last: The last reward.
        over: Whether the episode has ended.
    """

    decision: Decision

    def __init__(self, track: str, region: Region, *, scenario: str, split: str, window: int, seed: int) -> None:
        found = find_track(track)
        if not found.hand or not found.guide:
            raise EdgeBenchError(f"the track {track} cannot be played by hand", mend="edgebench list tracks")
        self.track, self.guide_name, self.region = found, found.guide, region
        self._episode = window, seed
        self._conditions = {"scenario": scenario, "split": split}
        self.hand: Hand = named(found.hand)(region)
        self._env = make_env(track, region, scenario=scenario, split=split)
        self._guide = self._new_guide()
        self._guide.reset(reset_info(region, track=track, window=window, seed=seed, **self._conditions))
        self.decisions, self.by_guide, self.earned, self.last, self.over = 0, 0, 0.0, 0.0, False
        self._see(*self._env.reset(options={"window": window, "seed": seed}))

    def _new_guide(self) -> Any:
        return named(f"{self.track.agents}.{self.guide_name.replace('-', '_')}:Agent")()

    def _see(self, observation: dict[str, Any], info: dict[str, Any]) -> None:
        self.observation, self._info, self.hinted = observation, info, None
        if not self.over:
            self.decision = self.hand.look(observation, info)

    def hint(self) -> Any:
        """The guide's choice for this decision."""
        if self.hinted is None:
            self.hinted = decide(self._guide, self.observation, self._info)
        return self.hinted

    def take(self, action: Any) -> None:
        """Decide.

        Raises:
            EdgeBenchError: The action is not valid here; nothing has happened.
        """
        problem = action_problem(self._env.action_space, self.observation["action_mask"], action)
        if problem is not None:
            raise EdgeBenchError(problem, mend=self.hand.usage)
        observation, reward, terminated, truncated, info = self._env.step(action)
        self.decisions += 1
        self.last, self.over = float(np.asarray(reward)), terminated or truncated
        self.earned += self.last
        self._see(observation, info)

    def finish(self) -> None:
        """Let the guide take all decisions that are left."""
        while not self.over:
            self.by_guide += 1
            self.take(self.hint())

    def outcome(self) -> Outcome:
        """The figures at the end, the guide's on the same episode beside them."""
        face: Any = self._env.unwrapped
        yours, episodes = face.summary(), [self._episode]
        (guides,) = roll(self._env, self._new_guide(), episodes)
        found = compute_on(self.region, track=self.track.name, episodes=episodes, **self._conditions)
        return Outcome(yours, guides, found, self.track.metric)
