"""What an agent's own process costs a decision: `act` across the pipes, beside the same call in this process and beside
the physical limit, the same bytes echoed over two bare pipes by another process.

Run: python benchmarks/act_round_trip.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import machine

from edgebench.harness.agents import resolve_agent
from edgebench.harness.process import AgentProcess

CALLS, ROUNDS = 1000, 9
ECHO = """
import os
while received := os.read(0, 65536):
    size = len(received)
    while size < @SIZE@:
        size += len(os.read(0, 65536))
    os.write(1, bytes(64))
"""
"""Answers every `@SIZE@` bytes: more than a pipe holds come in several reads."""
AGENT = """
class Agent:
    def act(self, observation):
        return 7
"""
AGENT_WITH_INFO = AGENT.replace("observation", "observation, info")
INFO = {
    "action_mask": np.ones(32, np.int8),
    "instances": np.arange(32, dtype=np.int32),
    **{"node": 3, "user_node": 4, "task": 17, "stage": 2, "answer_mb": 12.0},
    "stage_types": np.zeros(5, np.int8),
    "stage_parents": np.array([0, 1, 2, 4, 8]),
    "stage_tokens": np.full(5, 250.0),
    "stage_payload_mb": np.full(5, 1.5),
    "stage_output_mb": np.full(5, 1.5),
}


def observation(kilobytes: float) -> dict[str, Any]:
    rows = int(kilobytes * 1024 - 32 - 64) // 128
    candidates, mask = np.random.default_rng(0).random((rows, 32)).astype(np.float32), np.ones(32, np.int8)
    return {"candidates": candidates, "task": np.zeros(16, np.float32), "action_mask": mask}


def microseconds(act: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    for _ in range(CALLS):
        act()
    return (time.perf_counter() - begun) / CALLS * 1e6


def echo_of(size: int) -> str:
    return ECHO.replace("@SIZE@", str(size))


def echo(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(data)
    os.read(process.stdout.fileno(), 64)


def main() -> None:
    """Print the round trip of `act` at two sizes, with and without info."""
    namespace: dict[str, Any] = {}
    exec(AGENT, namespace)
    inside = namespace["Agent"]()
    print(machine())
    print(f"microseconds a call, best and median of {ROUNDS} rounds of {CALLS}")
    print(f"{'observation':>11} {'info':>4} {'in process':>12} {'bare pipes':>14} {'own process':>14}")
    for kilobytes, code in ((4, AGENT), (4, AGENT_WITH_INFO), (64, AGENT), (64, AGENT_WITH_INFO)):
        columns = measure(inside, observation(kilobytes), code)
        cells = [f"{min(column):6.1f} {statistics.median(column):6.1f}" for column in columns]
        print(f"{kilobytes:>8} KB {'yes' if 'info' in code else 'no':>4} {cells[0]} {cells[1]:>14} {cells[2]:>14}")


def measure(inside: Any, seen: dict[str, Any], code: str) -> list[tuple[float, ...]]:
    """Microseconds of one act, a row a round: in this process, over bare pipes, in the harness."""
    size = sum(array.nbytes for array in seen.values())
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([sys.executable, "-c", echo_of(size)], stdin=pipe, stdout=pipe, bufsize=0) as bare,
    ):
        path = Path(folder) / "agent.py"
        path.write_text(code, encoding="utf-8")
        with AgentProcess(resolve_agent(str(path))) as process:
            process.reset({"seed": 0})
            rounds = [
                (
                    microseconds(lambda: inside.act(seen)),
                    microseconds(lambda: echo(bare, bytes(size))),
                    microseconds(lambda: process.act(seen, INFO)),
                )
                for _ in range(ROUNDS)
            ]
    return list(zip(*rounds, strict=True))


if __name__ == "__main__":
    main()
