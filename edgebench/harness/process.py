"""An agent in its own process, seen from the harness: start it, reset it, ask it, stop it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, NoReturn, Self

import numpy as np

from edgebench.harness.actions import Action, ActionForm
from edgebench.harness.agents import AgentSource, require_torch
from edgebench.harness.channel import DeadlineError
from edgebench.harness.child import Child
from edgebench.harness.limits import Limits
from edgebench.harness.wire import ACTION, ARRAY, ERROR, INVALID, Message, Reply, WireError, encode

NOT_AGAIN: Final = "not tried again: "
"""Stands before the cause where an agent that failed to start was given up."""
_STARTS: Final = 2
"""How often in a row an agent may fail to start before it is given up."""


@dataclass(frozen=True)
class Budgets:
    """What an agent may use; exceeding any of them ends the episode with status `timeout`.

    Attributes:
        decision_cpu_s: CPU time of one `act`, all threads, feature building included, and of what its threads did
            since the decision before.
        decision_wall_s: Wall-clock time of one `act`, the way there and back included.
        startup_wall_s: Wall-clock time of starting the process and loading the agent, and again of each `reset`.
    """

    decision_cpu_s: float = 1.0
    decision_wall_s: float = 3.0
    startup_wall_s: float = 60.0


class Decision(NamedTuple):
    """An agent's answer: the action it named (any of the form asked for) and the CPU time it took, in milliseconds."""

    action: Action
    cpu_ms: float


class AgentFailure(Exception):
    """The agent failed: `status` is `invalid`, `error` or `timeout`, `detail` one short line, `log` its last output."""

    def __init__(self, status: str, detail: str, log: str = "") -> None:
        self.status, self.detail, self.log = status, detail, log
        super().__init__(f"{status}: {detail}")


