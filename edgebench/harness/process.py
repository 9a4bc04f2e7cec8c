"""An agent in its own process, seen from the harness: start it, reset it, ask it, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NamedTuple, NoReturn, Self

from edgebench.harness.agents import AgentSource
from edgebench.harness.channel import Channel, DeadlineError, Tail
from edgebench.harness.wire import ACTION, ERROR, INVALID, Message, Reply, WireError, encode

_THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


@dataclass(frozen=True)
class Budgets:
    """What an agent may use; exceeding any of them ends the episode with status `timeout`.

    Attributes:
        decision_cpu_s: CPU time of one `act`, all threads, feature building included.
        decision_wall_s: Wall-clock time of one `act`, the way there and back included.
        startup_wall_s: Wall-clock time of starting the process and loading the agent, and again of each `reset`.
    """

    decision_cpu_s: float = 1.0
    decision_wall_s: float = 3.0
    startup_wall_s: float = 60.0


class Decision(NamedTuple):
    """An agent's answer: the action it named (any integer) and the CPU time it took, in milliseconds."""

    action: int
    cpu_ms: float


class AgentFailure(Exception):
    """The agent failed: `status` is `invalid`, `error` or `timeout`, `detail` one short line, `log` its last output."""

    def __init__(self, status: str, detail: str, log: str = "") -> None:
        self.status, self.detail, self.log = status, detail, log
        super().__init__(f"{status}: {detail}")


class AgentProcess:
    """Runs one agent in a process of its own, started when first needed and again after every failure.

    Use it as a context manager; leaving it kills the process and all it started in its session.
    Nothing that comes back is unpickled, parsed or run: replies are `edgebench.harness.wire` records of 512 bytes, and
    each must carry the number of the question it answers.
    """

    def __init__(self, source: AgentSource, budgets: Budgets | None = None) -> None:
        self.source = source
        self.budgets = budgets if budgets is not None else Budgets()
        self._child: _Child | None = None
        self._sequence = 0
        self._takes_info = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def reset(self, info: Message) -> None:
        """Begin an episode; `info` is all the agent learns of it beforehand.

        Raises:
            AgentFailure: Loading or `reset` raised, exited or took longer than the start-up budget.
        """
        if self._child is None:
            self._start()
        self._ask({"kind": "reset", "info": info}, self.budgets.startup_wall_s)

    def act(self, observation: Message, info: Message) -> Decision:
        """The agent's decision; any integer, whether it is a valid action is for the caller to say.

        Raises:
            AgentFailure: `act` raised, exited, took too long or returned something that is no integer.
        """
        question: dict[str, Any] = {"kind": "act", "observation": observation}
        if self._takes_info:
            question["info"] = info
        reply = self._ask(question, self.budgets.decision_wall_s)
        if reply.outcome != ACTION:
            self._fail("error", "the agent's process answered act without an action")
        if reply.cpu_ns > self.budgets.decision_cpu_s * 1e9:
            used, budget = reply.cpu_ns / 1e9, self.budgets.decision_cpu_s
            self._fail("timeout", f"act used {used:.2f} s of CPU time, the budget is {budget:g} s")
        return Decision(reply.action, reply.cpu_ns / 1e6)

    def stop(self) -> None:
        """Kill the process and everything in its session; the next `reset` starts a fresh one."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _start(self) -> None:
        self._child = _Child()
        source = self.source
        question = {"kind": "load", "agent_kind": source.kind, "target": source.target, "sha256": source.sha256}
        reply = self._ask(question, self.budgets.startup_wall_s)
        self._takes_info = reply.action == 1

    def _ask(self, question: Mapping[str, Any], wall_s: float) -> Reply:
        child = self._child
        if child is None:
            raise RuntimeError("reset comes before act")
        self._sequence += 1
        deadline = time.monotonic() + wall_s
        frame = encode({"sequence": self._sequence, **question})
        try:
            child.channel.send(frame, deadline)
            reply = child.channel.receive(deadline)
        except DeadlineError:
            self._fail("timeout", f"{question['kind']} took longer than {wall_s:g} s")
        except WireError as error:
            self._fail("error", f"the agent's process sent a malformed message: {error}")
        except (EOFError, OSError):
            self._fail("error", "the agent's process ended", with_exit=True)
        return self._checked(reply)

    def _checked(self, reply: Reply) -> Reply:
        if reply.sequence != self._sequence:
            self._fail("error", "the agent's process answered a question that was not asked, or twice")
        if reply.outcome in (INVALID, ERROR):
            self._fail("invalid" if reply.outcome == INVALID else "error", reply.detail)
        return reply

    def _fail(self, status: str, detail: str, *, with_exit: bool = False) -> NoReturn:
        child, self._child = self._child, None
        if child is None:
            raise AgentFailure(status, detail)
        code = child.kill()
        reason = f" with exit status {code}" if with_exit and code >= 0 else ""
        raise AgentFailure(status, detail + reason, child.tail.text())


class _Child:
    """The operating system's side: a fresh interpreter in a session of its own."""

    def __init__(self) -> None:
        self.tail = Tail()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-u", "-m", "edgebench.harness.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.tail.write_fd,
            bufsize=0,
            env=_environment(),
            start_new_session=True,
        )
        os.close(self.tail.write_fd)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.channel = Channel(self._process.stdin.fileno(), self._process.stdout.fileno())

    def kill(self) -> int:
        """Kill the session and return the process's exit status (negative: the signal that ended it)."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            # Not reaped yet, so the group's number is still ours even when its leader has gone.
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        return code


def _environment() -> dict[str, str]:
    """The parent's environment with one thread a library, a fixed hash seed and the parent's import path."""
    fixed = {name: "1" for name in _THREADS} | {"PYTHONHASHSEED": "0"}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, **fixed, "PYTHONPATH": path}
