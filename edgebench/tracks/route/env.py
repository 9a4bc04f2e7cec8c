"""The Route track as a Gymnasium environment."""

from __future__ import annotations

import operator
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from edgebench.constants import CANDIDATES, MAX_STAGES, PAYLOAD_MB, WINDOW_TASKS
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.pinning import checked_seed, pinned_episode
from edgebench.region import Region, load
from edgebench.registry import DEFAULT_SCENARIO, DEFAULT_WORKFLOW, SAMPLE_EDITION, SCENARIOS, Scenario, companion
from edgebench.registry import scenario as find_scenario
from edgebench.sim.features import feature_table
from edgebench.tracks.route.features import CANDIDATE_FEATURES, LABELS, TASK_FEATURES, F, L, T
from edgebench.tracks.route.metrics import episode_metrics
from edgebench.tracks.route.observe import CANDIDATE_HIGH, LABEL_HIGH, TASK_HIGH
from edgebench.tracks.route.render import RENDER_FPS, RENDER_MODES, RouteRenderer
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.simulation import Simulation
from edgebench.tracks.route.state import OBJECTIVES

Observed = dict[str, Any]
OBSERVED: Final = ("candidates", "task", "action_mask")
VIEWS: Final = {"candidates": False, "full": True}
"""Views by name, and whether every instance is offered."""
REWARDS: Final[dict[str, tuple[int, ...]]] = {"scalar": (), "vector": (OBJECTIVES - 1,)}
"""Kinds of reward by name, and their shapes."""
_NO_CANDIDATE: Final = -1
_SCENARIO_NAMES: Final = ", ".join(f"`{name}`" for name in SCENARIOS)


PAGE: Final = f"""Send each stage of many users' workflows to a model instance on a real edge network.

    ## Description
    Tasks arrive at the node nearest their user. Each is a workflow of stages that need a model of a certain type: text,
    image or video, or an expert of one of these kinds. Decisions come in the order of event time: a stage is due when
    the last of its parents is done, one without parents when the task arrives, and the agent picks its instance.
    Queues, resident models and trap links' states persist across tasks, so a choice changes what later tasks meet. An
    episode is a window of {WINDOW_TASKS} tasks under one scenario seed.

    A workflow is a chain in the standard regions and any graph elsewhere; several stages of a task may be under way at
    once. A stage is decided at the node where the last of its parents ran (of equals the lowest stage), or at the
    user's node. Then the output of every parent, or the user's prompt, leaves from where it is, all at once, and the
    stage arrives with the last of them.

    From node u to an instance on node v an input takes `propagation + hops` on the quickest path, plus the `extra` of
    every trap link on it and `megabytes / bottleneck bandwidth`. A stage takes `max(0, free_v - arrival)` in the queue
    (first come, first served), `memory / load rate` if the model is not resident (the node evicts the least recently
    used), and `tokens * work / speed_v`. When all stages are done, the outputs of those without children travel back to
    the user at once; the slowest ends the task. A trap link is met in the state it has when the transfer starts: a bad
    one adds its extra and, where it loses bandwidth or packets, more for every megabyte. Where several paths are the
    quickest, each node forwards to its lowest-numbered neighbour on one. A stage that would begin later than two
    deadlines after its task arrived is not served: the task has failed.

    In `outage` what reaches a node that is down or is under way on one that fails is lost, and its task with it; so are
    the node's queue and models. Outputs of stages already done survive, and a node that is down still sends them. In
    `jitter` a way that is late adds its delay to whatever leaves on it; nothing of that is measured or remembered.

    ## Action space
    `Discrete({CANDIDATES})`: the index of a candidate. At every node the candidates of a type are, in turn, the
    nearest, the quickest and the best in quality not yet taken, the same for every agent: nearest by network time of
    {PAYLOAD_MB[1]:g} MB, quickest by that and the service time of the type's median tokens. An index whose
    `action_mask` is 0 fails the task: its utility is 0.

    ## Observation space
    The same shapes in every region. Times ending in `_s` are seconds; values are clipped at the maximum.

    `candidates`, float32 ({F}, {CANDIDATES}), one column a candidate:

{feature_table(CANDIDATE_FEATURES)}

    `task`, float32 ({T},):

{feature_table(TASK_FEATURES)}

    `action_mask`, int8 ({CANDIDATES},): 1 where a candidate stands.

    ## Rewards
    Utility of a task: `w_q * mean quality + w_s * max(0, 1 - T/deadline) - w_c * cost/cost_ref`, at least 0, and 0 if
    it fails (invalid action, a node that is down, or T above two deadlines). A step's reward is what all tasks have
    earned until the next decision, as differences of a potential: the rewards of an episode sum to the utilities of its
    tasks.

    ## Starting state
    Idle nodes, no resident model, no measurement. `reset(options={{"window": w, "seed": s}})` pins the episode; else
    window and scenario seed are hashed from the environment's seed and the number of resets since.

    ## Episode end
    Terminated when every task of the window has been answered or has failed; never truncated.

    ## Information
    `action_mask`, `instances` (instance ids of the candidates, -1 beyond the last), `node` (where the stage is
    decided), `user_node`, `task` (number in the window), `stage`, and of the whole workflow `stages` (its length),
    `answer_mb` (the largest output of a stage without children) and, ({MAX_STAGES},) each, -1 or 0 beyond the last
    stage: `stage_types` (codes of `instances.model_type`), `stage_parents` (bit k: the stage needs what stage k
    yields), `stage_tokens`, `stage_payload_mb` (what each stage is sent in all), `stage_output_mb` (what it yields).
    When the episode is over, `action_mask` and `instances` alone.

    ## Arguments
    `region`: a name or a loaded `Region`; `scenario`: {_SCENARIO_NAMES}, `{DEFAULT_SCENARIO}` by default;
    `split`: `train` (default), `val` or `test`; `edition`: which build of the region; `seed`: the
    environment's seed until `reset(seed=...)` gives another.

    `view="full"` offers every instance of the region in place of {CANDIDATES} candidates: columns and actions are
    instance ids, those of other types are 0 and masked out, and so the shapes are the region's own.

    `reward="vector"` gives the three objectives that the utility weighs, float32 (3,), in the convention of
    MO-Gymnasium (`reward_space`): quality, speed `max(0, 1 - T/deadline)` and thrift `max(0, 1 - cost/cost_ref)`, each
    0 for a task that fails, telescoped over the stages as the utility is. Gymnasium's own checker wants one number a
    step and warns of three.

    `privileged=True` adds `labels`, float32 ({L}, columns), which no operator can know and no result may rest on
    unmarked:

{feature_table(LABELS)}

    `workflow`: `dag` plays the region on the same network whose workflows are graphs, `s1-dag` for `s1`; `chain`, the
    default, the region that is named.

    `render_mode`: `rgb_array` gives `render()` as a uint8 picture (height, width, 3) of the map, with the true queues,
    links and nodes, which agents are not told; `human` shows the same in a window after every reset and step; `ansi`
    gives words, what the agent sees. The first two need the extra `edgebench[plots]`.

    Raises `EdgeBenchError` for an unknown region, scenario, split, view, reward, workflow or render mode, for a region
    that is not built, and for `workflow="dag"` on a region of chains that is loaded or has no such companion.

    ## Version history
    v0: first version.
    """


