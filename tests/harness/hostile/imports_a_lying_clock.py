# expected: timeout
"""Writes a module whose clocks stand still, has it imported wherever `time` was, and computes past its budget."""

import sys
import time
from pathlib import Path

CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "process_time", "process_time_ns")
real = time.process_time_ns

Path("still.py").write_text("\n".join(["from time import *", *(f"def {name}(): return 0" for name in CLOCKS)]))
sys.path.insert(0, ".")
still = __import__("still")
for module in [*sys.modules.values()]:
    if getattr(module, "time", None) is time:
        module.time = still
sys.modules["time"] = still


def act(observation, info):
    assert __import__("time").process_time_ns() == 0
    end = real() + 400_000_000
    while real() < end:
        pass
    return 1
