"""The Offload track as a Gymnasium environment: one controller for all nodes."""

from __future__ import annotations

from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from edgebench.envs.faces import Face
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.tracks.offload.features import F, G, L
from edgebench.tracks.offload.observe import LABEL_HIGH, NEIGHBOUR_HIGH, NODE_HIGH, NODE_LOW
from edgebench.tracks.offload.page import PAGE
from edgebench.tracks.offload.policies import OTHERS, Policy
from edgebench.tracks.offload.simulation import DEFAULT_PHYSICS, Simulation
from edgebench.tracks.offload.state import C, D
from edgebench.tracks.offload.workloads import DEFAULT_WORKLOAD, Workload

Observed = dict[str, Any]


class OffloadEnv(Face, gymnasium.Env[Observed, NDArray[Any]]):  # noqa: D101
    __doc__ = PAGE
    track: Final = "offload"
    _simulation: Simulation
    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

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
        focal: int | None = None,
        others: str = "spare",
    ) -> None:
        self._open(region, scenario, split, edition, seed)
        self.privileged = privileged
        self._simulation = Simulation(self.region, self.scenario, split, physics=physics, workload=workload)
        self._focal = None if focal is None else _checked_site(focal, self._simulation.nodes)
        self._others = _policy(others)
        leading = (self._simulation.nodes,) if focal is None else ()
        self.observation_space = observation_space(leading, privileged=privileged)
        self._shape = (*leading, C)
        self.action_space = spaces.Box(0.0, 1.0, self._shape, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        super().reset(seed=seed)
        self._simulation.start(*self._pin(seed, options))
        return self._observe()

    def step(self, action: ArrayLike) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Split the slot's arrivals by `action`; returns Gymnasium's five values."""
        self._refuse_if_over()
        shares = checked_shares(action, self._shape)
        reward = self._simulation.step(shares) if self._focal is None else self._play_site(self._focal, shares)
        self._over = self._simulation.is_over
        observed, info = self._observe()
        return observed, self._count(reward), False, self._over, info

    def _play_site(self, focal: int, shares: NDArray[np.float32]) -> float:
        """One site acts, the others as their policy says; the site's own reward."""
        everyone = self._others(observation(self._simulation, slice(None), privileged=False))
        everyone[focal] = shares
        self._simulation.step(everyone)
        return float(self._simulation.own_rewards()[focal])

    def _observe(self) -> tuple[Observed, dict[str, Any]]:
        observed = observation(
            self._simulation, slice(None) if self._focal is None else self._focal, privileged=self.privileged
        )
        return observed, {"action_mask": observed["action_mask"].copy()}


def _checked_site(focal: int, nodes: int) -> int:
    if not 0 <= focal < nodes:
        raise EdgeBenchError(f"no site {focal}", mend=f"give 0 … {nodes - 1}")
    return int(focal)


def _policy(others: str) -> Policy:
    if others not in OTHERS:
        raise unknown_name("policy of the others", others, OTHERS)
    return OTHERS[others]


def observation(simulation: Simulation, rows: slice | int, *, privileged: bool) -> Observed:
    """A copy of what is seen by some nodes, or by one alone."""
    names = ("nodes", "neighbours", "action_mask") + ("labels",) * privileged
    return {name: getattr(simulation.seen, name)[rows].copy() for name in names}


def observation_space(leading: tuple[int, ...], *, privileged: bool = False) -> spaces.Dict:
    """The observation space of as many nodes as `leading` says, () for one alone."""
    parts: dict[str, spaces.Space[Any]] = {
        "nodes": _box(NODE_LOW, NODE_HIGH, (*leading, F)),
        "neighbours": _box(np.zeros_like(NEIGHBOUR_HIGH), NEIGHBOUR_HIGH, (*leading, D, G)),
        "action_mask": spaces.MultiBinary((*leading, C)),
    }
    if privileged:
        parts["labels"] = _box(np.zeros_like(LABEL_HIGH), LABEL_HIGH, (*leading, D, L))
    return spaces.Dict(parts)


def _box(low: NDArray[np.float32], high: NDArray[np.float32], shape: tuple[int, ...]) -> spaces.Box:
    return spaces.Box(np.broadcast_to(low, shape).copy(), np.broadcast_to(high, shape).copy(), dtype=np.float32)


def checked_shares(action: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An action as shares; EdgeBenchError for what is no array of numbers of this shape.

    Numbers out of bounds are left as they are: the physics reads them as `edgebench.tracks.offload.split` tells.
    """
    shares = np.asarray(action)
    if shares.shape != shape or shares.dtype.kind not in "fiu":
        raise EdgeBenchError(
            f"the action is {shares.dtype} of shape {shares.shape}", mend=f"give float32 of shape {shape}"
        )
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(shares, np.float32)
