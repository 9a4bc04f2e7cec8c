# expected: ok
"""Opens the memory of the harness and of its own parent, and attaches to the harness as a debugger would."""

import ctypes
import os

HARNESS = int("@HARNESS@")
PTRACE_ATTACH = 16


def opens(pid):
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY))
    except OSError:
        return False
    return True


def act(observation, info):
    others = {HARNESS, os.getppid()} - {0}
    attached = ctypes.CDLL(None).ptrace(PTRACE_ATTACH, HARNESS, None, None) == 0
    return 2 if attached or any(map(opens, others)) else 1
