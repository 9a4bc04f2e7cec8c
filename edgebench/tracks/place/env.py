"""The Place track as a Gymnasium environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from edgebench.constants import DEADLINE_MS
from edgebench.envs.faces import Face
from edgebench.errors import EdgeBenchError
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION, SCENARIOS
from edgebench.sim.features import Feature, feature_table
from edgebench.tracks.place.constants import (
    DEVICES,
    EXPERTS,
    LAYERS,
    PLAN_EDITS,
    PROFILE_REQUESTS,
    REQUEST_ROWS,
    REQUESTS,
    ROUTER_LOST_MS,
    ROW_TOKENS,
    SLOTS,
)
from edgebench.tracks.place.features import (
    DEVICE_FEATURES,
    EXPERT_FEATURES,
    LABEL_FEATURES,
    LINK_FEATURES,
    PROGRESS_FEATURES,
)
from edgebench.tracks.place.simulation import Simulation

Observed = dict[str, Any]
OBSERVED: Final = ("experts", "devices", "placement", "affinity", "links", "progress", "action_mask")
_P: Final = EXPERTS * LAYERS
_ROWS: Final = REQUESTS * REQUEST_ROWS

PAGE: Final = f"""Place, replicate and delete the experts of a mixture-of-experts model while batches of tokens flow.

    ## Description
    A model of {LAYERS} layers with {EXPERTS} experts each stands on {DEVICES} devices of a region: nodes evenly spaced
    in the order of compute. Expert e of layer l is number l x {EXPERTS} + e. A device holds as many experts as its
    memory takes, and every expert is on one device at least. A batch arises in every slot of 1 s: {REQUESTS} requests
    of {REQUEST_ROWS} rows, a row being {ROW_TOKENS} tokens that take the same route, one expert a layer. Where requests
    arise follows the users of the split; which experts they need has a skewed popularity that walks, depends on the
    request's domain and so on its place, and goes from layer to layer with affinity.

    Rows go from where their request arose to the device of their first expert, from there to that of the next, and back
    at last (ExFlow, arXiv 2401.08383, keeps tokens where their last expert ran). The router sends each row to the copy
    that it reckons to have it done first, by path and extra remembered, and by transmission and compute of what it sent
    there before in this layer (water-filling). A batch takes

    `sum over rounds (mean path + mean extra + transmission) + sum over layers compute + loading + lost`

    - `path`: propagation and hops on the quickest path; `extra`: of trap links on it, and how late the way is; means
      over the rows, which belong to different users. Nothing on a device's way to itself.
    - `transmission`: of all rows of the round into the device (at last: back to the request) that takes longest.
    - `compute`: of the busiest device of the layer: its rows, and reading the weights of each expert used once.
    - `loading`: of the expert that the slot's edit brought to a device, less the compute of the batch there, which
      hides it. Every device's store holds the whole model.
    - `lost`: a row sent to a device that is down goes on without that expert after {ROUTER_LOST_MS:g} ms; the mean over
      rows. A device that is down still forwards, and when it is back it holds what it held.

    An extra is remembered of every trap link that rows crossed, a moving average that fades; it is known in the next
    slot.

    ## Action space
    `MultiDiscrete([{_P}, 3, {DEVICES}])`: an expert, a verb and a device. Verb 0, place: the device holds the expert's
    only copy from now on. 1, replicate: it holds a copy too. 2, delete: it holds none any more. Placing or replicating
    where a copy is already needs no loading, so that replicating one where it is keeps the placement. `action_mask`
    is flat, as `numpy.ravel_multi_index` counts: a copy needs room on its device, and the last copy of an expert is not
    deleted. An invalid edit changes nothing and its batch waits {ROUTER_LOST_MS:g} ms.

    ## Observation space
    The same shapes in every region. Values are clipped at the maximum.

    `experts`, float32 ({_P}, {len(EXPERT_FEATURES)}), one row an expert:

{feature_table(EXPERT_FEATURES)}

    `devices`, float32 ({DEVICES}, {len(DEVICE_FEATURES)}), one row a device, slowest first:

{feature_table(DEVICE_FEATURES)}

    `placement`, int8 ({_P}, {DEVICES}): 1 where a device holds a copy of an expert.

    `affinity`, float32 ({LAYERS - 1}, {EXPERTS}, {EXPERTS}): moving average of the share of rows that go from an expert
    of a layer (second axis) to one of the next (third).

    `links`, float32 ({DEVICES}, {DEVICES}, {len(LINK_FEATURES)}), from device to device:

{feature_table(LINK_FEATURES)}

    `progress`, float32 ({len(PROGRESS_FEATURES)},):

