"""The Offload track as a PettingZoo parallel environment: every node an agent."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from edgebench.envs.faces import TeamFace
from edgebench.envs.pettingzoo_bases import ParallelEnv
from edgebench.errors import unknown_name
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.tracks.offload.env import Observed, checked_shares, observation, observation_space
from edgebench.tracks.offload.page import PARALLEL_PAGE
from edgebench.tracks.offload.simulation import DEFAULT_PHYSICS, Simulation
from edgebench.tracks.offload.state import C
from edgebench.tracks.offload.workloads import DEFAULT_WORKLOAD, Workload

_Told = tuple[dict[str, Observed], dict[str, dict[str, Any]]]
REWARDS: Final = ("own", "team")


class Shares(spaces.Box):
    """`Box(0, 1, shape)` that can be sampled with a mask, as PettingZoo's tests do: masked shares are 0."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(0.0, 1.0, shape, np.float32)

    def sample(self, mask: Any = None, probability: Any = None) -> NDArray[Any]:
        """Uniform shares, those of mask 0 left out."""
        drawn = super().sample()
        return drawn if mask is None else np.asarray(drawn * mask, drawn.dtype)


class OffloadParallelEnv(TeamFace, ParallelEnv[str, Observed, NDArray[Any]]):  # type: ignore[misc]  # noqa: D101
    __doc__ = PARALLEL_PAGE
    track: Final = "offload"
    _simulation: Simulation
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
        self._open(region, scenario, split, edition, seed)
        self.privileged, self._shares_reward = privileged, reward == "team"
        self._simulation = Simulation(self.region, self.scenario, split, physics=physics, workload=workload)
        agents = [f"node_{number}" for number in range(self._simulation.nodes)]
        seen = observation_space((), privileged=privileged)
        self._gather({agent: copy.deepcopy(seen) for agent in agents}, {agent: Shares((C,)) for agent in agents})

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> _Told:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        self._simulation.start(*self._pin(seed, options))
        return self._told()

    def step(
        self, actions: Mapping[str, ArrayLike]
    ) -> tuple[dict[str, Observed], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play a slot; `actions` holds one of every agent. Returns PettingZoo's five values."""
        self._refuse(actions)
        team = self._simulation.step(np.stack([checked_shares(actions[agent], (C,)) for agent in self.agents]))
        own = np.full(len(self.agents), team) if self._shares_reward else self._simulation.own_rewards()
        rewards = dict(zip(self.agents, own.tolist(), strict=True))
        self._count(team)
        observed, infos = self._told()
        terminated, truncated = self._flags(terminated=False, truncated=self._simulation.is_over)
        return observed, rewards, terminated, truncated, infos

    def _told(self) -> _Told:
        whole = observation(self._simulation, slice(None), privileged=self.privileged)
        observed = {
            agent: {name: values[row] for name, values in whole.items()}
            for row, agent in enumerate(self.possible_agents)
        }
        return observed, {agent: {"action_mask": observed[agent]["action_mask"]} for agent in self.possible_agents}
