"""The Place track in one shot: one whole placement, scored on the episode's tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from edgebench.envs.faces import Face
from edgebench.errors import EdgeBenchError
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.tracks.place.constants import DEVICES, EXPERTS, LAYERS, ROUTER_LOST_MS, SLOTS
from edgebench.tracks.place.edits import REPLICATE
from edgebench.tracks.place.env import Observed, observation_space
from edgebench.tracks.place.simulation import Simulation

_OBSERVED: Final = ("experts", "devices", "placement", "affinity", "links")
_NO_EDIT: Final = (-1, 0, 0)

PAGE: Final = f"""Place the experts of a mixture-of-experts model once, for all batches of an episode.

    ## Description
    Model, devices, tokens, router and latency are those of `edgebench.tracks.place.env.PlaceEnv`. Nothing is edited
    while batches flow, so that nothing is loaded then.

    ## Action space
    `MultiBinary([{EXPERTS * LAYERS}, {DEVICES}])`: the whole placement, 1 where a device holds a copy of an expert. It
    is invalid where a device holds more than fits (`devices`: held and free memory) or an expert is nowhere; then the
    contiguous placement stays and every batch waits {ROUTER_LOST_MS:g} ms.

    ## Observation space
    `experts`, `devices`, `placement` (the contiguous one), `affinity` and `links` of `PlaceEnv`.

    ## Rewards
    The sum of those of `PlaceEnv`: `{SLOTS} x (1 - 1 / relative_speed)`.

    ## Starting state
    As `PlaceEnv`; `reset(options={{"window": w, "seed": s}})` pins the episode.

    ## Episode end
    Terminated after one step.

    ## Information
    At reset `history_routes` and `history_origin`; after the step nothing. `summary()` has the metrics.

    ## Arguments
    `region`, `scenario`, `split`, `edition`, `seed` and `trace` as `PlaceEnv`.

    ## Version history
    v0: first version.
    """


class PlaceStaticEnv(Face, gymnasium.Env[Observed, NDArray[np.int8]]):  # noqa: D101
    __doc__ = PAGE
    track: Final = "place"
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
        trace: str | Path | None = None,
        render_mode: None = None,
    ) -> None:
        self._open(region, scenario, split, edition, seed)
        self.render_mode = render_mode
        self._simulation = Simulation(self.region, self.scenario, split, trace)
        every = observation_space(self._simulation)
        self.observation_space = spaces.Dict({name: every[name] for name in _OBSERVED})
        self.action_space = spaces.MultiBinary(self._simulation.contiguous.shape)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Begin an episode; `options` may pin `window` and `seed`."""
        super().reset(seed=seed)
        self._simulation.start(*self._pin(seed, options))
        history = self._simulation.history
        return self._observation(), {
            "history_routes": history.routes.copy(),
            "history_origin": history.origin.copy(),
        }

    def step(self, action: NDArray[np.int8]) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Serve all batches under a placement; EdgeBenchError for what is no matrix of zeros and ones."""
        self._refuse_if_over()
        placement = _checked(action, self._simulation.contiguous.shape)
        fits = placement.any(axis=1).all() and (placement.sum(axis=0) <= self._simulation.devices.room).all()
        self._simulation.put(placement if fits else self._simulation.contiguous)
        edit = (0, REPLICATE, int(placement[0].argmax())) if fits else _NO_EDIT
        reward, self._over = self._count(sum(self._simulation.turn(*edit) for _ in range(SLOTS))), True
        return self._observation(), reward, True, False, {}

    def _observation(self) -> Observed:
        return {name: getattr(self._simulation.seen, name).copy() for name in _OBSERVED}


def _checked(action: Any, shape: tuple[int, ...]) -> NDArray[np.int8]:
    """A placement; EdgeBenchError for another shape, or values other than 0 and 1."""
    values = np.asarray(action)
    if values.shape != shape or values.dtype.kind not in "iub" or not np.isin(values, (0, 1)).all():
        raise EdgeBenchError(f"the action is {values.dtype} of shape {values.shape}", mend=f"give {shape} of 0 and 1")
    return values.astype(np.int8)
