"""Evaluate one agent on fixed episodes, keeping every finished episode whatever happens."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gymnasium

from edgebench.atomic import copy_file, telling_refusal, write_text
from edgebench.constants import EVAL_SEEDS
from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import CHECKPOINT_FILES, CURVE, AgentSource, resolve_agent
from edgebench.harness.episodes import EpisodeResult, Setting, run_episode
from edgebench.harness.journal import Journal, row_key, to_frame, to_row
from edgebench.harness.manifest import check_same_run, new_manifest, note_sandbox, now, read_manifest
from edgebench.harness.process import AgentProcess, Budgets
from edgebench.harness.rollout import fixed_episodes
from edgebench.harness.statistics import Scores
from edgebench.harness.summary import Summary, scores, summarise
from edgebench.locks import FOLDER_LOCK, alone
from edgebench.registry import DEFAULT_SCENARIO, DEFAULT_TRACK, SAMPLE_EDITION
from edgebench.registry import scenario as find_scenario
from edgebench.registry import track as find_track

if TYPE_CHECKING:
    import pandas

EPISODES: Final = "episodes.csv"
MANIFEST: Final = "manifest.json"
SUMMARY: Final = "summary.json"
AGENT_COPY: Final = "agent.py"
RUN_FILES: Final = (EPISODES, MANIFEST, SUMMARY, AGENT_COPY, *CHECKPOINT_FILES, CURVE)
"""What a run folder holds: a row an episode, the record, the generated figures, the agent where it is a file or a
checkpoint, the latter's learning curve."""

OnEpisode = Callable[[EpisodeResult, int, int], None]
"""Called after each episode with its result, the number of episodes done and their total."""


@dataclass(frozen=True)
class Run:
    """A finished evaluation; `folder` is None where nothing was written."""

    folder: Path | None
    manifest: dict[str, Any]
    episodes: pandas.DataFrame
    summary: Summary

    @property
    def scores(self) -> Scores:
        """The score of every episode, as `edgebench.harness.statistics` compares agents by them."""
        return scores([self.episodes], self.summary.references)


@dataclass
class Stage:
    """One region ready to play."""

    setting: Setting
    env: gymnasium.Env[Any, Any]
    episodes: list[tuple[int, int, int]] = field(default_factory=list)
    """(number, window, scenario seed) of each episode to play."""


def evaluate(
    agent: str,
    *,
    track: str = DEFAULT_TRACK,
    regions: Sequence[str],
    split: str = "test",
    scenario: str = DEFAULT_SCENARIO,
    edition: str = SAMPLE_EDITION,
    seeds: int = EVAL_SEEDS,
    privileged: bool = False,
    out: Path | None = None,
    budgets: Budgets | None = None,
    overwrite: bool = False,
    on_episode: OnEpisode | None = None,
    ray_address: str = "",
) -> Run:
    """Play every window of the split under `seeds` scenario seeds in every region and score the agent.

    Args:
        agent: A file, `package:Class`, the name of a reference agent or entry point, or the folder of a checkpoint.
        track: The decision problem.
        regions: Names of built regions.
        split: `test`; `val` or `train` to develop on.
        scenario: How the network behaves.
        edition: Which build of the regions.
        seeds: Scenario seeds 0 … seeds-1.
        privileged: Show the agent what no operator can know; every result of the run bears the mark.
        out: Run folder. What it holds of the same run is kept and only the rest is played.
        budgets: What the agent may use; others than the usual are recorded as overrides.
        overwrite: Replace the run that is in `out`.
        on_episode: Told of every episode played.
        ray_address: Play on the Ray cluster there, a region and scenario seed a task (`edgebench.ray_crew`); the
            episodes are the same. "" plays them here.

    Raises:
        EdgeBenchError: The agent, track, scenario or a region cannot be had, `out` holds another run, another process
            plays in `out`, or it may not be written to; what was played is kept.
    """
    _check_request(track, scenario, regions, seeds)
    source, limits = resolve_agent(agent, track), budgets if budgets is not None else Budgets()
    names = {"track": track, "edition": edition, "split": split, "scenario": scenario}
    stages = stages_of(regions, seeds, privileged=privileged, **names)
    digests = {stage.setting.region.name: stage.setting.region.digest for stage in stages}
    manifest = new_manifest(source, budgets=limits, regions=digests, seeds=seeds, privileged=privileged, **names)
    with nullcontext() if out is None else _alone_in(out):
        if out is not None:
            manifest = _open_folder(out, manifest, source, overwrite=overwrite)
        journal = Journal(None if out is None else out / EPISODES, find_track(track))
        process = AgentProcess(source, limits)
        with _recording(out, manifest, process), process:
            if ray_address:
                from edgebench.harness.spread import play_on_ray

                process.sandbox = play_on_ray(
                    agent, stages, limits, journal, ray_address, privileged=privileged, on_episode=on_episode
                )
            else:
                play(stages, process, journal, on_episode)
        return _finish(out, manifest, journal, stages, seeds)


def _check_request(track: str, scenario: str, regions: Sequence[str], seeds: int) -> None:
    find_track(track)
    find_scenario(scenario)
    if not regions or len(set(regions)) != len(regions):
        raise EdgeBenchError("regions must be named, each once", where=", ".join(regions))
    if seeds < 1:
        raise EdgeBenchError(f"{seeds} scenario seeds", mend="give 1 or more")