class AgentProcess:
    """Runs one agent in a process of its own, started when first needed and again after every failure.

    Use it as a context manager; leaving it kills the process and all it started. An agent that could not be loaded
    twice in a row is not tried again: every further `reset` fails at once as the last one did.
    Nothing that comes back is unpickled, parsed or run: replies are `edgebench.harness.wire` records of 512 bytes, and
    each must carry the number of the question it answers. CPU time is read off the kernel's clock where there is one
    (Linux); elsewhere the agent's process tells it.

    Attributes:
        sandbox: What the agent's process has given up, in words; "" before the first start.
        folder: The agent's working folder, removed with its process; "" before the first start.
        rehearsed: Whether its machine code is there, or is none of EdgeBench's (`edgebench.harness.episodes`).

    Raises:
        EdgeBenchError: The agent is a checkpoint and torch is not installed here.
    """

    def __init__(self, source: AgentSource, budgets: Budgets | None = None, limits: Limits | None = None) -> None:
        if source.kind == "checkpoint":
            require_torch()  # without it every start would fail, by the fault of this machine and not of the agent
        self.source = source
        self.budgets = budgets if budgets is not None else Budgets()
        self.limits = limits if limits is not None else Limits()
        self.sandbox, self.folder, self.rehearsed = "", "", source.kind != "checkpoint"
        self._child: Child | None = None
        self._sequence = 0
        self._takes_info = False
        self._form: ActionForm | None = None
        self._cpu_ns = 0
        self._failed_starts: list[AgentFailure] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and load the agent now, where that has not been done.

        Raises:
            AgentFailure: Loading raised, exited or took longer than the start-up budget.
        """
        if self._child is None:
            self._start()

    def reset(self, info: Message, form: ActionForm | None = None) -> None:
        """Begin an episode; `info` is all the agent learns of it beforehand, `form` what its actions are.

        Raises:
            AgentFailure: Loading or `reset` raised, exited or took longer than the start-up budget.
        """
        self.start()
        self._form = form
        told = None if form is None else form.as_message()
        self._ask({"kind": "reset", "info": info, "form": told}, self.budgets.startup_wall_s)

    def act(self, observation: Message, info: Message) -> Decision:
        """The agent's decision; any of the form asked for, whether it is valid is for the caller to say.

        Raises:
            AgentFailure: `act` raised, exited, took too long or returned something of another form.
        """
        question: dict[str, Any] = {"kind": "act", "observation": observation}
        if self._takes_info:
            question["info"] = info
        before = self._cpu_ns
        reply = self._ask(question, self.budgets.decision_wall_s, self._form)
        if reply.outcome != (ACTION if self._form is None else ARRAY):
            self._fail("error", "the agent's process answered act without an action")
        cpu_ns = self._cpu_ns - before
        if cpu_ns > self.budgets.decision_cpu_s * 1e9:
            used, budget = cpu_ns / 1e9, self.budgets.decision_cpu_s
            self._fail("timeout", f"act used {used:.2f} s of CPU time, the budget is {budget:g} s")
        return Decision(self._named(reply), cpu_ns / 1e6)

    def _named(self, reply: Reply) -> Action:
        if self._form is None:
            return reply.action
        return np.frombuffer(reply.values, self._form.dtype).reshape(self._form.shape)

    def stop(self) -> None:
        """Kill the process and everything it started; the next `reset` starts a fresh one."""
        if self._child is not None:
            self._end()

    def _end(self, *, patient: bool = False) -> tuple[int, str]:
        """End the process; returns its exit status and the end of its output."""
        child, self._child = self._child, None
        assert child is not None
        code = child.end(patient=patient)
        if child.was_tampered_with():
            self.sandbox = f"tampered with: the installed package was changed during the run; {self.sandbox}"
        return code, child.tail.text()

    def _start(self) -> None:
        if len(self._failed_starts) >= _STARTS:
            last = self._failed_starts[-1]
            raise AgentFailure(last.status, f"{NOT_AGAIN}{last.detail}", last.log)
        try:
            self._load()
        except AgentFailure as failure:
            self._failed_starts.append(failure)
            raise
        self._failed_starts.clear()

    def _load(self) -> None:
        self._cpu_ns = 0
        self._child = child = Child(self.source, self.limits)
        self.folder = child.folder
        wall_s, source = self.budgets.startup_wall_s, self.source
        try:
            self.sandbox = child.begin(time.monotonic() + wall_s)
        except (DeadlineError, WireError, EOFError, OSError) as error:
            self._broken(error, "starting", wall_s)
        child.make_up(self.sandbox)
        question = {"kind": "load", "agent_kind": source.kind, "target": source.target, "sha256": source.sha256}
        reply = self._ask(question | {"folder": str(Path.cwd())}, wall_s)
        self._takes_info = reply.action == 1

    def _ask(self, question: Mapping[str, Any], wall_s: float, form: ActionForm | None = None) -> Reply:
        child = self._child
        if child is None:
            raise RuntimeError("reset comes before act")
        self._sequence += 1
        frame = encode({"sequence": self._sequence, **question})
        deadline = time.monotonic() + wall_s
        try:
            if child.channel.has_reply():
                self._fail("error", "the agent's process answered before it was asked")
            child.channel.send(frame, deadline)
            reply = child.channel.receive(deadline, 0 if form is None else form.size)
            self._cpu_ns = child.cpu_ns(self._cpu_ns, reply.cpu_ns)
        except (DeadlineError, WireError, EOFError, OSError) as error:
            self._broken(error, question["kind"], wall_s)
        return self._checked(reply)

    def _broken(self, error: Exception, what: str, wall_s: float) -> NoReturn:
        if isinstance(error, DeadlineError):
            self._fail("timeout", f"{what} took longer than {wall_s:g} s")
        if isinstance(error, WireError):
            self._fail("error", f"the agent's process sent a malformed message: {error}")
        self._fail("error", "the agent's process ended", with_exit=True)

    def _checked(self, reply: Reply) -> Reply:
        if reply.sequence != self._sequence:
            self._fail("error", "the agent's process answered a question that was not asked, or twice")
        if reply.outcome in (INVALID, ERROR):
            self._fail("invalid" if reply.outcome == INVALID else "error", reply.detail)
        return reply

    def _fail(self, status: str, detail: str, *, with_exit: bool = False) -> NoReturn:
        code, log = self._end(patient=with_exit)
        reason = f" with exit status {code}" if with_exit and code >= 0 else ""
        raise AgentFailure(status, detail + reason, log)