class RouteEnv(gymnasium.Env[Observed, np.int64]):  # noqa: D101
    __doc__ = PAGE
    track: Final = "route"
    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": RENDER_FPS}  # noqa: RUF012

    def __init__(
        self,
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
        render_mode: str | None = None,
    ) -> None:
        self.region = wanted_region(region, edition, workflow)
        self.scenario, self.split, self.privileged = find_scenario(scenario), split, privileged
        rules = route_rules(self.scenario, view=view, privileged=privileged)
        self._simulation = Simulation(self.region.topology(), self.region.task_arrays(split), rules)
        self._columns = self._simulation.seen.action_mask.size
        self._observed = OBSERVED + ("labels",) * privileged
        self.observation_space = observation_space(self._columns, privileged=privileged)
        self.action_space = spaces.Discrete(self._columns)
        self.reward_space = reward_space(reward)
        self._workflows = [_workflow(task) for task in self._simulation.tasks]
        self._seed, self._resets = checked_seed(seed), 0
        self._reward, self._decisions, self._over = 0.0, 0, True
        self.render_mode, self._renderer = render_mode, None
        if render_mode is not None:
            self._renderer = RouteRenderer(render_mode, self.region, self.scenario.name, self._simulation)

    @property
    def windows(self) -> int:
        """Episodes' worth of tasks in the split."""
        return self._simulation.windows

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Begin an episode; `options` may pin `window` and `seed` (see the class)."""
        super().reset(seed=seed)
        if seed is not None:
            self._seed, self._resets = checked_seed(seed), 0
        tasks = self._simulation.tasks.size
        window, scenario_seed = pinned_episode(
            options or {}, self._seed, self._resets, tasks, self.region.name, self.split
        )
        self._resets += 1
        self._reward, self._decisions = 0.0, 0
        self._simulation.start(window, scenario_seed)
        if self._renderer is not None:
            self._renderer.begin()
        return self._observe()

    def step(self, action: np.int64 | int) -> tuple[Observed, Any, bool, bool, dict[str, Any]]:
        """Send the stage whose turn it is to candidate `action`; returns Gymnasium's five values."""
        if self._over:
            raise EdgeBenchError("the episode is over", mend="call reset() before step()")
        index = operator.index(action)
        if self._renderer is not None:
            self._renderer.note(index)
        reward = self._simulation.step(index if 0 <= index < self._columns else _NO_CANDIDATE)
        self._reward += reward
        self._decisions += 1
        observed, info = self._observe()
        if self.reward_space.shape:
            return observed, self._simulation.state.earned[1:].astype(np.float32), self._over, False, info
        return observed, reward, self._over, False, info

    @property
    def simulation(self) -> Simulation:
        """What is played, to be read alone: it holds what no agent may know."""
        return self._simulation

    def action_masks(self) -> NDArray[np.bool_]:
        """The mask of the current decision, (K,), under the name sb3-contrib looks for."""
        return self._simulation.seen.action_mask.astype(np.bool_)

    def summary(self) -> dict[str, float]:
        """Metrics of the episode that has just ended (`metrics.py`); EdgeBenchError before its end."""
        if self._resets == 0 or not self._over:
            raise EdgeBenchError("the episode is not over", mend="step until terminated")
        metrics = episode_metrics(self._simulation.state)
        return {**metrics, "reward": self._reward, "decisions": float(self._decisions)}

    def render(self) -> NDArray[np.uint8] | str | None:
        """The present decision as `render_mode` says (see the class); EdgeBenchError before the first reset."""
        if self._renderer is None:
            gymnasium.logger.warn("render() without a render_mode draws nothing: give one to make()")
            return None
        if self._resets == 0:
            raise EdgeBenchError("there is no episode to draw", mend="call reset() before render()")
        return self._renderer.render()

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._renderer is not None:
            self._renderer.close()

    def _observe(self) -> tuple[Observed, dict[str, Any]]:
        if self.render_mode == "human":  # a window follows every reset and step, by Gymnasium's convention
            self.render()
        seen = self._simulation.seen
        observed = {name: getattr(seen, name).copy() for name in self._observed}
        mask, instances = observed["action_mask"], seen.instances.copy()
        row, number, stage, node, _ = seen.place.tolist()
        self._over = number < 0
        if self._over:
            return observed, {"action_mask": mask, "instances": instances}
        workflow = self._workflows[row]
        return observed, {
            "action_mask": mask,
            "instances": instances,
            "node": node,
            "user_node": workflow.user_node,
            "task": number,
            "stage": stage,
            "answer_mb": workflow.answer_mb,
            "stages": workflow.stages,
            "stage_types": workflow.types.copy(),
            "stage_parents": workflow.parents.copy(),
            "stage_tokens": workflow.tokens.copy(),
            "stage_payload_mb": workflow.payload_mb.copy(),
            "stage_output_mb": workflow.output_mb.copy(),
        }


