"""What the faces of a track share: which region, which episode, what it has brought, when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from edgebench.errors import EdgeBenchError
from edgebench.pinning import Pinning
from edgebench.region import Region, load
from edgebench.registry import scenario as find_scenario

_PROBE: Final = "options"
"""An option that PettingZoo's API test gives to every environment."""


class Simulated(Protocol):
    """The simulation behind a face, as far as faces are alike."""

    def start(self, window: int, seed: int) -> None:
        """Begin the episode of a window under a scenario seed."""

    def metrics(self) -> dict[str, float]:
        """Metrics of an episode that has ended."""


class Face:
    """A track's environment for one agent: mix it in before Gymnasium's class.

    Attributes:
        region: The region.
        scenario: How network and load behave.
        split: Whose tasks and users they are.
    """

    _simulation: Simulated

    def _open(self, region: str | Region, scenario: str, split: str, edition: str, seed: int) -> None:
        """Find the region and the scenario; EdgeBenchError where one of the names is unknown."""
        self.region = load(region, edition=edition) if isinstance(region, str) else region
        self.scenario, self.split = find_scenario(scenario), split
        self._pinning = Pinning(self.region, split, seed)
        self._reward, self._decisions, self._over, self._begun = 0.0, 0, True, False

    @property
    def windows(self) -> int:
        """Episodes' worth of tasks in the split."""
        return self._pinning.windows

    def _pin(self, seed: int | None, options: dict[str, Any] | None) -> tuple[int, int]:
        """Window and scenario seed of the episode that begins now."""
        episode = self._pinning.begin(seed, options)
        self._reward, self._decisions, self._over, self._begun = 0.0, 0, False, True
        return episode

    def _refuse_if_over(self) -> None:
        if self._over:
            raise EdgeBenchError("the episode is over", mend="call reset() before step()")

    def _count(self, reward: float) -> float:
        """Enter a decision and what it brought."""
        self._reward += reward
        self._decisions += 1
        return reward

    @property
    def simulation(self) -> Any:
        """What is played, to be read alone: it holds what no agent may know."""
        return self._simulation

    def summary(self) -> dict[str, float]:
        """Metrics of the episode that has just ended, its reward and decisions; EdgeBenchError before its end."""
        if not self._begun or not self._over:
            raise EdgeBenchError("the episode is not over", mend="step until it is terminated or truncated")
        return {**self._simulation.metrics(), "reward": self._reward, "decisions": float(self._decisions)}


class TeamFace(Face):
    """A track's environment for several agents at once: mix it in before PettingZoo's class.

    Attributes:
        possible_agents: Names of all agents.
        agents: The same while an episode lasts.
        observation_spaces: By agent.
        action_spaces: By agent.
    """

    render_mode: str | None = None

    def _gather(self, observed: Mapping[str, Any], acting: Mapping[str, Any]) -> None:
        """Take the agents and their spaces."""
        self.possible_agents, self.agents = list(observed), list[str]()
        self.observation_spaces, self.action_spaces = dict(observed), dict(acting)

    def observation_space(self, agent: str) -> Any:
        """The space of an agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """The space of an agent's actions."""
        return self.action_spaces[agent]

    def _pin(self, seed: int | None, options: dict[str, Any] | None) -> tuple[int, int]:
        known = {name: value for name, value in (options or {}).items() if name != _PROBE}
        episode = super()._pin(seed, known)
        self.agents = list(self.possible_agents)
        return episode

    def _refuse(self, actions: Mapping[str, Any]) -> None:
        """EdgeBenchError after the end of the episode, and for anything but one action of every agent."""
        self._refuse_if_over()
        if actions.keys() != set(self.agents):
            odd = sorted(set(self.agents) ^ set(actions))
            raise EdgeBenchError("not one action an agent", where=", ".join(map(str, odd)), mend="give one for each")

    def _flags(self, *, terminated: bool, truncated: bool) -> tuple[dict[str, bool], dict[str, bool]]:
        """PettingZoo's two flags of every agent; nobody acts after the end."""
        flags = dict.fromkeys(self.agents, terminated), dict.fromkeys(self.agents, truncated)
        self._over = terminated or truncated
        if self._over:
            self.agents = []
        return flags
