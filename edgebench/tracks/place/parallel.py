"""The Place track as a PettingZoo parallel environment: one agent picks the expert, one what is done with it where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from edgebench.envs.pettingzoo_bases import ParallelEnv
from edgebench.errors import EdgeBenchError
from edgebench.pinning import Pinning
from edgebench.region import Region, load
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.registry import scenario as find_scenario
from edgebench.tracks.place.constants import DEVICES, EXPERTS, LAYERS
from edgebench.tracks.place.edits import REPLICATE
from edgebench.tracks.place.env import OBSERVED, Observed, observation_space
from edgebench.tracks.place.simulation import Simulation

EXPERT, DEVICE = "expert", "device"
_Told = tuple[dict[str, Observed], dict[str, dict[str, Any]]]
_NO_EDIT: Final = (-1, 0, 0)
_PROBE: Final = "options"
"""PettingZoo's API tests reset with this option, to learn whether options are taken at all."""

PAGE: Final = f"""Two agents place the experts of a mixture-of-experts model: one picks the expert, one verb and device.

    ## Description
    Everything but the actions is that of `edgebench.tracks.place.env.PlaceEnv`. Both agents act at once, so neither
    knows what the other picks. The two actions make an edit. If both are within their masks and the edit is not valid
    all the same (no room for a copy, no copy to delete, the last copy), the placement is kept.

    ## Action space
    Of `{EXPERT}` `Discrete({EXPERTS * LAYERS})`: the expert. Of `{DEVICE}` `Discrete({3 * DEVICES})`: place on device
    0 ... {DEVICES - 1}, then replicate on them, then delete from them.

    ## Observation space
    Of both agents that of `PlaceEnv`, with an `action_mask` of their own: an expert of which some edit is valid (that
    is any), a verb and device of which the edit of some expert is. An action outside its mask makes an invalid edit.

    ## Rewards
    Both are given the reward of `PlaceEnv`.

    ## Starting state, episode end
    As `PlaceEnv`, of both agents at once. `reset(seed=..., options={{"window": w, "seed": s}})` as there.

    ## Information
    Of both agents that of `PlaceEnv`, `action_mask` as observed.

    ## Arguments
    `region`, `scenario`, `split`, `edition`, `seed` and `trace` as `PlaceEnv`.

    ## Version history
    v0: first version.
    """


class PlaceParallelEnv(ParallelEnv[str, Observed, Any]):  # type: ignore[misc]  # noqa: D101
    __doc__ = PAGE
    track: Final = "place"
    metadata: dict[str, Any] = {"name": "place_parallel_v0", "render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        region: str | Region = "s1",
        *,
        scenario: str = DEFAULT_SCENARIO,
        split: str = "train",
        edition: str = SAMPLE_EDITION,
        seed: int = 0,
        trace: str | Path | None = None,
        render_mode: None = None,
    ) -> None:
        self.region = load(region, edition=edition) if isinstance(region, str) else region
        self.scenario, self.split = find_scenario(scenario), split
        self._simulation = Simulation(self.region, self.scenario, split, trace)
        self._pinning = Pinning(self.region, split, seed)
        self.possible_agents = [EXPERT, DEVICE]
        self.agents: list[str] = []
        experts, verbs, devices = self._simulation.shape
        counts = {EXPERT: experts, DEVICE: verbs * devices}
        self.action_spaces = {agent: spaces.Discrete(count) for agent, count in counts.items()}
        every = observation_space(self._simulation)
        self.observation_spaces = {
            agent: spaces.Dict({**every.spaces, "action_mask": spaces.MultiBinary(count)})
            for agent, count in counts.items()
        }
        self._reward, self._decisions, self._over, self._begun = 0.0, 0, True, False
        self.render_mode = render_mode

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The space of an agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The space of an agent's actions."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> _Told:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        known = {name: value for name, value in (options or {}).items() if name != _PROBE}
        self._simulation.start(*self._pinning.begin(seed, known))
        self.agents = list(self.possible_agents)
        self._reward, self._decisions, self._over, self._begun = 0.0, 0, False, True
        history = self._simulation.history
        told = {"history_routes": history.routes, "history_origin": history.origin}
        return self._told(told)

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Observed], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Make the edit that both actions are; returns PettingZoo's five values."""
        if not self.agents:
            raise EdgeBenchError("the episode is over", mend="call reset() before step()")
        if actions.keys() != set(self.agents):
            raise EdgeBenchError(f"actions of {sorted(map(str, actions))}", mend=f"give one of {EXPERT} and {DEVICE}")
        reward = self._simulation.turn(*self._edit(actions))
        self._reward += reward
        self._decisions += 1
        self._over = self._simulation.over
        observed, infos = self._told(dict(self._simulation.last_batch()) if self._simulation.served >= 0 else {})
        rewards = dict.fromkeys(self.agents, reward)
        terminated, truncated = (dict.fromkeys(self.agents, ended) for ended in (False, self._over))
        if self._over:
            self.agents = []
        return observed, rewards, terminated, truncated, infos

    def summary(self) -> dict[str, float]:
        """Metrics of the episode that has just ended, as of `PlaceEnv`; EdgeBenchError before."""
        if not self._begun or not self._over:
            raise EdgeBenchError("the episode is not over", mend="step until truncated")
        return {**self._simulation.metrics(), "reward": self._reward, "decisions": float(self._decisions)}

    def render(self) -> None:
        """Nothing is drawn."""

    def close(self) -> None:
        """Nothing is open."""

    def _edit(self, actions: Mapping[str, Any]) -> tuple[int, int, int]:
        """The edit of two actions: kept where the pair does not fit, none where one is outside its own mask."""
        masks = self._masks()
        expert, choice = (_whole(agent, actions[agent]) for agent in (EXPERT, DEVICE))
        for action, agent in ((expert, EXPERT), (choice, DEVICE)):
            if not (0 <= action < masks[agent].size and masks[agent][action]):
                return _NO_EDIT
        verb, device = divmod(choice, self._simulation.shape[2])
        if self._valid()[expert, choice]:
            return expert, verb, device
        return expert, REPLICATE, int(self._simulation.state.placement[expert].argmax())

    def _valid(self) -> NDArray[np.int8]:
        """Which pairs are valid edits, (P, 3 x G)."""
        return self._simulation.seen.action_mask.reshape(self._simulation.shape[0], -1)

    def _masks(self) -> dict[str, NDArray[np.int8]]:
        valid = self._valid()
        return {EXPERT: valid.max(axis=1), DEVICE: valid.max(axis=0)}

    def _told(self, more: dict[str, Any]) -> _Told:
        masks, shared = self._masks(), OBSERVED[:-1]
        observed = {
            agent: {
                **{name: getattr(self._simulation.seen, name).copy() for name in shared},
                "action_mask": masks[agent],
            }
            for agent in self.possible_agents
        }
        infos = {
            agent: {"action_mask": masks[agent].copy(), **{name: np.copy(value)[()] for name, value in more.items()}}
            for agent in self.possible_agents
        }
        return observed, infos


def _whole(agent: str, action: Any) -> int:
    """An action as a number; EdgeBenchError for anything but a whole one."""
    value = np.asarray(action)
    if value.shape != () or value.dtype.kind not in "iu":
        raise EdgeBenchError(f"the action of {agent} is {action!r}", mend="give a whole number")
    return int(value)
