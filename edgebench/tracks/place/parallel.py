"""The Place track as a PettingZoo parallel environment: one agent picks the expert, one what is done with it where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from edgebench.envs.faces import TeamFace
from edgebench.envs.pettingzoo_bases import ParallelEnv
from edgebench.errors import EdgeBenchError
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.tracks.place.constants import DEVICES, EXPERTS, LAYERS
from edgebench.tracks.place.edits import REPLICATE
from edgebench.tracks.place.env import OBSERVED, Observed, observation_space
from edgebench.tracks.place.simulation import Simulation

EXPERT, DEVICE = "expert", "device"
_Told = tuple[dict[str, Observed], dict[str, dict[str, Any]]]
_NO_EDIT: Final = (-1, 0, 0)

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


class PlaceParallelEnv(TeamFace, ParallelEnv[str, Observed, Any]):  # type: ignore[misc]  # noqa: D101
    __doc__ = PAGE
    track: Final = "place"
    _simulation: Simulation
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
        self._open(region, scenario, split, edition, seed)
        self.render_mode = render_mode
        self._simulation = Simulation(self.region, self.scenario, split, trace)
        experts, verbs, devices = self._simulation.shape
        counts = {EXPERT: experts, DEVICE: verbs * devices}
        every = observation_space(self._simulation)
        self._gather(
            {
                agent: spaces.Dict({**every.spaces, "action_mask": spaces.MultiBinary(count)})
                for agent, count in counts.items()
            },
            {agent: spaces.Discrete(count) for agent, count in counts.items()},
        )

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> _Told:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        self._simulation.start(*self._pin(seed, options))
        history = self._simulation.history
        told = {"history_routes": history.routes, "history_origin": history.origin}
        return self._told(told)

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Observed], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Make the edit that both actions are; returns PettingZoo's five values."""
        self._refuse(actions)
        rewards = dict.fromkeys(self.agents, self._count(self._simulation.turn(*self._edit(actions))))
        observed, infos = self._told(dict(self._simulation.last_batch()) if self._simulation.served >= 0 else {})
        terminated, truncated = self._flags(terminated=False, truncated=self._simulation.over)
        return observed, rewards, terminated, truncated, infos

    def render(self) -> None:
        """Nothing is drawn."""

    def close(self) -> None:
        """Nothing is open."""

    def _edit(self, actions: Mapping[str, Any]) -> tuple[int, int, int]:
        return joint_edit(self._simulation, *(_whole(agent, actions[agent]) for agent in (EXPERT, DEVICE)))

    def _masks(self) -> dict[str, NDArray[np.int8]]:
        valid = _valid(self._simulation)
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


def joint_edit(simulation: Simulation, expert: int, choice: int) -> tuple[int, int, int]:
    """The edit of two actions: kept where the pair does not fit, none where one is outside its own mask."""
    valid = _valid(simulation)
    for action, mask in ((expert, valid.max(axis=1)), (choice, valid.max(axis=0))):
        if not (0 <= action < mask.size and mask[action]):
            return _NO_EDIT
    verb, device = divmod(choice, simulation.shape[2])
    if valid[expert, choice]:
        return expert, verb, device
    return expert, REPLICATE, int(simulation.state.placement[expert].argmax())


def _valid(simulation: Simulation) -> NDArray[np.int8]:
    """Which pairs are valid edits, (P, 3 x G)."""
    return simulation.seen.action_mask.reshape(simulation.shape[0], -1)


def _whole(agent: str, action: Any) -> int:
    """An action as a number; EdgeBenchError for anything but a whole one."""
    value = np.asarray(action)
    if value.shape != () or value.dtype.kind not in "iu":
        raise EdgeBenchError(f"the action of {agent} is {action!r}", mend="give a whole number")
    return int(value)
