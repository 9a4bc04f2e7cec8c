"""The Route track as a PettingZoo parallel environment: gateways decide at once, in rounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgebench.constants import CANDIDATES
from edgebench.envs.pettingzoo_bases import ParallelEnv
from edgebench.errors import EdgeBenchError
from edgebench.sim.features import feature_table
from edgebench.tracks.route.env import Observed
from edgebench.tracks.route.gateway_features import GATEWAY_FEATURES, C
from edgebench.tracks.route.gateways import CLUSTERINGS
from edgebench.tracks.route.team import MODES, RouteTeam
from edgebench.tracks.route.turns import MESSAGE_MB

_Told = tuple[dict[str, Observed], dict[str, dict[str, Any]]]

PAGE: Final = f"""Several gateways send stages of many users' workflows to model instances, each for its own cluster.

    ## Description
    The simulation, the tasks and the decisions are those of `edgebench.tracks.route.env.RouteEnv`. A decision belongs
    to the gateway in whose cluster the node stands at which it is taken. Decisions wait for the next dispatch tick, a
    multiple of `tick_ms`, so that many are due at once.

    A step is a round. Of the decisions due now each gateway takes its first, that of the task with the lowest number;
    of a task one stage is due at a time. All observe before any acts. They act at once: their stages are sent in the
    order of task numbers. What is left of this tick is taken in further rounds at the same simulated time, and when
    nothing is left the next step is at the next tick at which a decision is due.

    A gateway stands on one node of its cluster, the one with the least mean latency to the others. In every round each
    gateway sends every other its row of `cluster`, as it is before the round's decisions, and its message. That takes
    the quickest path between the two nodes: propagation and hops, {MESSAGE_MB:g} MB over the bottleneck, the extra of
    the trap links in the state they have when it leaves. What left last counts, of all that has arrived.

    ## Action space
    Of every gateway `Discrete({CANDIDATES + 1})`: the index of a candidate, the last one to wait. Exactly the wait is
    valid when nothing is due at the gateway, and whatever it does then changes nothing. When a decision is due the wait
    is invalid, and as any invalid action it fails the task: its utility is 0. With `messages=M` above 0 it is a
    dictionary of that `action` and of `message`, M numbers from -1 to 1.

    ## Observation space
    Of every gateway, A gateways in all. `candidates`, `task` and `action_mask` are those of `RouteEnv`; the mask has
    the entry of the wait in addition. Where nothing is due they are 0, but for the wait.

    `cluster`, float32 (A, {C}), one row a gateway: the gateway's own row as it is, of the others what has arrived.

{feature_table(GATEWAY_FEATURES)}

    `messages`, float32 (A, M), if there are any: the message of each gateway that has arrived, 0 before the first.

    `observe="global"`: all rows of `cluster` as they are, of age 0; messages travel all the same.

    ## Rewards
    The team's: every gateway is given what all tasks have earned from this round to the next, so the rewards of any
    one gateway sum to the utilities of the episode's tasks.

    ## Starting state
    As `RouteEnv`; nothing has been sent. `reset(seed=..., options={{"window": w, "seed": s}})` as there.

    ## Episode end
    Of all gateways at once, when every task of the window has been answered or has failed; never truncated.

    ## Information
    Of every gateway `action_mask` and `now_ms` (time from the start of the window); of one that has a decision due
    `instances`, `node`, `user_node`, `task` and `stage` as well (see `RouteEnv`).

    ## Arguments
    `region`, `scenario`, `split`, `edition`, `seed` and `view` as `RouteEnv`. `gateways`: how many; `clusters`: how the
    nodes are shared out among them, {", ".join(f"`{name}`" for name in CLUSTERINGS)} (`gateways.py`);
    `tick_ms`: from one dispatch tick to the next, 0 for none; `observe`: {" or ".join(f"`{mode}`" for mode in MODES)};
    `messages`: numbers in a message.

    `state()`, in `state_space`, is the global state for central critics.

    Raises `EdgeBenchError` for an unknown region, scenario, split, view, clusters or mode, for a number out of its
    range, and for a region that is not built.

    ## Version history
    v0: first version.
    """


class RouteParallelEnv(RouteTeam, ParallelEnv[str, Observed, Any]):  # type: ignore[misc]  # noqa: D101
    __doc__ = PAGE
    metadata: dict[str, Any] = {"name": "route_parallel_v0", "render_modes": []}  # noqa: RUF012

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> _Told:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        self._begin(seed, options)
        self.agents = list(self.possible_agents)
        return self._told()

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Observed], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play a round; `actions` holds one of every gateway. Returns PettingZoo's five values."""
        if not self.agents:
            raise EdgeBenchError("the episode is over", mend="call reset() before step()")
        if actions.keys() != set(self.agents):
            missing = sorted(set(self.agents) ^ set(actions))
            raise EdgeBenchError(
                "not one action a gateway", where=", ".join(map(str, missing)), mend="give one for each"
            )
        reward = self._act({row: self._parsed(agent, actions[agent]) for row, agent in enumerate(self.possible_agents)})
        observed, infos = self._told()
        rewards = dict.fromkeys(self.agents, reward)
        terminated, truncated = (dict.fromkeys(self.agents, ended) for ended in (self._over, False))
        if self._over:
            self.agents = []
        return observed, rewards, terminated, truncated, infos

    def _asked(self) -> list[int]:
        return [gateway for gateway, number in enumerate(self._first.tolist()) if number >= 0]

    def _told(self) -> _Told:
        observed = {agent: self._observation(row) for row, agent in enumerate(self.possible_agents)}
        return observed, {agent: self._info(row) for row, agent in enumerate(self.possible_agents)}