{feature_table(PROGRESS_FEATURES)}

    `action_mask`, int8 ({_P * 3 * DEVICES},): 1 where an edit is valid.

    ## Rewards
    `(T_contiguous - T) / mean T_contiguous` of a batch, 0 for an edit before the first one: T_contiguous is what the
    batch takes under the contiguous placement, its mean that of the episode. The rewards of an episode sum to
    `{SLOTS} x (1 - 1 / relative_speed)`; keeping the first placement earns 0.

    ## Starting state
    The contiguous placement: devices hold neighbouring experts of every layer, each as many as its share of memory.
    `reset(options={{"window": w, "seed": s}})` pins the episode; else window and scenario seed are hashed from the
    environment's seed and the number of resets since. A window serves a model of its own; no two splits share a model.

    ## Episode end
    {PLAN_EDITS} edits are made before the first batch, when no token flows and loading costs nothing, and one before
    each of {SLOTS} batches. Then truncated; never terminated.

    ## Information
    `action_mask`; at reset `history_routes`, int16 ({PROFILE_REQUESTS * REQUEST_ROWS}, {LAYERS}), and
    `history_origin`, int64 ({PROFILE_REQUESTS},): experts and nodes of requests served before the episode, whose tokens
    are not the episode's; after a batch its `routes`, int16 ({_ROWS}, {LAYERS}), `origin`, int64 ({REQUESTS},) and
    `latency_ms`. Rows of a request stand next to each other.

    ## Arguments
    `region`: a name or a loaded `Region`; `scenario`: {", ".join(f"`{name}`" for name in SCENARIOS)},
    `{DEFAULT_SCENARIO}` by default; `split`: `train` (default), `val` or `test`; `edition`: which build of the region;
    `seed`: the environment's seed until `reset(seed=...)` gives another.

    `trace`: a file of a user's own routes, whole numbers (tokens, layers) saved by `numpy.save`. Its first half is the
    history, its second is served, whatever the split; shapes follow from its experts and layers, and a model of more
    experts has smaller ones.

    `privileged=True` adds `labels`, float32 ({DEVICES}, {DEVICES}, {len(LABEL_FEATURES)}), which no operator can know
    and no result may rest on unmarked:

{feature_table(LABEL_FEATURES)}

    Raises `EdgeBenchError` for an unknown region, scenario or split, for a region that is not built, has fewer than
    {DEVICES} nodes or too little memory, and for a file that is no trace.

    In the metrics a batch succeeds if no row lost an expert and it took {DEADLINE_MS:g} ms at most.

    ## Version history
    v0: first version.
    """


class PlaceEnv(Face, gymnasium.Env[Observed, NDArray[np.int64]]):  # noqa: D101
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
        privileged: bool = False,
        render_mode: None = None,
    ) -> None:
        self._open(region, scenario, split, edition, seed)
        self.privileged, self.render_mode = privileged, render_mode
        self._simulation = Simulation(self.region, self.scenario, split, trace)
        self._observed = OBSERVED + ("labels",) * privileged
        self.observation_space = observation_space(self._simulation, privileged=privileged)
        self.action_space = spaces.MultiDiscrete(list(self._simulation.shape))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        super().reset(seed=seed)
        self._simulation.start(*self._pin(seed, options))
        observed = self._observation()
        history = self._simulation.history
        return observed, {
            "action_mask": observed["action_mask"].copy(),
            "history_routes": history.routes.copy(),
            "history_origin": history.origin.copy(),
        }

    def step(self, action: NDArray[np.int64]) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Make an edit; returns Gymnasium's five values. EdgeBenchError for what is not three whole numbers."""
        self._refuse_if_over()
        reward = self._simulation.turn(*whole_numbers(action, 3))
        self._over = self._simulation.over
        observed = self._observation()
        info: dict[str, Any] = {"action_mask": observed["action_mask"].copy()}
        if self._simulation.served >= 0:
            info |= self._simulation.last_batch()
        return observed, self._count(reward), False, self._over, info

    def action_masks(self) -> NDArray[np.bool_]:
        """The mask of the next edit, flat, under the name sb3-contrib looks for."""
        return self._simulation.seen.action_mask.astype(np.bool_)

    def _observation(self) -> Observed:
        return {name: getattr(self._simulation.seen, name).copy() for name in self._observed}


def whole_numbers(action: Any, count: int) -> list[int]:
    """An action as so many numbers; EdgeBenchError for anything but as many whole ones."""
    values = np.asarray(action)
    if values.shape != (count,) or values.dtype.kind not in "iu":
        raise EdgeBenchError(
            f"the action is {values.dtype} of shape {values.shape}", mend=f"give {count} whole numbers"
        )
    return [int(np.clip(value, -1, 2**31)) for value in values]


def observation_space(simulation: Simulation, *, privileged: bool = False) -> spaces.Dict:
    """The observation space on a region under a model."""
    seen = simulation.seen
    parts: dict[str, spaces.Space[Any]] = {
        "experts": _box(EXPERT_FEATURES, seen.experts.shape),
        "devices": _box(DEVICE_FEATURES, seen.devices.shape),
        "placement": spaces.MultiBinary(seen.placement.shape),
        "affinity": spaces.Box(0.0, 1.0, seen.affinity.shape, np.float32),
        "links": _box(LINK_FEATURES, seen.links.shape),
        "progress": _box(PROGRESS_FEATURES, seen.progress.shape),
        "action_mask": spaces.MultiBinary(seen.action_mask.size),
    }
    return spaces.Dict(parts | ({"labels": _box(LABEL_FEATURES, seen.labels.shape)} if privileged else {}))


def _box(features: tuple[Feature, ...], shape: tuple[int, ...]) -> spaces.Box:
    """A box whose last axis is the features'."""
    low, high = (np.array([bound(feature) for feature in features], np.float32) for bound in (_low, _high))
    return spaces.Box(np.broadcast_to(low, shape).copy(), np.broadcast_to(high, shape).copy(), dtype=np.float32)


def _low(feature: Feature) -> float:
    return feature.low


def _high(feature: Feature) -> float:
    return feature.high
