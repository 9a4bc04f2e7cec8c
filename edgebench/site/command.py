"""The command that plays a run again."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from edgebench.constants import EVAL_SEEDS
from edgebench.harness.process import Budgets
from edgebench.harness.run import AGENT_COPY
from edgebench.paths import home
from edgebench.registry import DEFAULT_SCENARIO, DEFAULT_TRACK, SAMPLE_EDITION

_DEFAULTS: Final = {"track": DEFAULT_TRACK, "scenario": DEFAULT_SCENARIO, "edition": SAMPLE_EDITION, "split": "test"}
_NOT_HERE: Final = "# only the results were handed in: the agent is elsewhere"
"""What stands in a command's place where there is no code here to play again."""


def eval_command(manifest: Mapping[str, Any], folder: Path, standard: Sequence[str]) -> str:
    """`edgebench eval …` with every option that is not its default, safe to paste into a POSIX shell.

    Args:
        manifest: Of the run.
        folder: That holds it, with the agent's file or checkpoint where there is one.
        standard: Regions that need not be named.
    """
    if not manifest["agent"]["sha256"]:
        return _NOT_HERE
    options = [part for name, usual in _DEFAULTS.items() if manifest[name] != usual
               for part in (f"--{name}", str(manifest[name]))]  # fmt: skip
    regions = list(manifest["regions"])
    if regions != sorted(standard):
        options += ["--regions", ",".join(regions)]
    if manifest["seeds"] != EVAL_SEEDS:
        options += ["--seeds", str(manifest["seeds"])]
    options += ["--privileged"] if manifest["privileged"] else []
    for name, usual in dataclasses.asdict(Budgets()).items():
        if manifest["budgets"].get(name, usual) != usual:
            options += [f"--{name.replace('_', '-')}", str(manifest["budgets"][name])]
    return shlex.join(["edgebench", "eval", _agent(manifest["agent"], folder), *options])


def _agent(agent: Mapping[str, str], folder: Path) -> str:
    if agent["kind"] == "file":
        return (shown_path(folder) / AGENT_COPY).as_posix()
    return shown_path(folder).as_posix() if agent["kind"] == "checkpoint" else str(agent["name"])


def shown_path(path: Path) -> Path:
    """`path` below the data folder where it is there, else its last part: pages tell no one's folders."""
    resolved = path.resolve()
    return resolved.relative_to(home()) if resolved.is_relative_to(home()) else Path(resolved.name)
