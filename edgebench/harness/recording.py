"""Trajectories of an agent as a Minari dataset, for learning offline.

Minari: https://minari.farama.org. A dataset holds observations, actions, rewards, ends and infos of every step.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import gymnasium
import numpy as np

from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import resolve_agent
from edgebench.harness.episodes import Setting, run_episode
from edgebench.harness.process import AgentProcess
from edgebench.harness.rollout import fixed_episodes
from edgebench.region import Region
from edgebench.registry import track as find_track

if TYPE_CHECKING:
    import minari

OnEpisode = Callable[[int, int], None]


def record(
    agent: str,
    dataset: str,
    region: Region,
    *,
    track: str,
    scenario: str,
    split: str,
    seeds: int,
    on_episode: OnEpisode = lambda done, total: None,
) -> minari.MinariDataset:
    """Play every window of the split under scenario seeds 0 … seeds-1 and keep all steps.

    Args:
        agent: As `edgebench.harness.run.evaluate` takes it; it runs in its own process.
        dataset: Minari's id of the dataset, `name-v0`; it lies where Minari keeps its datasets.
        region: Where.
        track: The decision problem.
        scenario: How the network behaves.
        split: Whose tasks.
        seeds: How many scenario seeds.
        on_episode: Told of every episode played.

    Raises:
        EdgeBenchError: Minari is not installed, there is a dataset of that id, or the agent failed in an episode: a
            dataset holds whole episodes alone.
    """
    _refuse(dataset)
    import minari
    from minari import data_collector

    env = gymnasium.make(
        find_track(track).any_env_id, region=region.name, edition=region.edition, scenario=scenario, split=split
    )
    steps, setting, source = _Steps(env), Setting(region, track, scenario, split), resolve_agent(agent, track)
    episodes, buffers = fixed_episodes(int(cast(Any, env.unwrapped).windows), seeds), []
    with AgentProcess(source) as process:
        for number, (window, seed) in enumerate(episodes):
            result = run_episode(steps, process, setting, window=window, seed=seed)
            if result.status != "ok":
                where = f"{region.name}, window {window}, seed {seed}"
                raise EdgeBenchError(f"the agent failed: {result.status}: {result.detail}", where=where)
            buffers.append(data_collector.EpisodeBuffer(id=number, **steps.taken()))
            on_episode(number + 1, len(episodes))
    about = f"{track}, {region.name} ({region.edition}), {scenario}, {split}"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* is set to None")  # who made it is for its publisher to say
        made: minari.MinariDataset = minari.create_dataset_from_buffers(
            dataset, buffers, env=env, eval_env=env, algorithm_name=source.name, description=about
        )
    env.close()
    return made


def _refuse(dataset: str) -> None:
    if importlib.util.find_spec("minari") is None:
        raise EdgeBenchError("Minari is not installed", mend='pip install "edgebench[offline]"')
    import minari

    if dataset in minari.list_local_datasets():
        raise EdgeBenchError("there is such a dataset", where=dataset, mend=f"minari delete {dataset}, or another id")


class _Steps(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Keeps the steps of the present episode. An info lacks entries at the end: they are kept as at the beginning."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self._first = info
        self._observations, self._infos = [observation], [info]
        self._actions: list[Any] = []
        self._outcomes: list[tuple[float, bool, bool]] = []
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._observations.append(observation)
        self._actions.append(np.asarray(action))
        self._outcomes.append((float(cast(Any, reward)), terminated, truncated))
        self._infos.append({name: info.get(name, value) for name, value in self._first.items()})
        return observation, reward, terminated, truncated, info

    def taken(self) -> dict[str, Any]:
        """The episode as Minari's buffer takes it."""
        rewards, terminations, truncations = map(list, zip(*self._outcomes, strict=True))
        return {
            "observations": _stacked(self._observations),
            "actions": np.stack(self._actions),
            "rewards": rewards,
            "terminations": terminations,
            "truncations": truncations,
            "infos": _stacked(self._infos),
        }


def _stacked(many: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: np.stack([np.asarray(one[name]) for one in many]) for name in many[0]}
