"""What the two multi-agent faces of Route share: gateways, spaces, episodes, what everybody sees."""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.pinning import checked_seed, pinned_episode
from edgebench.region import Region, load
from edgebench.registry import DEFAULT_SCENARIO, SAMPLE_EDITION
from edgebench.registry import scenario as find_scenario
from edgebench.tracks.route.env import OBSERVED, Observed, observation_space, route_rules
from edgebench.tracks.route.gateway_features import AGE, GATEWAY_FEATURES, HEARD, OWN, TOLD, C
from edgebench.tracks.route.gateways import CLUSTERINGS, cluster_nodes, gateway_nodes
from edgebench.tracks.route.mail import Mail
from edgebench.tracks.route.metrics import episode_metrics
from edgebench.tracks.route.observe import CANDIDATE_HIGH, TASK_HIGH
from edgebench.tracks.route.simulation import Simulation
from edgebench.tracks.route.state import TURN
from edgebench.tracks.route.turns import arrivals_ms, find_decisions, play_round, see_clusters, see_decision

MODES: Final = ("local", "global")
"""What a gateway sees of the others: what has arrived, or all as it is."""
GATEWAY_HIGH: Final = np.array([feature.high for feature in GATEWAY_FEATURES], np.float32)
_PROBE: Final = "options"
"""PettingZoo's API tests reset with this option, to learn whether options are taken at all."""
_NO_CANDIDATE: Final = -1


class Decision(NamedTuple):
    """A decision that a gateway has to take: its task, what is seen of it, what is told beside."""

    number: int
    observed: Observed
    info: dict[str, Any]


class Heard(NamedTuple):
    """By what a gateway knows the others: all rows as they are, of which it sees its own, and what has arrived."""

    fresh: NDArray[np.float32]  # (…, G, C)
    told: NDArray[np.float32]  # (…, G, TOLD)
    age_ms: NDArray[np.float64]  # (…, G) since that left its gateway, inf where nothing has come


def known_rows(gateway: NDArray[np.int64], heard: Heard) -> NDArray[np.float32]:
    """The rows of all gateways as some of them, (D,), know them by what each has heard, (D, G, C)."""
    rows, own = heard.fresh.copy(), (np.arange(len(gateway)), gateway)
    age_s = heard.age_ms / 1000.0
    has_come = np.isfinite(age_s)
    rows[..., :TOLD], rows[..., HEARD] = heard.told, has_come
    rows[..., AGE] = np.where(has_come, np.minimum(age_s, GATEWAY_HIGH[AGE]), 0.0)
    rows[own] = heard.fresh[own]
    rows[(*own, OWN)] = 1.0
    return rows


