"""The operating system's side of an agent's process: start it in its sandbox, end it with all it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from edgebench import paths
from edgebench.harness.agents import AgentSource
from edgebench.harness.channel import Channel, Tail
from edgebench.harness.limits import Limits
from edgebench.harness.processes import cpu_ns, end_descendants
from edgebench.harness.sandbox import SANDBOXED, Order
from edgebench.harness.tampering import package_sha256
from edgebench.harness.wire import WireError
from edgebench.scratch import Scratch

_THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
_PASSED_ON: Final = ("LD_LIBRARY_PATH", "SYSTEMROOT")
"""What an interpreter may need of the harness's environment to start at all."""
_GRACE_S: Final = 2.0
"""How long an agent's process that closed its pipes has to end by itself, so that its exit status is known."""


class Child:
    """A fresh interpreter in a session, an environment and a working folder of its own.

    Attributes:
        channel: The pipes to the agent's process.
        tail: The end of what it has written.
        folder: The working folder, there until `end`.
    """

    def __init__(self, source: AgentSource, limits: Limits) -> None:
        self._scratch = Scratch("edgebench-agent-")
        self.folder = str(self._scratch.path)
        self._pid = 0
        self._package = ""
        self.tail = Tail()
        cache, order = _order(source, limits, self.folder)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-u", "-m", "edgebench.harness.sandbox", order.text()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.tail.write_fd,
            bufsize=0,
            env=_environment(self.folder, cache),
            start_new_session=True,
        )
        os.close(self.tail.write_fd)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.channel = Channel(self._process.stdin.fileno(), self._process.stdout.fileno())

    def begin(self, deadline: float) -> str:
        """Wait until the sandbox stands; returns its record in words.

        Raises:
            DeadlineError, EOFError, WireError: As `Channel.receive`; WireError too when it is no record.
        """
        reply = self.channel.receive(deadline)
        if reply.sequence != 0:
            raise WireError("no record of the sandbox")
        self._pid = reply.action
        return reply.detail

    def make_up(self, record: str) -> None:
        """Where the sandbox is not whole, shut this process's memory to its user's others, and note the package."""
        if record.startswith(SANDBOXED):
            return
        self._package = package_sha256()
        if sys.platform == "linux":
            from edgebench.harness.namespaces import hide_memory

            hide_memory()

    def cpu_ns(self, told_before: int, told: int) -> int:
        """CPU time of the agent's process so far: by the kernel's clock, or elsewhere the sum of what it told.

        Raises:
            OSError: The process has ended.
        """
        return cpu_ns(self._pid) if sys.platform == "linux" else told_before + told

    def end(self, *, patient: bool = False) -> int:
        """End the process and all it started, remove its folder; returns its exit status (negative: a signal's).

        Args:
            patient: It is about to end by itself; wait for its own exit status.
        """
        if sys.platform == "linux":
            self._end_keeper(patient=patient)
        elif sys.platform == "win32":
            self._process.kill()
        else:
            # Not waited for yet, so the session's number is still its own even when its leader has gone.
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._scratch.drop()
        return code

    def was_tampered_with(self) -> bool:
        """Whether the installed package is another than when the process began (False where it was read-only)."""
        return bool(self._package) and package_sha256() != self._package

    def _end_keeper(self, *, patient: bool) -> None:
        """End the keeper's descendants; it then ends itself and so passes on what CPU time they took."""
        if patient:
            self._wait()
        if self._process.returncode is None:
            end_descendants(self._process.pid)
            self._wait()
        self._process.kill()

    def _wait(self) -> None:
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            return


def _order(source: AgentSource, limits: Limits, folder: str) -> tuple[str, Order]:
    """What to ask of the sandbox, and where the agent finds the user's caches.

    Numba refuses to run from a cache it cannot write to. Agents that ship with EdgeBench share the harness's machine
    code; all others get a copy, since machine code they had written would run in the harness.
    """
    hidden = tuple(str(paths.home() / name) for name in ("raw", "processed"))
    compiled = sys.modules.get("edgebench.sim.compiled")
    if compiled is None:
        return folder, Order(limits, folder, hidden)
    code: Path = compiled.all_code()
    code.mkdir(parents=True, exist_ok=True)
    caches = code.parents[2]
    if source.kind in ("reference", "checkpoint"):
        return str(caches), Order(limits, folder, hidden, kept=str(code))
    copied = tuple((str(used), str(used.relative_to(caches))) for used in compiled.code_in_use())
    return f"{folder}/cache", Order(limits, folder, hidden, copied=copied)


def _environment(folder: str, caches: str) -> dict[str, str]:
    """All an agent's process finds in its environment: nothing of the user's but the import path."""
    own = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), folder) | {"XDG_CACHE_HOME": caches}
    fixed = dict.fromkeys(_THREADS, "1") | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return own | fixed | passed_on | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
