"""From what a user names to an agent that can be loaded: found and checked here, run only in its own process."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any, Final

from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.foreign import json_object
from edgebench.registry import DEFAULT_TRACK
from edgebench.registry import track as find_track

ENTRY_POINTS: Final = "edgebench.agents"
"""The entry-point group in which a package may register agents."""
CHECKPOINT_FILES: Final = ("checkpoint.json", "weights.safetensors")
"""What a checkpoint's folder holds (`edgebench.learning.checkpoint`); it is data, its method is EdgeBench's own."""
CURVE: Final = "curve.csv"
"""What may lie beside a checkpoint: how it learned (`edgebench.leaderboard.curve`); it is no part of the agent."""
TRAINED: Final = "trained"
"""Folder of the trained agents that stand on boards, in the package of a track's reference agents."""
NEXT_WEIGHTS: Final = "next.safetensors"
"""Holds a checkpoint's new weights until its record names them."""


@dataclass(frozen=True)
class AgentSource:
    """An agent that exists, with the digest of its code.

    Attributes:
        kind: `file`, `package`, `reference` or `checkpoint`.
        target: The file's or folder's absolute path, or `module:name`.
        name: What tables call it: the file's stem, `module:name`, the name of the reference agent or entry point, or
            that of the checkpoint's method.
        sha256: SHA-256 of the source file (`reference_sha256` of a reference agent, `checkpoint_sha256` of a
            checkpoint).
    """

    kind: str
    target: str
    name: str
    sha256: str


def resolve_agent(spec: str, track: str = DEFAULT_TRACK) -> AgentSource:
    """Find an agent without running any of its code.

    Args:
        spec: A `.py` file with `class Agent` or `def act`; `package.module:Class`; the name of a reference agent
            (`least-loaded`) or of an entry point in the group `edgebench.agents`; the folder of a checkpoint.
        track: Whose reference agents a name may mean.

    Raises:
        EdgeBenchError: There is no such file, module or name; the source has a syntax error or lacks the agent.
    """
    if Path(spec, CHECKPOINT_FILES[0]).is_file():
        return _from_checkpoint(Path(spec), track)
    if spec.endswith(".py") or len(Path(spec).parts) > 1:
        return _from_file(Path(spec))
    if ":" in spec:
        return _from_package(spec, name=spec)
    package = find_track(track).agents
    references = reference_agents(package)
    if spec in references:
        return _from_reference(spec, package, references[spec])
    entries = {entry.name: entry.value for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)}
    if spec in entries:
        return _from_package(entries[spec], name=spec)
    raise _unknown(spec, track, {*references, *entries})


def _unknown(spec: str, track: str, known: set[str]) -> EdgeBenchError:
    trained = trained_agents(track)
    if spec in trained:
        return EdgeBenchError(
            f"{spec!r} is a trained agent", mend=f"give the folder of its checkpoint: {trained[spec]}"
        )
    error = unknown_name("agent", spec, known)
    return EdgeBenchError(error.what, mend=f"{error.mend}; one of your own: the path of its .py file")


def trained_folder(track: str) -> Path:
    """Where a track's trained agents lie: beside its reference agents, in the same package."""
    package = find_track(track).agents.partition(".")[0]
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise EdgeBenchError(f"no package {package!r}", where=track, mend="install the track's reference agents")
    return Path(next(iter(found.submodule_search_locations)), TRAINED, track)


def trained_agents(track: str) -> dict[str, Path]:
    """Names of a track's trained agents and the folders of their checkpoints, sorted."""
    records = sorted(trained_folder(track).glob(f"[!.]*/{CHECKPOINT_FILES[0]}"))
    return {path.parent.name: path.parent for path in records}


def require_torch() -> None:
    """EdgeBenchError where torch or safetensors is not installed: learning and playing a checkpoint need them."""
    for package in ("torch", "safetensors"):
        if importlib.util.find_spec(package) is None:
            raise EdgeBenchError(f"learning needs {package}", mend='pip install "edgebench[agents]"')


def reference_agents(package: str) -> dict[str, Path]:
    """Names of the agents in a package of reference agents (`edgebench.track.Track.agents`) and their files, sorted."""
    found = importlib.util.find_spec(package)
    folders = (found.submodule_search_locations or []) if found else []
    files = sorted(path for folder in folders for path in Path(folder).glob("[!_]*.py"))
    return {path.stem.replace("_", "-"): path for path in files if _agent_name(_bound(_parsed(path))) is not None}


def _from_file(path: Path) -> AgentSource:
    if not path.is_file():
        raise EdgeBenchError("no such agent file", where=str(path), mend="give the path of an existing .py file")
    module = _parsed(path)
    attribute = _agent_name(_bound(module))
    if attribute is None:
        raise _lacks(path, "class Agent or def act(observation, info)")
    _check_class(module, attribute, path)
    return AgentSource("file", str(path.resolve()), path.stem, _sha256(path))


