"""The agent's process: loads one agent and answers the harness's messages until they end.

`edgebench.harness.sandbox` starts it with messages on the standard streams. Those are moved out of the agent's way
first: what the agent prints goes to the error stream, what it reads is empty. Nothing here holds an environment; all
the agent gets is what `edgebench.harness.wire` can carry.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebench.harness.wire import (
    ACTION,
    ARRAY,
    DETAIL_CHARS,
    DONE,
    ERROR,
    INVALID,
    Reply,
    decode,
    pack_reply,
    read_frame,
)

_cpu_ns: Callable[[], int] = (lambda: 0) if sys.platform == "linux" else time.process_time_ns
"""CPU time so far; on Linux the harness reads it itself and believes no agent's process."""


class WrongAction(Exception):
    """The agent answered something that is no action."""


@dataclass(frozen=True)
class Loaded:
    """An agent ready to play: its `act`, whether that takes the info too, its `reset` if it has one."""

    act: Callable[..., Any]
    takes_info: bool
    reset: Callable[[dict[str, Any]], Any] | None


def load_agent(kind: str, target: str, sha256: str, folder: str) -> Loaded:
    """Import the agent and construct it.

    Args:
        kind: `file`, `package`, `reference` or `checkpoint`.
        target: A path, or `module:name`.
        sha256: Digest of the file or checkpoint found when the agent was named; another one now is refused.
        folder: Where the harness runs: a package may lie there without being installed.
    """
    agent: Any
    if kind == "checkpoint":
        agent = _player(Path(target), sha256)
        return Loaded(agent.act, True, agent.reset)
    module_name, _, attribute = target.partition(":")
    if kind == "file":
        module = _module_from_file(Path(target), sha256)
        attribute = "Agent" if hasattr(module, "Agent") else "act"
    else:
        if kind == "package":
            sys.path.append(folder)
        module = importlib.import_module(module_name)
    found = getattr(module, attribute)
    if not inspect.isclass(found):
        return Loaded(found, _takes_info(found), None)
    agent = found()
    return Loaded(agent.act, _takes_info(agent.act), getattr(agent, "reset", None))


def _player(folder: Path, sha256: str) -> Any:
    from edgebench.harness.agents import checkpoint_sha256
    from edgebench.learning.player import Agent

    if checkpoint_sha256(folder) != sha256:
        raise ImportError(f"{folder.name} was changed while the run was going on")
    return Agent(folder)


def _module_from_file(path: Path, sha256: str) -> ModuleType:
    source = path.read_bytes()
    if hashlib.sha256(source).hexdigest() != sha256:
        raise ImportError(f"{path.name} was changed while the run was going on")
    module = ModuleType("edgebench_agent")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def _takes_info(act: Callable[..., Any]) -> bool:
    parameters = inspect.signature(act).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return True
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(places) > 1 and (places[1].default is inspect.Parameter.empty or places[1].name == "info")


def as_action(answer: object) -> int:
    """The integer an agent's answer stands for: an int, a NumPy integer or an integer array of one element.

    Raises:
        WrongAction: It is anything else, a bool and a whole float included.
    """
    if isinstance(answer, np.ndarray) and answer.size == 1 and answer.ndim < 2:
        answer = answer.reshape(())[()]
    if isinstance(answer, bool) or not isinstance(answer, int | np.integer):
        shown = f" {answer!r:.40}" if isinstance(answer, str | float | bool | np.generic) else ""
        raise WrongAction(f"wrong type: act returned {type(answer).__name__}{shown}, not an int")
    if not -(2**63) <= answer < 2**63:
        raise WrongAction("act returned an integer of more than 64 bits")
    return int(answer)


def as_array(answer: object, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """The array an agent's answer stands for, of the type and shape asked for.

    Raises:
        WrongAction: It is no array of numbers, has another shape, or is of floats where whole numbers are asked for.
    """
    if isinstance(answer, list | tuple):
        try:
            answer = np.array(answer)
        except ValueError as error:
            raise WrongAction(f"wrong shape: act returned a ragged {type(answer).__name__}") from error
    if not isinstance(answer, np.ndarray) or answer.dtype.kind not in ("iuf" if dtype[1] == "f" else "iu"):
        found = f"an array of {answer.dtype}" if isinstance(answer, np.ndarray) else type(answer).__name__
        raise WrongAction(f"wrong type: act returned {found}, not an array of {np.dtype(dtype)}")
    if answer.shape != shape:
        raise WrongAction(f"wrong shape: act returned {answer.shape}, not {shape}")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is then invalid
        return np.ascontiguousarray(answer, dtype)


class _Session:
    """The state between messages: the agent once it is loaded, and what its actions are."""

    def __init__(self) -> None:
        self.agent: Loaded | None = None
        self.form: tuple[str, tuple[int, ...]] | None = None

    def answer(self, message: dict[str, Any]) -> Reply:
        """The reply to one message; whatever goes wrong in the agent becomes a reply too."""
        try:
            return self._handle(message)
        except WrongAction as error:
            return Reply(message["sequence"], INVALID, detail=str(error))
        except BaseException as error:  # noqa: BLE001 - reported, not swallowed; SystemExit counts as a failure too
            traceback.print_exc()
            return Reply(message["sequence"], ERROR, detail=describe(error))

    def _handle(self, message: dict[str, Any]) -> Reply:
        if message["kind"] == "load":
            self.agent = load_agent(*(message[name] for name in ("agent_kind", "target", "sha256", "folder")))
            return Reply(message["sequence"], DONE, action=int(self.agent.takes_info))
        assert self.agent is not None, "the first message loads the agent"
        if message["kind"] == "act":
            return self._act(self.agent, message)
        form = message["form"]
        self.form = None if form is None else (form["dtype"], tuple(form["shape"].tolist()))
        if self.agent.reset is not None:
            self.agent.reset(message["info"])
        return Reply(message["sequence"], DONE)

    def _act(self, agent: Loaded, message: dict[str, Any]) -> Reply:
        begun = _cpu_ns()
        observation = message["observation"]
        answer = agent.act(observation, message["info"]) if agent.takes_info else agent.act(observation)
        if self.form is None:
            return Reply(message["sequence"], ACTION, as_action(answer), max(0, _cpu_ns() - begun))
        values = as_array(answer, *self.form).tobytes()
        return Reply(message["sequence"], ARRAY, len(values), max(0, _cpu_ns() - begun), values=values)


def describe(error: BaseException) -> str:
    """One short line on an exception: type, message, and the file and line it came from."""
    last = " ".join(traceback.format_exception_only(error)[-1].split())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return last[: DETAIL_CHARS // 2] + place


def take_streams() -> tuple[int, int]:
    """File descriptors of the messages in and out, after pointing the standard streams elsewhere."""
    sys.stdout.flush()
    inward, outward = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(inward, os.O_BINARY)
        msvcrt.setmode(outward, os.O_BINARY)
    return inward, outward


def serve(inward: int, outward: int) -> None:
    """Answer messages until the harness closes its end."""
    session, process = _Session(), os.getpid()
    frame = bytearray()
    while True:
        try:
            frame = read_frame(partial(os.read, inward), likely=len(frame))  # most often as long as the last
        except EOFError:
            return
        reply = session.answer(decode(frame))
        if os.getpid() != process:
            os._exit(0)  # a copy forked by the agent came back: one process, one answer
        _write(outward, pack_reply(reply))


def _write(outward: int, data: bytes) -> None:
    """Write all of `data`; a record alone goes in one piece."""
    sent = os.write(outward, data)
    while sent < len(data):
        sent += os.write(outward, memoryview(data)[sent:])
