"""Checks of a run's `manifest.json` and of the agent's file beside it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edgebench import __version__
from edgebench.harness.agents import CHECKPOINT_FILES, checkpoint_sha256
from edgebench.harness.manifest import FORMAT_VERSION, IDENTITY
from edgebench.harness.process import Budgets
from edgebench.leaderboard.inert import is_plain
from edgebench.leaderboard.problems import Problem, sha256_of
from edgebench.leaderboard.rules import SPLIT, Board
from edgebench.registry import SCENARIOS, TRACKS

FILE: Final = "manifest.json"
AGENT: Final = "agent.py"
ELSEWHERE: Final = "elsewhere"
"""The kind of an agent that was played elsewhere and of which the entry holds no code, but an address."""
KINDS: Final = ("file", "package", "reference", "checkpoint", ELSEWHERE)
EDITION: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
LONGEST_NAME: Final = 200
"""Characters of an agent's name."""
_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]{1,100}(:[0-9]{1,5})?(/[A-Za-z0-9._~/%&=?#+,:;@-]{0,300})?")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_VERSION: Final = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}[a-z0-9.+-]{0,32}")


def shape_problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What makes a manifest unreadable: entries missing or of another form."""
    yield from malformed(manifest).values()


def malformed(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The entries that are missing or of another form, each with what is wrong with it."""
    missing = {name: f"{name} is missing" for name in IDENTITY if name not in manifest}
    return missing | {
        name: f"{name} is {manifest[name]!r:.60}, not {form}"
        for name, holds, form in _forms(manifest)
        if name not in missing and not holds
    }


def _forms(manifest: Mapping[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """Each entry, whether it is of its form, and the form in words."""
    yield from (
        ("format_version", manifest.get("format_version") == FORMAT_VERSION, f"{FORMAT_VERSION}: evaluate it again"),
        ("edgebench_version", _is(manifest.get("edgebench_version"), _VERSION), "a version like 1.2.3"),
        ("track", _one_of(manifest.get("track"), TRACKS), f"one of {', '.join(TRACKS)}"),
        ("scenario", _one_of(manifest.get("scenario"), SCENARIOS), f"one of {', '.join(SCENARIOS)}"),
        ("edition", _is(manifest.get("edition"), EDITION), "small letters, digits and hyphens"),
        ("split", type(manifest.get("split")) is str, "text"),
        ("privileged", type(manifest.get("privileged")) is bool, "true or false"),
        ("seeds", type(manifest.get("seeds")) is int, "a whole number"),
        ("regions", _is_digests(manifest.get("regions")), "SHA-256 by region"),
        ("budgets", isinstance(manifest.get("budgets"), dict), "an object"),
        ("agent", _is_agent(manifest.get("agent")), f"a plain name, kind ({', '.join(KINDS)}) and sha256"),
    )


def claim_problems(manifest: Mapping[str, Any], board: Board) -> Iterator[str]:
    """Where a manifest differs from the rules of its board; of entries that are malformed nothing more is told."""
    minor, usual, unreadable = __version__.rsplit(".", 1)[0], dataclasses.asdict(Budgets()), malformed(manifest)
    told = {name: manifest[name] for name in manifest if name not in unreadable}
    version, split, seeds = (told.get(name) for name in ("edgebench_version", "split", "seeds"))
    if version is not None and not version.startswith(f"{minor}."):
        yield f"made with version {version}: version {minor} cannot recompute its figures"
    if split not in (None, SPLIT):
        yield f"split is {split!r:.40}, boards are of {SPLIT!r}"
    if seeds not in (None, board.seeds):
        yield f"seeds is {seeds}, the board asks for {board.seeds}"
    if told.get("budgets", usual) != usual:
        yield f"budgets are {told['budgets']!r:.120}, the board's are {usual}"
    if "regions" in told:
        yield from _region_problems(told["regions"], board)


def _region_problems(stated: Mapping[str, str], board: Board) -> Iterator[str]:
    for name in sorted({*stated, *board.regions}):
        if name not in stated:
            yield f"region {name} was not played, the board asks for it"
        elif name not in board.regions:
            yield f"region {name!r:.40} is not of this board"
        elif stated[name] != board.regions[name].digest:
            yield f"region {name} had digest {stated[name][:12]}, here it has {board.regions[name].digest[:12]}"


def agent_problems(folder: Path, agent: Mapping[str, str], track: str) -> list[Problem]:
    """Whether the agent's code is the one that was evaluated; of an agent in a package there is no copy."""
    problems: list[Problem] = []
    if agent["kind"] == "file":
        found = sha256_of(folder, AGENT, problems)
        if found is not None and found != agent["sha256"]:
            what = f"SHA-256 is {found[:12]}, the manifest says {agent['sha256'][:12]}"
            problems.append(Problem(AGENT, None, what))
    elif agent["kind"] == "reference":
        _check_reference(agent, track, problems)
    elif agent["kind"] == "checkpoint":
        _check_checkpoint(folder, agent["sha256"], problems)
    return problems


def _check_checkpoint(folder: Path, stated: str, problems: list[Problem]) -> None:
    missing = [name for name in CHECKPOINT_FILES if not (folder / name).is_file()]
    problems += [Problem(name, None, "missing: a checkpoint is part of its submission") for name in missing]
    if not missing and checkpoint_sha256(folder) != stated:
        problems.append(Problem(CHECKPOINT_FILES[0], None, f"record and weights are not those of {stated[:12]}"))


def _check_reference(agent: Mapping[str, str], track: str, problems: list[Problem]) -> None:
    from edgebench.harness.agents import reference_agents, reference_sha256

    path = reference_agents(TRACKS[track].agents).get(agent["name"])
    if path is None:
        problems.append(Problem(FILE, None, f"there is no reference agent {agent['name']!r:.40}"))
    elif reference_sha256(path) != agent["sha256"]:
        what = f"the reference agent {agent['name']} has changed since: evaluate it again"
        problems.append(Problem(FILE, None, what))


def _is(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _one_of(value: Any, known: Mapping[str, Any]) -> bool:
    return isinstance(value, str) and value in known


def _is_digests(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(_is(digest, _SHA256) for digest in value.values())


def _is_agent(value: Any) -> bool:
    if not isinstance(value, dict) or not {"name", "kind", "sha256"} <= set(value):
        return False
    if not (isinstance(value["name"], str) and is_plain(value["name"]) and len(value["name"]) <= LONGEST_NAME):
        return False
    if value["kind"] == ELSEWHERE:
        return value["sha256"] == "" and is_url(value.get("url"))
    return value["kind"] in KINDS and _is(value["sha256"], _SHA256)


def is_url(value: Any) -> bool:
    """Whether a value is an address on the web of plain characters, in which nothing can hide."""
    return _is(value, _URL)