def _from_reference(name: str, package: str, path: Path) -> AgentSource:
    attribute = _agent_name(_bound(_parsed(path)))
    return AgentSource("reference", f"{package}.{path.stem}:{attribute}", name, reference_sha256(path))


def reference_sha256(path: Path) -> str:
    """SHA-256 over a reference agent's file and the files that carry its name, its weights for one, by name."""
    files = sorted((path, *path.parent.glob(f"{path.stem}_*")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()


def _from_checkpoint(folder: Path, track: str) -> AgentSource:
    try:
        record = json_object((folder / CHECKPOINT_FILES[0]).read_text(encoding="utf-8"))
        name, learned_on = str(record["job"]["method"]), str(record["job"]["track"])
        settle_checkpoint(folder, record)
        digest = checkpoint_sha256(folder)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EdgeBenchError(f"no checkpoint: {error}", where=str(folder), mend="edgebench train makes one") from error
    if learned_on != track:
        raise EdgeBenchError(
            f"the checkpoint is of the track {learned_on}", where=str(folder), mend=f"--track {learned_on}"
        )
    return AgentSource("checkpoint", str(folder.resolve()), name, digest)


def settle_checkpoint(folder: Path, record: Mapping[str, Any]) -> None:
    """Give the weights that the record names their place, where a kill has left them aside."""
    aside = folder / NEXT_WEIGHTS
    if aside.is_file() and _sha256(aside) == record.get("weights_sha256"):
        with suppress(FileNotFoundError):  # another reader was quicker
            aside.replace(folder / CHECKPOINT_FILES[1])


def checkpoint_sha256(folder: Path) -> str:
    """SHA-256 over a checkpoint's record and weights; OSError where one is missing."""
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in CHECKPOINT_FILES)).hexdigest()


def _from_package(spec: str, *, name: str) -> AgentSource:
    module, _, attribute = spec.partition(":")
    path = _module_file(module)
    if path is None:
        raise EdgeBenchError(
            f"no module {module!r}", where=spec, mend="install its package, or name a .py file or a reference agent"
        )
    parsed = _parsed(path)
    if attribute not in _bound(parsed):
        raise _lacks(path, f"class or function {attribute!r}")
    _check_class(parsed, attribute, path)
    return AgentSource("package", spec, name, _sha256(path))


def _module_file(module: str) -> Path | None:
    """The source file of a module, found without importing it or the packages around it."""
    first, *rest = module.split(".")
    if not all(part.isidentifier() for part in (first, *rest)):
        return None
    found = importlib.util.find_spec(first) or PathFinder.find_spec(first, [str(Path.cwd())])
    full_name = first
    for part in rest:
        if found is None or found.submodule_search_locations is None:
            return None
        full_name = f"{full_name}.{part}"
        found = PathFinder.find_spec(full_name, list(found.submodule_search_locations))
    return _origin(found)


def _origin(found: ModuleSpec | None) -> Path | None:
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        return None
    return Path(found.origin)


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        where = f"{path}:{error.lineno}" if error.lineno else str(path)
        raise EdgeBenchError(f"the agent has a syntax error: {error.msg}", where=where, mend="mend the line") from error
    except (OSError, ValueError) as error:
        raise EdgeBenchError(f"the agent cannot be read: {error}", where=str(path), mend="give a .py file") from error


def _bound(module: ast.Module) -> set[str]:
    """Names a module's own statements bind: classes, functions, imports, assignments."""
    return {name for statement in module.body for name in _names(statement)}


def _names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        yield statement.name
    elif isinstance(statement, ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in statement.names)
    elif isinstance(statement, ast.Assign):
        yield from (target.id for target in statement.targets if isinstance(target, ast.Name))
    elif isinstance(statement, ast.If | ast.Try):
        yield from (name for inner in statement.body for name in _names(inner))


def _check_class(module: ast.Module, name: str, path: Path) -> None:
    """Refuse a class without `act`; one that inherits may have it from its base."""
    for statement in module.body:
        if not isinstance(statement, ast.ClassDef) or statement.name != name or statement.bases:
            continue
        if "act" not in {inner for part in statement.body for inner in _names(part)}:
            raise _lacks(path, f"method act in class {name}")


def _agent_name(names: set[str]) -> str | None:
    return next((name for name in ("Agent", "act") if name in names), None)


def _lacks(path: Path, what: str) -> EdgeBenchError:
    mend = "class Agent has reset(self, info) and act(self, observation); or write def act(observation, info)"
    return EdgeBenchError(f"the agent's file has no {what}", where=str(path), mend=mend)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
