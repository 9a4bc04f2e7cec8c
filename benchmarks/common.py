"""What the benchmarks share: the machine in one line, a process with its time and memory, processes in turn."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple


def machine() -> str:
    """Processor count, load, Python and NumPy: figures without them tell little."""
    import numpy

    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        f"{processor()}, {os.cpu_count()} CPUs, load {load}, {platform.system()}, "
        f"Python {platform.python_version()}, NumPy {numpy.__version__}"
    )


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


class Finished(NamedTuple):
    """A process that has ended: seconds from start to end, peak memory in MiB (0 where the system tells none)."""

    seconds: float
    peak_mib: float


def finish(command: list[str], environment: dict[str, str] | None = None) -> Finished:
    """Run a Python process to its end, its output thrown away.

    Raises:
        RuntimeError: It failed; with what it wrote.
    """
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        written = process.stderr.read()
        peak_mib = _wait(process)
    seconds = time.perf_counter() - begun
    if process.returncode != 0:
        raise RuntimeError(written.decode(errors="replace"))
    return Finished(seconds, peak_mib)


def print_times(calls: dict[str, list[str]], rounds: int) -> None:
    """What Python processes take beside the first of them, in turn, round after round; the first round is dropped."""
    for call in calls.values():
        finish(call)
    bare = next(iter(calls))
    times = [{name: finish(call).seconds for name, call in calls.items()} for _ in range(rounds)]
    print(f"\nseconds from start to end of a process, median and best of {rounds} interleaved rounds")
    print(f"{'':<20} {'median':>7} {'best':>7} {'over ' + bare:>20}")
    for name in calls:
        seconds = [one[name] for one in times]
        ratio = statistics.median(one[name] / one[bare] for one in times)
        print(f"{name:<20} {statistics.median(seconds):>7.3f} {min(seconds):>7.3f} {ratio:>19.1f}x")


def _wait(process: subprocess.Popen[bytes]) -> float:
    if not hasattr(os, "wait4"):
        process.wait()
        return 0.0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