class RouteTeam(ABC):
    """Gateways that decide, each for the nodes of its cluster, in one simulation.

    Args:
        region: A name or a loaded region.
        gateways: G, 1 to the number of nodes.
        clusters: How the nodes are shared out: a key of `edgebench.tracks.route.gateways.CLUSTERINGS`.
        tick_ms: Decisions wait for the next multiple of this; 0: they do not wait.
        view: As `edgebench.tracks.route.env.RouteEnv`.
        observe: `local` or `global` (`MODES`).
        messages: Numbers in a message, M; 0: there are none, and an action is an index alone.
        scenario: How the network behaves.
        split: Whose tasks.
        edition: Which build of the region.
        seed: The environment's seed until `reset(seed=...)` gives another.

    Attributes:
        possible_agents: The gateways' names.
        agents: Those of an episode under way: all, or none when it is over.
        state_space: Of `state`.
        gateway_of: (N,) gateway of each node.
        stands_on: (G,) node of each gateway.

    Raises:
        EdgeBenchError: An argument is out of its range, a name is unknown, or the region is not built.
    """

    metadata: dict[str, Any]

    def __init__(
        self,
        region: str | Region = "s1",
        *,
        gateways: int = 4,
        clusters: str = "kmeans",
        tick_ms: float = 100.0,
        view: str = "candidates",
        observe: str = "local",
        messages: int = 0,
        scenario: str = DEFAULT_SCENARIO,
        split: str = "train",
        edition: str = SAMPLE_EDITION,
        seed: int = 0,
    ) -> None:
        self.region = load(region, edition=edition) if isinstance(region, str) else region
        self.scenario, self.split = find_scenario(scenario), split
        if observe not in MODES:
            raise unknown_name("mode of observation", observe, MODES)
        if not math.isfinite(tick_ms) or tick_ms < 0.0:
            raise EdgeBenchError(f"tick_ms is {tick_ms}", mend="give 0 or more")
        rules = route_rules(self.scenario, view=view, privileged=False, tick_ms=tick_ms)
        self._simulation = Simulation(self.region.topology(), self.region.task_arrays(split), rules)
        self._sees_all = observe == "global"
        self._settle(gateways, clusters)
        self._make_spaces(_count("messages", messages, 0))
        self.agents: list[str] = []
        self._seed, self._resets = checked_seed(seed), 0
        self._decisions: dict[int, Decision] = {}

    @property
    def windows(self) -> int:
        """Episodes' worth of tasks in the split."""
        return self._simulation.windows

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """What a gateway sees; one space object for each."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """What a gateway does; one space object for each."""
        return self._action_spaces[agent]

    def state(self) -> NDArray[np.float32]:
        """All there is to see (`state_space`), (S,).

        One after another: of every gateway `candidates`, `task` and `action_mask` of the decision it has due (flat),
        then the rows of all gateways as they are.
        """
        decisions = [self._of_decision(gateway) for gateway in range(len(self.possible_agents))]
        parts = [decision[name].ravel() for decision in decisions for name in OBSERVED]
        return np.concatenate([*parts, self._fresh.ravel()], dtype=np.float32)

    @property
    def _over(self) -> bool:
        return bool(self._simulation.state.cursor[TURN] < 0)

    def summary(self) -> dict[str, float]:
        """Metrics of the episode that has just ended (`edgebench.tracks.route.metrics`); EdgeBenchError before its end.

        `reward` is the sum of what one gateway was given, `decisions` those taken by all.
        """
        if self._resets == 0 or not self._over:
            raise EdgeBenchError("the episode is not over", mend="step until terminated")
        metrics = episode_metrics(self._simulation.state)
        return {**metrics, "reward": self._reward, "decisions": float(self._taken)}

    def _settle(self, gateways: int, clusters: str) -> None:
        """Share the nodes out and find every gateway its place."""
        nodes, topology = self.region.tables["nodes"].num_rows, self._simulation.topology
        if clusters not in CLUSTERINGS:
            raise unknown_name("clusters", clusters, CLUSTERINGS)
        count = _count("gateways", gateways, 1)
        if count > nodes:
            raise EdgeBenchError(
                f"{count} gateways for {nodes} nodes", where=self.region.name, mend=f"give 1 … {nodes}"
            )
        lat, lon, compute = (self.region.column("nodes", name).astype(np.float64) for name in ("lat", "lon", "compute"))
        self.gateway_of = cluster_nodes(lat, lon, compute, count, clusters)
        self.stands_on = gateway_nodes(topology.path["latency_ms"], self.gateway_of, count)
        self.possible_agents = [f"gateway_{gateway}" for gateway in range(count)]
        self._first, self._due = np.full(count, -1, np.int64), np.zeros(count, np.int64)
        self._fresh = np.zeros((count, C), np.float32)

    def _make_spaces(self, messages: int) -> None:
        gateways = len(self.possible_agents)
        columns = self._columns = self._simulation.seen.action_mask.size
        self._observation_spaces = {name: _sees(columns, gateways, messages) for name in self.possible_agents}
        self._action_spaces = {name: _does(columns, messages) for name in self.possible_agents}
        of_decision = (np.repeat(CANDIDATE_HIGH, columns), TASK_HIGH, np.ones(columns + 1, np.float32))
        high = np.concatenate([*of_decision * gateways, np.tile(GATEWAY_HIGH, gateways)])
        self.state_space = spaces.Box(np.zeros_like(high), high, dtype=np.float32)
        self._words = np.zeros((gateways, messages), np.float32)

    def _begin(self, seed: int | None, options: dict[str, Any] | None) -> None:
        """Begin an episode; `options` may pin `window` and `seed`."""
        options = {name: value for name, value in (options or {}).items() if name != _PROBE}
        if seed is not None:
            self._seed, self._resets = checked_seed(seed), 0
        tasks = self._simulation.tasks.size
        window, pinned = pinned_episode(options, self._seed, self._resets, tasks, self.region.name, self.split)
        self._resets += 1
        self._reward, self._taken = 0.0, 0
        self._words[:] = 0.0
        self._mail = Mail(len(self.possible_agents), TOLD + self._words.shape[1])
        self._simulation.start(window, pinned)
        self._look()

    @abstractmethod
    def _asked(self) -> list[int]:
        """The gateways that decide now, of those that have a decision due."""

    def _look(self) -> None:
        """Take in what is due, what has arrived and what there is to tell."""
        address, told = self._simulation.address, np.zeros((len(self.possible_agents), TOLD), np.float32)
        self._now_ms = find_decisions(address, self.gateway_of, self._first, self._due)
        self._fresh[:] = 0.0
        self._decisions = {}
        if self._over:
            return
        self._mail.collect(self._now_ms)
        see_clusters(address, self.gateway_of, self._due, self._now_ms, told)
        self._fresh[:, :TOLD], self._fresh[:, HEARD] = np.minimum(told, GATEWAY_HIGH[:TOLD]), 1.0
        self._there_ms = np.empty(self._mail.sent_ms.shape)
        arrivals_ms(address, self.stands_on, self._now_ms, self._there_ms)
        self._decisions = {gateway: self._decision(int(self._first[gateway])) for gateway in self._asked()}

    def _decision(self, number: int) -> Decision:
        """What is seen of the decision that task `number` has due."""
        see_decision(self._simulation.address, number)
        seen = self._simulation.seen
        mask = np.zeros(self._columns + 1, np.int8)
        mask[:-1] = seen.action_mask
        observed = {"candidates": seen.candidates.copy(), "task": seen.task.copy(), "action_mask": mask}
        place = zip(("task", "stage", "node", "user_node"), seen.place[1:].tolist(), strict=True)
        return Decision(number, observed, {"instances": seen.instances.copy(), **dict(place)})

    def _of_decision(self, gateway: int) -> Observed:
        """The part of an observation that is about the gateway's own decision; zeros and the wait where it has none."""
        if gateway in self._decisions:
            return {name: part.copy() for name, part in self._decisions[gateway].observed.items()}
        seen = self._simulation.seen
        mask = np.append(np.zeros_like(seen.action_mask), np.int8(1))
        return {"candidates": np.zeros_like(seen.candidates), "task": np.zeros_like(seen.task), "action_mask": mask}

    def _observation(self, gateway: int) -> Observed:
        observed = self._of_decision(gateway)
        observed["cluster"] = self._cluster(gateway)
        if self._words.shape[1]:
            observed["messages"] = self._mail.letters[gateway, :, TOLD:].copy()
        return observed

    def _cluster(self, gateway: int) -> NDArray[np.float32]:
        """The rows of all gateways as one of them knows them; zeros when the episode is over."""
        if self._over:
            return self._fresh.copy()
        fresh, told, age_ms = self._heard(gateway)
        rows: NDArray[np.float32] = known_rows(np.array([gateway]), Heard(fresh[None], told[None], age_ms[None]))[0]
        return rows

    def _heard(self, gateway: int) -> Heard:
        """What a gateway has to know the others by."""
        told, age_ms = self._mail.letters[gateway, :, :TOLD], self._now_ms - self._mail.sent_ms[gateway]
        if self._sees_all:
            told, age_ms = self._fresh[:, :TOLD], np.zeros_like(age_ms)
        return Heard(self._fresh, told, age_ms)

    def _info(self, gateway: int) -> dict[str, Any]:
        info = {"action_mask": self._of_decision(gateway)["action_mask"], "now_ms": self._now_ms}
        if gateway in self._decisions:
            info |= self._decisions[gateway].info
        return info

    def _parsed(self, agent: str, action: Any) -> tuple[int, Any]:
        """The candidate an action means, -1 for none, and the message that goes with it."""
        words, index = self._words.shape[1], action
        message: NDArray[Any] = np.empty(0)
        if words:
            if not isinstance(action, Mapping) or set(action) != {"action", "message"}:
                raise EdgeBenchError("no action and message", where=agent, mend="give a dictionary of both")
            index, message = action["action"], np.asarray(action["message"])
            if message.shape != (words,) or message.dtype.kind not in "fiu" or not (np.abs(message) <= 1.0).all():
                raise EdgeBenchError(f"the message is {message!r}", where=agent, mend=f"give {words} numbers, -1 … 1")
        index = operator.index(index)
        return (index if 0 <= index < self._columns else _NO_CANDIDATE), message

    def _act(self, parsed: Mapping[int, tuple[int, Any]]) -> float:
        """Take the decisions of now, in the order of their tasks; returns what all tasks earn until the next one.

        What the gateways tell each other leaves at the same time: their rows as observed, and of each the message it
        has given last.
        """
        for gateway, (_, message) in parsed.items():
            self._words[gateway] = message
        self._mail.post(self._now_ms, self._there_ms, np.hstack([self._fresh[:, :TOLD], self._words]))
        taken = np.array(sorted((due.number, parsed[gateway][0]) for gateway, due in self._decisions.items()), np.int64)
        reward = play_round(self._simulation.address, taken[:, 0].copy(), taken[:, 1].copy())
        self._reward += reward
        self._taken += len(taken)
        self._look()
        return reward


def _count(name: str, value: Any, least: int) -> int:
    try:
        count = operator.index(value)
    except TypeError as error:
        raise EdgeBenchError(f"{name} is {value!r}", mend="give a whole number") from error
    if count < least:
        raise EdgeBenchError(f"{name} is {count}", mend=f"give {least} or more")
    return count


def _sees(columns: int, gateways: int, messages: int) -> spaces.Dict:
    rows = np.tile(GATEWAY_HIGH, (gateways, 1))
    parts: dict[str, spaces.Space[Any]] = {
        **observation_space(columns),
        "action_mask": spaces.MultiBinary(columns + 1),
        "cluster": spaces.Box(np.zeros_like(rows), rows, dtype=np.float32),
    }
    if messages:
        parts["messages"] = spaces.Box(-1.0, 1.0, (gateways, messages), np.float32)
    return spaces.Dict(parts)


def _does(columns: int, messages: int) -> spaces.Space[Any]:
    index = spaces.Discrete(columns + 1)
    if not messages:
        return index
    return spaces.Dict({"action": index, "message": spaces.Box(-1.0, 1.0, (messages,), np.float32)})
