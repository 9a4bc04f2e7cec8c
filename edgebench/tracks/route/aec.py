"""The Route track as a PettingZoo AEC environment: gateways decide one after another, in the order of events."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgebench.envs.pettingzoo_bases import AECEnv
from edgebench.errors import EdgeBenchError
from edgebench.region import Region
from edgebench.tracks.route.env import Observed
from edgebench.tracks.route.state import TURN
from edgebench.tracks.route.team import RouteTeam


class RouteAecEnv(RouteTeam, AECEnv[str, Observed, Any]):  # type: ignore[misc]
    """One decision at a time, by the gateway in whose cluster it is due: to the last bit `RouteEnv`'s simulation.

    Spaces, clusters, observations and messages are those of `edgebench.tracks.route.parallel.RouteParallelEnv`, with
    these differences. `tick_ms` is 0 by default: no decision waits. `agent_selection` is the gateway whose decision is
    due first, of equals that of the task that arrived first; the others have nothing to decide. At every decision all
    gateways send their rows, and each the message it gave at its last turn.

    Rewards follow PettingZoo's convention: after a step every gateway's reward is what all tasks have earned until the
    next decision, and `last()` gives what has come together since the gateway's last turn. So the rewards of any one
    gateway over an episode, those of its last step with `None` included, sum to the utilities of the tasks.

    Args:
        region: A name or a loaded region.
        tick_ms: Decisions wait for the next multiple of this; 0: they do not wait.
        others: As `edgebench.tracks.route.team.RouteTeam`.

    Raises:
        EdgeBenchError: As there.
    """

    metadata: dict[str, Any] = {"name": "route_aec_v0", "render_modes": [], "is_parallelizable": False}  # noqa: RUF012

    def __init__(self, region: str | Region = "s1", *, tick_ms: float = 0.0, **others: Any) -> None:
        super().__init__(region, tick_ms=tick_ms, **others)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin an episode; `options` may pin `window` and `seed`."""
        self._begin(seed, options)
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.truncations = dict.fromkeys(self.agents, False)
        self._hand_over()

    def observe(self, agent: str) -> Observed:
        """What a gateway sees now, whether it is its turn or not."""
        return self._observation(self.possible_agents.index(agent))

    def step(self, action: Any) -> None:
        """Send the stage whose turn it is to the candidate `action` names; give `None` when the episode is over."""
        if not self.agents:
            raise EdgeBenchError("the episode is over", mend="call reset() before step()")
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        parsed = self._parsed(agent, action)
        self._cumulative_rewards[agent] = 0.0
        reward = self._act({self.possible_agents.index(agent): parsed})
        self.rewards = dict.fromkeys(self.agents, reward)
        self._accumulate_rewards()
        self._hand_over()

    def _asked(self) -> list[int]:
        return np.flatnonzero(self._first == self._simulation.state.cursor[TURN]).tolist()

    def _hand_over(self) -> None:
        """Give the turn to the gateway that decides next, or to the first when the episode is over."""
        self.terminations = dict.fromkeys(self.agents, self._over)
        self.infos = {agent: self._info(row) for row, agent in enumerate(self.possible_agents)}
        self.agent_selection = self.possible_agents[next(iter(self._decisions), 0)]
