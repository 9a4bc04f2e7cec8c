"""The record of a run: what was evaluated, on what, with which software and machine."""

from __future__ import annotations

import dataclasses
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

import edgebench
from edgebench.errors import EdgeBenchError
from edgebench.foreign import json_object
from edgebench.harness.agents import AgentSource
from edgebench.harness.process import Budgets

FORMAT_VERSION: Final = 3
"""Version of the run folder's layout."""
IDENTITY: Final = (
    *("format_version", "edgebench_version", "agent", "track", "edition", "split", "scenario"),
    *("privileged", "seeds", "regions", "budgets"),
)
"""Entries in which a run and its continuation must agree."""


def new_manifest(
    agent: AgentSource, *, budgets: Budgets, regions: Mapping[str, str], seeds: int, privileged: bool, **names: str
) -> dict[str, Any]:
    """The manifest of a run that begins now.

    Args:
        agent: What is evaluated.
        budgets: What it may use.
        regions: Digest of each region.
        seeds: Scenario seeds a window is played under: 0 … seeds-1.
        privileged: Whether it sees what no operator can know.
        names: `track`, `edition`, `split`, `scenario`.
    """
    allowed, usual = dataclasses.asdict(budgets), dataclasses.asdict(Budgets())
    return {
        "format_version": FORMAT_VERSION,
        "edgebench_version": edgebench.__version__,
        "agent": {"name": agent.name, "kind": agent.kind, "sha256": agent.sha256},
        **names,
        "privileged": privileged,
        "seeds": seeds,
        "regions": dict(sorted(regions.items())),
        "budgets": allowed,
        "overrides": sorted(name for name in allowed if allowed[name] != usual[name]),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cpu": _cpu(),
        "git_commit": _git_commit(),
        "sandbox": "",
        "started": now(),
        "finished": None,
        "wall_s": 0.0,
        "cpu_s": 0.0,
    }


def note_sandbox(manifest: dict[str, Any], words: str) -> None:
    """Add what the agent's process had given up (`AgentProcess.sandbox`); a run resumed elsewhere keeps both."""
    before = manifest.get("sandbox", "")
    if words and words not in before:
        manifest["sandbox"] = f"{before} | {words}" if before else words


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a run folder; EdgeBenchError when it is no JSON object or lacks what identifies a run.

    So it is for a run of another format, which only its evaluation anew can mend.
    """
    try:
        manifest = json_object(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _foreign(path, f"unreadable: {error}") from error
    if manifest.get("format_version", FORMAT_VERSION) != FORMAT_VERSION:
        raise EdgeBenchError(
            f"a run of format {_short(manifest['format_version'])}, this version reads {FORMAT_VERSION}",
            where=str(path),
            mend="evaluate the agent again, in place of that run with --overwrite",
        )
    missing = [name for name in (*IDENTITY, "started", "wall_s", "cpu_s") if name not in manifest]
    if missing:
        raise _foreign(path, f"missing: {', '.join(missing)}")
    return manifest


def check_same_run(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> None:
    """Refuse to continue a run under other conditions; the EdgeBenchError names every difference."""
    differences = [difference for name in IDENTITY for difference in _differences(name, old[name], new[name])]
    if differences:
        raise EdgeBenchError(
            "the folder holds another run: " + "; ".join(differences),
            where=str(path.parent),
            mend="give another --out, or --overwrite to replace that run",
        )


def now() -> str:
    """UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _differences(name: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(f"{name}.{key}", old.get(key, "absent"), new.get(key, "absent"))
    elif old != new:
        yield f"{name} was {_short(old)}, now {_short(new)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:12] + "…"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _git_commit() -> str | None:
    """Commit of the checkout the package runs from, `-dirty` where it differs; None outside a checkout."""
    root, git = Path(edgebench.__file__).parent.parent, shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    described = subprocess.run(command, capture_output=True, text=True, check=False)
    return described.stdout.strip() or None


def _foreign(path: Path, what: str) -> EdgeBenchError:
    return EdgeBenchError(f"damaged or foreign manifest: {what}", where=str(path), mend="give another --out")