def stages_of(
    regions: Sequence[str], seeds: int, *, track: str, edition: str, split: str, scenario: str, privileged: bool
) -> list[Stage]:
    """Regions ready to play, by name, each with all episodes of the split under scenario seeds 0 … seeds-1."""
    from edgebench.envs import make_env
    from edgebench.region import load

    stages = []
    for name in sorted(regions):
        region = load(name, edition=edition)
        env = make_env(track, region, scenario=scenario, split=split, privileged=privileged)
        face: Any = env.unwrapped
        setting = Setting(region, track, scenario, split)
        fixed = fixed_episodes(int(face.windows), seeds)
        stages.append(Stage(setting, env, [(number, *episode) for number, episode in enumerate(fixed)]))
    return stages


def play(stages: Sequence[Stage], process: AgentProcess, journal: Journal, on_episode: OnEpisode | None) -> None:
    """Play here what the journal lacks of the stages' episodes."""
    done = {row_key(row) for row in journal.rows}
    total = sum(len(stage.episodes) for stage in stages)
    for stage in stages:
        setting = stage.setting
        names = {"track": setting.track, "edition": setting.region.edition, "split": setting.split}
        for number, window, seed in stage.episodes:
            if setting.key(window, seed) in done:
                continue
            result = run_episode(stage.env, process, setting, window=window, seed=seed)
            journal.add(to_row(result, episode=number, **names))
            if on_episode is not None:
                on_episode(result, len(journal.rows), total)
        stage.env.close()


def _finish(out: Path | None, manifest: dict[str, Any], journal: Journal, stages: Sequence[Stage], seeds: int) -> Run:
    from edgebench.harness.references import references

    journal.finish()
    scales = {
        stage.setting.region.name: references(
            stage.setting.region,
            track=stage.setting.track,
            scenario=stage.setting.scenario,
            split=stage.setting.split,
            seeds=seeds,
        )
        for stage in stages
    }
    episodes = to_frame(journal.rows, find_track(manifest["track"]))
    summary = summarise(episodes, scales, privileged=manifest["privileged"])
    if manifest["finished"] is None:
        manifest["finished"] = now()
    if out is not None:
        _write_json(out / SUMMARY, summary.as_json())
        _write_json(out / MANIFEST, manifest)
    return Run(out, manifest, episodes, summary)


@contextmanager
def _alone_in(out: Path) -> Iterator[None]:
    """Hold a run folder, or one that may become one."""
    if not (out / MANIFEST).is_file() and out.exists() and _is_foreign(out):
        raise EdgeBenchError("not a run folder, and not empty", where=str(out), mend="give another --out")
    with alone(out / FOLDER_LOCK, "another process plays into this folder", "wait for it, or give another --out"):
        yield


def _open_folder(out: Path, manifest: dict[str, Any], source: AgentSource, *, overwrite: bool) -> dict[str, Any]:
    """Make `out` ready: empty it, continue what it holds, or begin; returns the manifest to go on with."""
    path, agent = out / MANIFEST, _agent_files(source)
    if overwrite:
        _give_up(out, kept=agent)
    if path.is_file() and not overwrite:
        old = read_manifest(path)
        check_same_run(old, manifest, path)
        manifest = old
    else:
        _write_json(path, manifest)
    for name, file in agent.items():
        if not (out / name).exists() or not file.samefile(out / name):
            copy_file(file, out / name)
    return manifest


def _agent_files(source: AgentSource) -> dict[str, Path]:
    """What of the agent is kept with its run: the name there, and the file."""
    if source.kind == "checkpoint":
        files = {name: Path(source.target, name) for name in (*CHECKPOINT_FILES, CURVE)}
        return {name: file for name, file in files.items() if name != CURVE or file.is_file()}
    return {AGENT_COPY: Path(source.target)} if source.kind == "file" else {}


def _give_up(out: Path, kept: Collection[str]) -> None:
    """Remove the run in `out` so that at any moment it is a run that can be gone on with: figures, episodes, agent."""
    with telling_refusal(out / MANIFEST):
        for name in (SUMMARY, EPISODES, *(name for name in (AGENT_COPY, *CHECKPOINT_FILES, CURVE) if name not in kept)):
            (out / name).unlink(missing_ok=True)


def _is_foreign(out: Path) -> bool:
    """Whether a path without a manifest is anything but an empty folder or one left before its manifest was whole."""
    own = (FOLDER_LOCK, f".{MANIFEST}.")
    return not out.is_dir() or any(not entry.name.startswith(own) for entry in out.iterdir())


@contextmanager
def _recording(out: Path | None, manifest: dict[str, Any], process: AgentProcess) -> Iterator[None]:
    """Add the time the block takes and the agent's sandbox to the manifest, also when it is broken off."""
    wall, cpu = time.monotonic(), _cpu_seconds()
    try:
        yield
    finally:
        manifest["wall_s"] = round(manifest["wall_s"] + time.monotonic() - wall, 3)
        manifest["cpu_s"] = round(manifest["cpu_s"] + _cpu_seconds() - cpu, 3)
        note_sandbox(manifest, process.sandbox)
        if out is not None:
            _write_json(out / MANIFEST, manifest)


def _cpu_seconds() -> float:
    """CPU time of this process and of the agent processes that have ended (where the system counts them)."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
