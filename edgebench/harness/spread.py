"""An evaluation spread over a Ray cluster: a region and a scenario seed a task, the same episodes as in one process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgebench.crew import Task
from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import resolve_agent
from edgebench.harness.episodes import EpisodeResult, Setting, run_episode
from edgebench.harness.journal import Journal, row_key, to_row
from edgebench.harness.process import AgentProcess, Budgets

if TYPE_CHECKING:
    from edgebench.harness.run import OnEpisode, Stage

_PLAY: Final = "edgebench.harness.spread:play_part"


def play_on_ray(
    agent: str,
    stages: Sequence[Stage],
    budgets: Budgets,
    journal: Journal,
    address: str,
    *,
    privileged: bool,
    on_episode: OnEpisode | None,
) -> str:
    """Play what the journal lacks on the cluster at `address`; rows are entered as tasks are done.

    Returns:
        What the agents' processes had given up, in words.

    Raises:
        EdgeBenchError: As `edgebench.ray_crew.run_on_ray`; or a node has another build of a region.
    """
    from edgebench.ray_crew import run_on_ray

    spec = str(Path(agent).resolve()) if Path(agent).exists() else agent
    shared = {"agent": spec, "budgets": dataclasses.asdict(budgets), "privileged": privileged}
    tasks = [task for stage in stages for task in _tasks(stage, journal, shared)]
    total, sandboxes = sum(len(stage.episodes) for stage in stages), set[str]()

    def enter(number: int, done: Mapping[str, Any]) -> None:
        sandboxes.add(done["sandbox"])
        for row in done["rows"]:
            journal.add(row)
            if on_episode is not None:
                on_episode(EpisodeResult(row_key(row), row["status"], row["detail"], {}), len(journal.rows), total)

    run_on_ray(tasks, address, on_done=enter)
    return " | ".join(sorted(sandboxes))


def _tasks(stage: Stage, journal: Journal, shared: Mapping[str, Any]) -> list[Task]:
    done, setting = {row_key(row) for row in journal.rows}, stage.setting
    about = {
        "region": setting.region.name, "edition": setting.region.edition, "digest": setting.region.digest,
        "track": setting.track, "scenario": setting.scenario, "split": setting.split,
    }  # fmt: skip
    by_seed: dict[int, list[tuple[int, int, int]]] = {}
    for number, window, seed in stage.episodes:
        if setting.key(window, seed) not in done:
            by_seed.setdefault(seed, []).append((number, window, seed))
    return [Task(_PLAY, {**shared, **about, "episodes": episodes}) for episodes in by_seed.values()]


def play_part(
    tell: Callable[[Any], None],
    stop: Callable[[], bool],
    *,
    agent: str,
    budgets: Mapping[str, float],
    privileged: bool,
    region: str,
    edition: str,
    digest: str,
    track: str,
    scenario: str,
    split: str,
    episodes: Sequence[tuple[int, int, int]],
) -> dict[str, Any]:
    """Play episodes (number, window, scenario seed) of one region; their rows, and what the sandbox was.

    Raises:
        EdgeBenchError: The agent or the region cannot be had here, or the region has another digest.
    """
    from edgebench.envs import make_env
    from edgebench.region import load

    found = load(region, edition=edition)
    if found.digest != digest:
        raise EdgeBenchError(
            "a node has another build of the region", where=f"{region}, {found.path}", mend="build it with one version"
        )
    env = make_env(track, found, scenario=scenario, split=split, privileged=privileged)
    setting, rows = Setting(found, track, scenario, split), []
    with AgentProcess(resolve_agent(agent, track), Budgets(**budgets)) as process:
        for number, window, seed in episodes:
            result = run_episode(env, process, setting, window=window, seed=seed)
            rows.append(to_row(result, track=track, edition=edition, split=split, episode=number))
            tell(len(rows))
    return {"rows": rows, "sandbox": process.sandbox}
