"""What a submission claims, and all that playing it again needs: its rows, its agent, its regions."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgebench import __version__
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.harness.agents import AgentSource, resolve_agent
from edgebench.harness.episodes import EpisodeKey
from edgebench.harness.journal import Row, read_rows, row_key
from edgebench.harness.manifest import read_manifest
from edgebench.harness.process import Budgets
from edgebench.harness.run import EPISODES, MANIFEST, RUN_FILES, SUMMARY, Stage, stages_of
from edgebench.leaderboard.claims import AGENT, ELSEWHERE, agent_problems, shape_problems
from edgebench.leaderboard.ledger import Digests, digests_of
from edgebench.leaderboard.problems import read_object, unfit_files
from edgebench.paths import is_folder_name
from edgebench.registry import track as find_track
from edgebench.schema import SPLITS

_MOST_SEEDS: Final = 1000
_PACKAGED: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*|[\w-]+", re.ASCII)
"""`package.module:Class` or the name of an entry point; a path is neither."""


class UnreproducibleError(EdgeBenchError):
    """The submission cannot be played again here, through no fault of its figures."""


@dataclass(frozen=True)
class Submission:
    """A run or entry as its folder tells it.

    Attributes:
        folder: Where it lies.
        digests: Of its files when they were read.
        manifest: Well formed (`edgebench.leaderboard.claims.shape_problems`).
        summary: The figures it states.
        rows: Its episodes by key, as text.
        numbers: The row of each in `episodes.csv`; the header is row 1.
        budgets: What its agent was allowed.
    """

    folder: Path
    digests: Digests
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    rows: Mapping[EpisodeKey, Row]
    numbers: Mapping[EpisodeKey, int]
    budgets: Budgets

    @property
    def agent(self) -> str:
        """What `edgebench.harness.agents.resolve_agent` finds the agent by."""
        named = self.manifest["agent"]
        own = {"file": str(self.folder / AGENT), "checkpoint": str(self.folder)}
        return own.get(named["kind"], str(named["name"]))


def read_submission(folder: Path) -> Submission:
    """Read a finished run or an entry.

    Raises:
        EdgeBenchError: A file is missing, damaged or malformed.
    """
    unfit = unfit_files(folder, RUN_FILES)
    if unfit:
        raise EdgeBenchError(f"no submission: {unfit[0]}", where=str(folder), mend="put a plain file in its place")
    digests = digests_of(folder)
    manifest = read_manifest(folder / MANIFEST)
    malformed = [*shape_problems(manifest), *_setting_problems(manifest)]
    if malformed:
        raise EdgeBenchError(f"malformed manifest: {'; '.join(malformed)}", where=str(folder), mend="evaluate again")
    problems: list[Any] = []
    summary = read_object(folder, SUMMARY, problems)
    if summary is None:
        raise EdgeBenchError(
            f"unfinished or damaged run: {problems[0]}", where=str(folder), mend="finish it with edgebench eval"
        )
    try:
        rows = read_rows(folder / EPISODES, find_track(manifest["track"]))
    except OSError as error:
        raise EdgeBenchError(f"no episodes: {error.strerror}", where=str(folder / EPISODES)) from error
    numbers = {row_key(row): number for number, row in enumerate(rows, start=2)}
    by_key = {row_key(row): row for row in rows}
    return Submission(folder, digests, manifest, summary, by_key, numbers, Budgets(**manifest["budgets"]))


def _setting_problems(manifest: Mapping[str, Any]) -> list[str]:
    """What else must hold of a well-formed manifest before anything can be played by it."""
    budgets, seeds, split = manifest.get("budgets"), manifest.get("seeds"), manifest.get("split")
    names = [field.name for field in dataclasses.fields(Budgets)]
    found = []
    if not isinstance(budgets, dict) or sorted(budgets) != sorted(names) or not all(map(_is_time, budgets.values())):
        found.append(f"budgets are not {', '.join(names)} in seconds")
    if type(seeds) is not int or not 1 <= seeds <= _MOST_SEEDS:
        found.append(f"seeds is not 1 … {_MOST_SEEDS}")
    if split not in SPLITS:
        found.append(unknown_name("split", f"{split!s:.40}", SPLITS).what)
    return found


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0.0 < value <= 86_400.0


def agent_of(submission: Submission) -> AgentSource:
    """The agent whose code was submitted.

    Raises:
        UnreproducibleError: Its code is missing, or is not the code that was evaluated.
    """
    named, track = submission.manifest["agent"], submission.manifest["track"]
    if named["kind"] == ELSEWHERE:
        raise UnreproducibleError("the entry holds no code of its agent: it was played elsewhere")
    problems = agent_problems(submission.folder, named, track)
    if problems:
        raise UnreproducibleError("; ".join(str(problem) for problem in problems))
    if named["kind"] == "package" and not _PACKAGED.fullmatch(named["name"]):
        raise UnreproducibleError(f"{named['name']!r:.60} names no agent of a package")
    try:
        source = resolve_agent(submission.agent, track)
    except EdgeBenchError as error:
        raise UnreproducibleError(f"the agent cannot be had here: {error.what}") from error
    if (source.kind, source.sha256) != (named["kind"], named["sha256"]):
        raise UnreproducibleError("the agent installed here is not the one that was evaluated")
    return source


def stages_again(submission: Submission) -> list[Stage]:
    """The submission's regions with all their episodes, ready to play.

    Raises:
        UnreproducibleError: It was made with another minor version, or a region here has another digest.
        EdgeBenchError: A region is not built here.
    """
    manifest = submission.manifest
    minor = __version__.rsplit(".", 1)[0]
    if manifest["edgebench_version"].rsplit(".", 1)[0] != minor:
        raise UnreproducibleError(f"made with version {manifest['edgebench_version']}, this is {__version__}")
    unsafe = [name for name in manifest["regions"] if not is_folder_name(name)]
    if unsafe:
        raise UnreproducibleError(f"{unsafe[0]!r:.60} names no region")
    names = {name: manifest[name] for name in ("track", "edition", "split", "scenario", "privileged")}
    stages = stages_of(list(manifest["regions"]), manifest["seeds"], **names)
    for stage in stages:
        region, stated = stage.setting.region, manifest["regions"][stage.setting.region.name]
        if region.digest != stated:
            raise UnreproducibleError(
                f"region {region.name} had digest {stated[:12]}, here it has {region.digest[:12]}"
            )
    return stages


def keys_of(stages: Sequence[Stage]) -> list[EpisodeKey]:
    """Every episode of the stages."""
    return [stage.setting.key(window, seed) for stage in stages for _, window, seed in stage.episodes]
