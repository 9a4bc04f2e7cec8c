"""Does it work: an agent started in its sandbox; a region built and played, compared with what must come out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from edgebench.doctor.finding import NOTE, OK, WRONG, Finding
from edgebench.envs import make_env
from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import resolve_agent
from edgebench.harness.episodes import EpisodeResult, Setting, run_episode
from edgebench.harness.limits import Limits
from edgebench.harness.process import AgentFailure, AgentProcess
from edgebench.harness.references import frozen_digests
from edgebench.harness.rollout import roll
from edgebench.harness.sandbox import SANDBOXED
from edgebench.region import Region, read_region
from edgebench.registry import DEFAULT_SCENARIO, DEFAULT_TRACK, REGISTERED
from edgebench.spec import RegionSpec
from edgebench.track import named

AGENT: Final = "greedy-estimate"
REGION: Final = "s1"
EPISODES: Final = ((0, 0), (0, 1))
"""(window, scenario seed) of those played."""
_SPLIT: Final = "test"

Build = Callable[[RegionSpec, Path], Path]
"""Builds a region from the bundled sample into a folder, and returns that."""


def examine_sandbox(limits: Limits | None = None) -> Finding:
    """What an agent's process gives up on this system."""
    with AgentProcess(resolve_agent(AGENT), limits=limits) as process:
        try:
            process.start()
        except AgentFailure as failure:
            last = failure.log.strip().rpartition("\n")[2]
            return Finding("sandbox", "agent's process", WRONG, f"{failure}; {last}", "docs/sandbox.md")
        whole = process.sandbox.startswith(SANDBOXED)
        mend = "" if whole else "docs/sandbox.md tells what is missing; results say so, and are valid"
        return Finding("sandbox", "agent's process", OK if whole else NOTE, process.sandbox, mend)


def examine_play(build: Build) -> Iterator[Finding]:
    """Build `REGION` in a folder that is removed, and play `EPISODES` there with a reference agent."""
    with tempfile.TemporaryDirectory(prefix="edgebench-doctor-") as folder:
        try:
            begin = time.perf_counter()
            region = read_region(build(REGISTERED[REGION], Path(folder, REGION)))
            yield _built(region, time.perf_counter() - begin)
            yield _played(region)
        except EdgeBenchError as error:
            yield Finding("self-test", "region", WRONG, error.what, error.mend)


def _built(region: Region, seconds: float) -> Finding:
    details = {"digest": region.digest}
    said = f"{region.name} built from the bundled sample in {seconds:.1f} s, digest {region.digest[:16]}"
    if region.digest in frozen_digests():
        return Finding("self-test", "region", OK, f"{said} as it must be", "", details)
    mend = "install the versions that it was tested with: pip install -c constraints.txt"
    return Finding("self-test", "region", WRONG, f"{said}, another than that of the boards", mend, details)


def _played(region: Region) -> Finding:
    """The same figures must come out with the agent in its process and in this one."""
    begin = time.perf_counter()
    env = make_env(DEFAULT_TRACK, region, scenario=DEFAULT_SCENARIO, split=_SPLIT)
    source = resolve_agent(AGENT)
    expected = list(roll(env, named(source.target)(), EPISODES))
    setting = Setting(region, DEFAULT_TRACK, DEFAULT_SCENARIO, _SPLIT)
    with AgentProcess(source) as process:
        played = [run_episode(env, process, setting, window=window, seed=seed) for window, seed in EPISODES]
    what = f"{len(EPISODES)} episodes of {AGENT}"
    wrong = [words for one, own in zip(played, expected, strict=True) if (words := _difference(one, own))]
    if wrong:
        return Finding("self-test", "episodes", WRONG, f"{what}: {wrong[0]}", "report it, with this table")
    said = f"{what}, the same in their process and in this one, in {time.perf_counter() - begin:.1f} s"
    return Finding("self-test", "episodes", OK, said)


def _difference(played: EpisodeResult, expected: dict[str, float]) -> str:
    """What is wrong with an episode, "" for nothing."""
    if played.status != "ok":
        return f"{played.status}: {played.detail}"
    pairs = ((name, played.metrics[name], value) for name, value in expected.items())
    return ", ".join(f"{name} is {found}, must be {value}" for name, found, value in pairs if found != value)
