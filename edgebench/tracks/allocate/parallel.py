"""The Allocate track as a PettingZoo parallel environment: sites offer shares of what they have free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from edgebench.envs.faces import TeamFace
from edgebench.envs.pettingzoo_bases import ParallelEnv
from edgebench.errors import EdgeBenchError
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.sim.features import feature_table
from edgebench.tracks.allocate.constants import RESOURCES, TICK_MS, R
from edgebench.tracks.allocate.env import REWARD, RULES, rows_space
from edgebench.tracks.allocate.observe import bounds_of
from edgebench.tracks.allocate.offer_features import OFFER_FEATURES, P
from edgebench.tracks.allocate.simulation import Simulation

_Floats32 = NDArray[np.float32]
_Told = tuple[dict[str, _Floats32], dict[str, dict[str, Any]]]

PAGE: Final = f"""Sites offer shares of their four resources; a broker gives jobs to the best fit.

    ## Description
    {RULES}

    Every site is an agent, `site_0` … `site_<N-1>`. A step is a tick of {TICK_MS / 1000:g} s at which
    a job waits; ticks without one are passed over. All sites offer at once; then the broker goes through the waiting
    jobs, the higher priority first and then the earlier arrival. Of the sites that offer enough of everything, and that
    the input would reach in time by what is remembered of traps, a job goes to that with the least waste: the mean over
    the resources of what would be left of the offer, as a share of the site's capacity. A job that no offer fits waits
    for the next tick. The broker does not look at how long a way is: that is for the sites to think of, who can keep
    what they have free for a job that is nearer or matters more.

    ## Action space
    Of every site `Box(0, 1, ({R},))`: the share that it offers of what is free of {", ".join(RESOURCES)},
    requests under way taken off. A site that is down offers nothing, whatever it says.

    ## Observation space
    Of every site float32 ({P},), the same in every region. `head` is the first job, by priority and arrival, that waits
    and could be held here; `near` are the neighbours over the quickest links, as they last published.

{feature_table(OFFER_FEATURES)}

    ## Rewards
    The team's, the same for every site. {REWARD}

    ## Starting state
    As `AllocateEnv`, at the first tick at which a job waits; `reset(seed=..., options={{"window": w, "seed": s}})` as
    there.

    ## Episode end
    Of all sites at once, when every job is done or has expired; never truncated.

    ## Information
    Of every site `now_ms`.

    ## Arguments
    `region`, `scenario`, `split`, `edition` and `seed` as `AllocateEnv`. `state()`, in `state_space`, is what all sites
    see, (N, {P}), for central critics.

    Raises `EdgeBenchError` for an unknown region, scenario or split, and for a region that is not built.

    ## Version history
    v0: first version.
    """


class AllocateParallelEnv(TeamFace, ParallelEnv[str, _Floats32, _Floats32]):  # type: ignore[misc]  # noqa: D101
    __doc__ = PAGE
    track: Final = "allocate"
    _simulation: Simulation
    metadata: dict[str, Any] = {"name": "allocate_parallel_v0", "render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        region: str | Region = "s1",
        *,
        scenario: str = DEFAULT_SCENARIO,
        split: str = "train",
        edition: str = SAMPLE_EDITION,
        seed: int = 0,
    ) -> None:
        self._open(region, scenario, split, edition, seed)
        self._simulation = Simulation(self.region, self.scenario, split)
        agents = [f"site_{number}" for number in range(self._simulation.nodes)]
        low, high = bounds_of(OFFER_FEATURES)
        self._gather(
            {agent: spaces.Box(low, high, dtype=np.float32) for agent in agents},
            {agent: spaces.Box(0.0, 1.0, (R,), dtype=np.float32) for agent in agents},
        )
        self.state_space = rows_space((low, high), len(agents))

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> _Told:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        self._simulation.start_ticks(*self._pin(seed, options))
        return self._told()

    def step(
        self, actions: Mapping[str, _Floats32]
    ) -> tuple[dict[str, _Floats32], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """All sites offer, jobs are given out, time goes on to the next tick; returns PettingZoo's five values."""
        self._refuse(actions)
        rewards = dict.fromkeys(self.agents, self._count(self._simulation.allot(self._shares(actions))))
        observed, infos = self._told()
        terminated, truncated = self._flags(terminated=self._simulation.asked < 0, truncated=False)
        return observed, rewards, terminated, truncated, infos

    def state(self) -> _Floats32:
        """What all sites see, (N, P)."""
        return self._simulation.offer_rows.copy()

    def _shares(self, actions: Mapping[str, Any]) -> NDArray[np.float64]:
        shares = np.zeros((len(self.agents), R))
        for row, agent in enumerate(self.agents):
            offer = np.asarray(actions[agent])
            if offer.shape != (R,) or offer.dtype.kind not in "fiu":
                raise EdgeBenchError(f"an offer is {R} numbers", where=agent, mend=f"got {actions[agent]!r}")
            shares[row] = offer
        if not ((shares >= 0.0) & (shares <= 1.0)).all():
            raise EdgeBenchError("an offer is outside 0 … 1", mend="offer shares of what is free")
        return shares

    def _told(self) -> _Told:
        rows, now_ms = self._simulation.offer_rows, float(self._simulation.state.tally["now_ms"][0])
        observed = {agent: rows[row].copy() for row, agent in enumerate(self.possible_agents)}
        return observed, {agent: {"now_ms": now_ms} for agent in self.possible_agents}
