"""What an agent's processes may take of the machine, set with the operating system's own limits.

Time for one decision is not among them: the harness measures that itself (`edgebench.harness.process.Budgets`).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from edgebench.harness.namespaces import NAMESPACES, kernel

_MB = 2**20
_COUNTED_PER_NAMESPACE = (5, 14)
"""The Linux version from which a user namespace counts its own processes only."""


@dataclass(frozen=True)
class Limits:
    """What an agent may use besides its budgets of time; exceeding one is an exception or a signal in the agent.

    Attributes:
        memory_mb: Address space of each process.
        processes: Processes and threads at one time.
        file_mb: Largest file.
        disk_mb: All files in the working folder, where a mount namespace can be had.
        cpu_s: CPU time of each process over its life, which is many episodes: it ends strays, not slow decisions.
        namespaces: The namespaces of Linux to try.
    """

    memory_mb: int = 8192
    processes: int = 64
    file_mb: int = 64
    disk_mb: int = 256
    cpu_s: int = 86_400
    namespaces: tuple[str, ...] = NAMESPACES


if sys.platform == "win32":

    def apply_limits(limits: Limits, *, own_user_namespace: bool) -> str:
        """Windows has no such limits; says so."""
        return "no limits of memory, processes or files"

else:
    import resource

    def apply_limits(limits: Limits, *, own_user_namespace: bool) -> str:
        """Limit this process and all it will start, for good; returns what was limited, in words."""
        wanted = {
            resource.RLIMIT_CPU: limits.cpu_s,
            resource.RLIMIT_AS: limits.memory_mb * _MB,
            resource.RLIMIT_FSIZE: limits.file_mb * _MB,
            resource.RLIMIT_CORE: 0,
        }
        for kind, most in wanted.items():
            _lower(kind, most)
        words = f"{limits.memory_mb} MB of memory, {limits.cpu_s} s of CPU time a process; files of {limits.file_mb} MB"
        if sys.platform != "linux" or os.getuid() == 0:
            return words  # root is not bound by this limit, and on macOS it counts everything its user runs
        before = 0 if own_user_namespace and kernel() >= _COUNTED_PER_NAMESPACE else _running()
        _lower(resource.RLIMIT_NPROC, before + limits.processes)
        return f"{words}; {limits.processes} processes"

    def _lower(kind: int, most: int) -> None:
        allowed = resource.getrlimit(kind)[1]
        value = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(kind, (value, value))


def _running() -> int:
    """Threads of this user on the whole machine: what the kernel counts outside a user namespace of its own."""
    return sum(_threads(folder) for folder in Path("/proc").iterdir() if folder.name.isdigit())


def _threads(folder: Path) -> int:
    try:
        return len(list((folder / "task").iterdir())) if folder.stat().st_uid == os.getuid() else 0
    except OSError:
        return 0  # it ended meanwhile
