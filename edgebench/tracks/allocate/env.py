"""The Allocate track as a Gymnasium environment."""

from __future__ import annotations

import operator
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from edgebench.constants import MEASURE_MEMORY_MS, TELEMETRY_MS
from edgebench.envs.faces import Face
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION, SCENARIOS
from edgebench.sim.features import feature_table
from edgebench.tracks.allocate import constants
from edgebench.tracks.allocate.features import JOB_FEATURES, LABELS, QUEUE_FEATURES, SITE_FEATURES, F, J, L, Q
from edgebench.tracks.allocate.observe import JOB_BOUNDS, LABEL_BOUNDS, QUEUE_BOUNDS, SITE_BOUNDS
from edgebench.tracks.allocate.simulation import Simulation

Observed = dict[str, Any]
_SCENARIO_NAMES: Final = ", ".join(f"`{name}`" for name in SCENARIOS)
_TICK_S: Final = constants.TICK_MS / 1000.0
_IN_ALL: Final = {
    "latency": f"{constants.POINTS * constants.LATENCY_WEIGHT:g}",
    "imbalance": f"{constants.POINTS * constants.IMBALANCE_WEIGHT:g}",
    "waste": f"{constants.POINTS * constants.WASTE_WEIGHT:g}",
}
"""Points that each of the small terms costs at most, or where it is 1."""


RULES: Final = f"""Jobs arrive at the sites of the region's nodes for {constants.ARRIVALS_S} s.
    A job needs some of four resources at once ({", ".join(constants.RESOURCES)}), has an input at the
    site where it arose, a duration, a priority from 1 to 3 and a deadline. Its slack is the time it may yet wait and
    be done by then; when that is used up, it has expired.

    Sent to a site, its request takes `propagation + hops` on the quickest path, plus the `extra` of every trap link on
    it in the state it has when the request leaves; in `jitter` a late way adds its delay. The input follows right
    behind, at the path's bottleneck bandwidth. When the request arrives the site holds what the job needs, while the
    input arrives and while the job runs; or it refuses: it is down, too little of a resource is free, or the job would
    begin too late. A refused job has lost the time: it is back in the queue at the first tick of {_TICK_S:g} s after
    the way back. A job that holds resources is done in time, unless its site fails in `outage`: then all that the site
    held is lost, and the job is back in its origin's queue when telemetry next tells, with the slack that is left.

    The broker at a job's origin knows that site as it is. Of the others it knows what they publish every
    {TELEMETRY_MS / 1000:g} s, and which requests have been sent there since or are under way. Of traps it knows
    what was measured of requests that have arrived: a moving average a link, which fades with
    {MEASURE_MEMORY_MS / 1000:g} s."""
REWARD: Final = f"""Points, of which all jobs of an episode are worth {constants.POINTS:g}, each its priority's
    share of them. With p that share, a job done in time earns `p`, one that expires costs
    `{constants.VIOLATION_WEIGHT:g} p`. Subtracted are small terms:

    * `{_IN_ALL["latency"]} / jobs * latency / deadline` for every job done; latency is from arrival to beginning;
    * `{_IN_ALL["imbalance"]} * variance` of the sites' mean utilisations, at every publication for the
      {TELEMETRY_MS / 1000:g} s since the last, of {constants.HORIZON_MS / 1000:g} s;
    * `{_IN_ALL["waste"]} * waste`: dominant share times ms held while an input arrives or for a run that is lost,
      over dominant share times duration of all jobs.

    The metrics `points_*` tell each term; the rewards of an episode sum to them."""