def wanted_region(region: str | Region, edition: str, workflow: str) -> Region:
    """The region an environment is asked for, by its name or loaded; EdgeBenchError as `RouteEnv` tells."""
    name = companion(region if isinstance(region, str) else region.name, workflow)
    found = load(name, edition=edition) if isinstance(region, str) else region
    if workflow != DEFAULT_WORKFLOW and _has_chains_alone(found):
        own = "graphs in a region of your own: edgebench build --workflow dag"
        raise EdgeBenchError(
            f"the workflows of {found.name} are chains",
            where=f"workflow={workflow!r}",
            mend=own if name == found.name else f"load {name}",
        )
    return found


def _has_chains_alone(region: Region) -> bool:
    parents = region.tables["tasks"]["stage_parents"].to_pylist()
    return all(row == [(1 << stage) >> 1 for stage in range(len(row))] for row in parents)


def route_rules(scenario: Scenario, *, view: str, privileged: bool, tick_ms: float = 0.0) -> NDArray[Any]:
    """The simulator's rules of a scenario and of what is seen; EdgeBenchError for an unknown view."""
    if view not in VIEWS:
        raise unknown_name("view", view, VIEWS)
    return make_rules(scenario.parameters(), tick_ms=tick_ms, sees_all=VIEWS[view], privileged=privileged)


def observation_space(columns: int = CANDIDATES, *, privileged: bool = False) -> spaces.Dict:
    """The observation space of one environment, the same in every region unless all its instances are offered."""

    def box(high: NDArray[np.float32]) -> spaces.Box:
        high = np.repeat(high[:, None], columns, axis=1)
        return spaces.Box(np.zeros_like(high), high, dtype=np.float32)

    parts: dict[str, spaces.Space[Any]] = {
        "candidates": box(CANDIDATE_HIGH),
        "task": spaces.Box(np.zeros_like(TASK_HIGH), TASK_HIGH, dtype=np.float32),
        "action_mask": spaces.MultiBinary(columns),
    }
    return spaces.Dict(parts | ({"labels": box(LABEL_HIGH)} if privileged else {}))


def reward_space(reward: str) -> spaces.Box:
    """The space of a step's reward, () or (3,); EdgeBenchError for an unknown kind."""
    if reward not in REWARDS:
        raise unknown_name("reward", reward, REWARDS)
    return spaces.Box(-np.inf, np.inf, REWARDS[reward], np.float32)


class _Workflow(NamedTuple):
    """What `info` tells of a task whatever its stage; looking it up costs less than reading the records again."""

    user_node: int
    answer_mb: float
    stages: int
    types: NDArray[np.int8]
    parents: NDArray[np.int64]
    tokens: NDArray[np.float64]
    payload_mb: NDArray[np.float64]
    output_mb: NDArray[np.float64]


def _workflow(task: Any) -> _Workflow:
    of_stages = (task[name] for name in ("stage_type", "parents", "tokens", "payload_mb", "output_mb"))
    return _Workflow(int(task["user_node"]), float(task["answer_mb"]), int(task["stages"]), *of_stages)
