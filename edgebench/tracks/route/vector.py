"""The Route track as a vector environment: many episodes stepped by one compiled call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError
from edgebench.pinning import checked_seed, checked_window, refuse_unknown_options
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO, DEFAULT_WORKFLOW, SAMPLE_EDITION
from edgebench.registry import scenario as find_scenario
from edgebench.sim.episodes import windows_of
from edgebench.tracks.route.batch import Batch
from edgebench.tracks.route.env import (
    OBSERVED,
    Observed,
    observation_space,
    reward_space,
    route_rules,
    wanted_region,
)

if TYPE_CHECKING:
    import torch

_PLACES: Final = {"task": 1, "stage": 2, "node": 3, "user_node": 4}
"""Entries of `info` by their column in `edgebench.tracks.route.observe.Observation.place`."""


class RouteVectorEnv(VectorEnv[Observed, NDArray[np.int64], NDArray[Any]]):
    """B independent episodes of `edgebench.tracks.route.env.RouteEnv`, the same simulation to the last bit.

    Observations, rewards and ends equal those of `SyncVectorEnv` over `RouteEnv`s of the same seeds. The step after an
    episode's end begins the next one, whatever the action, with reward 0 (Gymnasium's next-step autoreset).
    `info` holds `action_mask` and `instances` (B, K), and `task`, `stage`, `node` and `user_node` (B,).

    Args:
        num_envs: B.
        region: A name or a loaded region.
        scenario: How the network behaves.
        split: Whose tasks.
        edition: Which build of the region.
        seed: Environment i has seed + i until `reset(seed=...)` gives others.
        view: As `RouteEnv`.
        reward: As `RouteEnv`; rewards are (B,) or (B, 3).
        privileged: As `RouteEnv`.
        workflow: As `RouteEnv`.
        copy: False returns the buffers themselves, which the next step overwrites.

    Raises:
        EdgeBenchError: As `RouteEnv`; or `num_envs` is below 1.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        region: str | Region = "s1",
        *,
        scenario: str = DEFAULT_SCENARIO,
        split: str = "train",
        edition: str = SAMPLE_EDITION,
        seed: int = 0,
        view: str = "candidates",
        reward: str = "scalar",
        privileged: bool = False,
        workflow: str = DEFAULT_WORKFLOW,
        copy: bool = True,
    ) -> None:
        if num_envs < 1:
            raise EdgeBenchError(f"num_envs is {num_envs}", mend="give 1 or more")
        self.region = wanted_region(region, edition, workflow)
        self.scenario, self.split, self.num_envs, self.copy = find_scenario(scenario), split, num_envs, copy
        rules, tasks = route_rules(self.scenario, view=view, privileged=privileged), self.region.task_arrays(split)
        self._batch = Batch(self.region.topology(), tasks, rules, num_envs)
        columns, self._observed_names = self._batch.seen.action_mask.shape[1], OBSERVED + ("labels",) * privileged
        self.single_observation_space = observation_space(columns, privileged=privileged)
        self.single_action_space = spaces.Discrete(columns)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.reward_space = reward_space(reward)
        self._batch.seeds[:] = [checked_seed(seed + row) for row in range(num_envs)]
        self.windows = int(windows_of(tasks.size))

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Begin an episode in every environment, or in those of `options["reset_mask"]` (bool[B]).

        Args:
            seed: Of environment 0, the others counting on from it; or one for each, None to keep it.
            options: `window` and `seed` pin the episodes, `reset_mask` chooses the environments.
        """
        options = dict(options or {})
        chosen = _mask(options.pop("reset_mask", None), self.num_envs)
        refuse_unknown_options(options)
        self._reseed(seed, chosen)
        for row in np.flatnonzero(chosen).tolist():
            window, scenario_seed = self._batch.draw(row)
            window = checked_window(options.get("window", window), self.windows, self.region.name, self.split)
            self._batch.begin(row, window, checked_seed(options.get("seed", scenario_seed)))
        return self._observed(), self._info()

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Observed, NDArray[Any], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Step every environment; returns Gymnasium's five values, (B, ...) each."""
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu":
            raise EdgeBenchError(
                f"actions are {actions.dtype}{actions.shape}", mend=f"give whole numbers, shape ({self.num_envs},)"
            )
        self._batch.step(np.ascontiguousarray(actions, np.int64))
        earned, over = self._batch.earned, self._batch.over
        rewards: NDArray[Any] = earned[:, 1:].astype(np.float32) if self.reward_space.shape else earned[:, 0].copy()
        return self._observed(), rewards, over.copy(), np.zeros(self.num_envs, np.bool_), self._info()

    def action_masks(self) -> NDArray[np.bool_]:
        """Masks of the decisions that are due, (B, K)."""
        return self._batch.seen.action_mask.astype(np.bool_)

    def buffers(self) -> Observed:
        """The observation buffers themselves, (B, ...) each, which every step overwrites."""
        return {name: getattr(self._batch.seen, name) for name in self._observed_names}

    def tensors(self) -> dict[str, torch.Tensor]:
        """The observation buffers as CPU tensors that share their memory: nothing is copied, now or at a step."""
        import torch

        return {name: torch.from_numpy(buffer) for name, buffer in self.buffers().items()}

    def _reseed(self, seed: int | Sequence[int | None] | None, chosen: NDArray[np.bool_]) -> None:
        if seed is None:
            return
        given = list(seed) if isinstance(seed, Sequence | np.ndarray) else [seed + row for row in range(self.num_envs)]
        if len(given) != self.num_envs:
            raise EdgeBenchError(f"{len(given)} seeds", mend=f"give one, or {self.num_envs}")
        for row, value in enumerate(given):
            if value is not None and chosen[row]:
                self._batch.seeds[row], self._batch.resets[row] = checked_seed(value), 0

    def _observed(self) -> Observed:
        buffers = self.buffers()
        return {name: buffer.copy() for name, buffer in buffers.items()} if self.copy else buffers

    def _info(self) -> dict[str, Any]:
        seen = self._batch.seen
        info: dict[str, NDArray[Any]] = {"action_mask": seen.action_mask, "instances": seen.instances}
        info |= {name: seen.place[:, column] for name, column in _PLACES.items()}
        return {name: part.copy() for name, part in info.items()} if self.copy else info


def _mask(given: Any, count: int) -> NDArray[np.bool_]:
    if given is None:
        return np.ones(count, np.bool_)
    mask = np.asarray(given)
    if mask.shape != (count,) or mask.dtype != np.bool_ or not mask.any():
        raise EdgeBenchError(
            f"reset_mask is {mask.dtype}{mask.shape}", mend=f"give booleans, shape ({count},), one True at least"
        )
    return mask