PAGE: Final = f"""Give jobs that need four resources to the sites of a real edge network, or let them wait.

    ## Description
    {RULES}

    One broker decides for all. A job's turn comes when it arrives, when a refusal is back, and at every tick after it
    was deferred; of turns at one time the higher priority comes first, then the earlier arrival. A job that no site
    could take, by what is known, is not asked about and waits for the next tick. To defer is right at times: what a
    job of low priority takes, a higher one that comes later may lack.

    ## Action space
    `Discrete(N + 1)` for N sites: the site that the job is sent to; the last one defers it. `action_mask` is 1 where
    the site is up, has room and is in reach before the slack is used up, by what the broker knows but without requests
    under way, trap extras and late ways; and always for deferring. Any other action defers.

    ## Observation space
    N is the region's, all else the same everywhere. Times ending in `_s` are seconds; values are clipped at the
    maximum.

    `sites`, float32 (N, {F}), one row a site:

{feature_table(SITE_FEATURES)}

    `job`, float32 ({J},):

{feature_table(JOB_FEATURES)}

    `queue`, float32 ({Q},):

{feature_table(QUEUE_FEATURES)}

    `action_mask`, int8 (N + 1,). All are 0 when the episode is over.

    ## Rewards
    {REWARD}

    ## Starting state
    Empty sites, nothing measured. `reset(options={{"window": w, "seed": s}})` pins the episode; else window and
    scenario seed are hashed from the environment's seed and the number of resets since. Jobs are drawn by split, window
    and scenario seed: no two splits share one, and a split's jobs arise where its users live.

    ## Episode end
    Terminated when every job is done or has expired; never truncated.

    ## Information
    `action_mask`; while the episode lasts `job` (its number, by arrival), `origin` (its site) and `now_ms`.

    ## Arguments
    `region`: a name or a loaded `Region`; `scenario`: {_SCENARIO_NAMES}, `{DEFAULT_SCENARIO}` by default; `split`:
    `train` (default), `val` or `test`; `edition`: which build of the region; `seed`: the environment's seed until
    `reset(seed=...)` gives another.

    `privileged=True` adds `labels`, float32 (N, {L}), which no operator can know and no result may rest on unmarked:

{feature_table(LABELS)}

    Raises `EdgeBenchError` for an unknown region, scenario or split, and for a region that is not built.

    ## Version history
    v0: first version.
    """


class AllocateEnv(Face, gymnasium.Env[Observed, np.int64]):  # noqa: D101
    __doc__ = PAGE
    track: Final = "allocate"
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
    ) -> None:
        self._open(region, scenario, split, edition, seed)
        self.privileged = privileged
        self._simulation = Simulation(self.region, self.scenario, split, privileged=privileged)
        self.observation_space = observation_space(self._simulation.nodes, privileged=privileged)
        self.action_space = spaces.Discrete(self._simulation.nodes + 1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        super().reset(seed=seed)
        self._simulation.start(*self._pin(seed, options))
        return self._observe()

    def step(self, action: np.int64 | int) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Send the job whose turn it is to site `action`, or defer it; returns Gymnasium's five values."""
        self._refuse_if_over()
        index = operator.index(action)
        reward = self._simulation.step(index if 0 <= index < self._simulation.nodes else self._simulation.nodes)
        observed, info = self._observe()
        return observed, self._count(reward), self._over, False, info

    def action_masks(self) -> NDArray[np.bool_]:
        """The mask of the current decision, (N + 1,), under the name sb3-contrib looks for."""
        return self._simulation.state.mask.astype(np.bool_)

    def _observe(self) -> tuple[Observed, dict[str, Any]]:
        simulation, number = self._simulation, self._simulation.asked
        self._over = number < 0
        mask = simulation.state.mask.copy()
        observed = {name: getattr(simulation.seen, name).copy() for name in ("sites", "job", "queue")}
        observed["action_mask"] = mask
        if self.privileged:
            observed["labels"] = simulation.seen.labels.copy()
        if self._over:
            return observed, {"action_mask": mask.copy()}
        origin, now_ms = int(simulation.jobs["origin"][number]), float(simulation.state.tally["now_ms"][0])
        return observed, {"action_mask": mask.copy(), "job": number, "origin": origin, "now_ms": now_ms}


def observation_space(nodes: int, *, privileged: bool = False) -> spaces.Dict:
    """The observation space of a region of so many nodes."""
    parts: dict[str, spaces.Space[Any]] = {
        "sites": rows_space(SITE_BOUNDS, nodes),
        "job": spaces.Box(*JOB_BOUNDS, dtype=np.float32),
        "queue": spaces.Box(*QUEUE_BOUNDS, dtype=np.float32),
        "action_mask": spaces.MultiBinary(nodes + 1),
    }
    return spaces.Dict(parts | ({"labels": rows_space(LABEL_BOUNDS, nodes)} if privileged else {}))


def rows_space(bounds: tuple[NDArray[np.float32], NDArray[np.float32]], count: int) -> spaces.Box:
    """The space of `count` rows of least and most."""
    low, high = (np.repeat(row[None, :], count, axis=0) for row in bounds)
    return spaces.Box(low, high, dtype=np.float32)
