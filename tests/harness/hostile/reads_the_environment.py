# expected: ok
"""Looks for a secret among the environment variables of its process and of those around it."""

import os
from pathlib import Path


def environment(pid):
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def act(observation, info):
    found = repr(os.environ).encode() + environment("self") + environment(os.getppid()) + environment(int("@HARNESS@"))
    return 2 if b"@TOKEN@" in found else 1
