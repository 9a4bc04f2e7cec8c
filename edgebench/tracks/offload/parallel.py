"""The Offload track as a PettingZoo parallel environment: every node an agent."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from edgebench.envs.pettingzoo_bases import ParallelEnv
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.pinning import Pinning
from edgebench.region import Region, load
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.registry import scenario as find_scenario
from edgebench.tracks.offload.env import Observed, checked_shares, observation, observation_space
from edgebench.tracks.offload.page import PARALLEL_PAGE
from edgebench.tracks.offload.simulation import DEFAULT_PHYSICS, Simulation
from edgebench.tracks.offload.state import C
from edgebench.tracks.offload.workloads import DEFAULT_WORKLOAD, Workload

_Told = tuple[dict[str, Observed], dict[str, dict[str, Any]]]
REWARDS: Final = ("own", "team")
_PROBE: Final = "options"
"""PettingZoo's own test gives this option to see whether options are taken at all."""


class Shares(spaces.Box):
    """`Box(0, 1, shape)` that can be sampled with a mask, as PettingZoo's tests do: masked shares are 0."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(0.0, 1.0, shape, np.float32)

    def sample(self, mask: Any = None, probability: Any = None) -> NDArray[Any]:
        """Uniform shares, those of mask 0 left out."""
        drawn = super().sample()
        return drawn if mask is None else np.asarray(drawn * mask, drawn.dtype)


class OffloadParallelEnv(ParallelEnv[str, Observed, NDArray[Any]]):  # type: ignore[misc]  # noqa: D101
    __doc__ = PARALLEL_PAGE
    track: Final = "offload"
    metadata: dict[str, Any] = {"name": "offload_parallel_v0", "render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        region: str | Region = "s1",
        *,
        scenario: str = DEFAULT_SCENARIO,
        split: str = "train",
        edition: str = SAMPLE_EDITION,
        seed: int = 0,
        privileged: bool = False,
        physics: str = DEFAULT_PHYSICS,
        workload: Workload = DEFAULT_WORKLOAD,
        reward: str = "own",
    ) -> None:
        if reward not in REWARDS:
            raise unknown_name("reward", reward, REWARDS)
        self.region = load(region, edition=edition) if isinstance(region, str) else region
        self.scenario, self.split, self.privileged = find_scenario(scenario), split, privileged
        self._simulation = Simulation(self.region, self.scenario, split, physics=physics, workload=workload)
        self._pinning = Pinning(self.region, split, seed)
        self._shares_reward = reward == "team"
        self.possible_agents = [f"node_{number}" for number in range(self._simulation.nodes)]
        self.agents: list[str] = []

    @functools.cache  # noqa: B019, PettingZoo wants the same space each time
    def observation_space(self, agent: str) -> spaces.Dict:
        """Of every agent, the same."""
        return observation_space((), privileged=self.privileged)

    @functools.cache  # noqa: B019
    def action_space(self, agent: str) -> spaces.Box:
        """Of every agent, the same."""
        return Shares((C,))

    @property
    def windows(self) -> int:
        """Episodes' worth of tasks in the split."""
        return self._pinning.windows

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> _Told:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        options = {name: value for name, value in (options or {}).items() if name != _PROBE}
        self._simulation.start(*self._pinning.begin(seed, options))
        self.agents = list(self.possible_agents)
        return self._told()

    def step(
        self, actions: Mapping[str, ArrayLike]
    ) -> tuple[dict[str, Observed], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play a slot; `actions` holds one of every agent. Returns PettingZoo's five values."""
        if not self.agents:
            raise EdgeBenchError("the episode is over", mend="call reset() before step()")
        if actions.keys() != set(self.agents):
            missing = sorted(set(self.agents) ^ set(actions))
            raise EdgeBenchError(
                "not one action an agent", where=", ".join(map(str, missing)), mend="give one for each"
            )
        team = self._simulation.step(np.stack([checked_shares(actions[agent], (C,)) for agent in self.agents]))
        own = np.full(len(self.agents), team) if self._shares_reward else self._simulation.own_rewards()
        observed, infos = self._told()
        rewards = dict(zip(self.agents, own.tolist(), strict=True))
        terminated, truncated = (dict.fromkeys(self.agents, ended) for ended in (False, self._simulation.is_over))
        if self._simulation.is_over:
            self.agents = []
        return observed, rewards, terminated, truncated, infos

    def summary(self) -> dict[str, float]:
        """Metrics of the episode that has just ended (`edgebench.tracks.offload.metrics`); an error before its end."""
        return self._simulation.metrics()

    def _told(self) -> _Told:
        whole = observation(self._simulation, slice(None), privileged=self.privileged)
        observed = {
            agent: {name: values[row] for name, values in whole.items()}
            for row, agent in enumerate(self.possible_agents)
        }
        return observed, {agent: {"action_mask": observed[agent]["action_mask"]} for agent in self.possible_agents}
