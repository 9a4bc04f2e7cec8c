# expected: ok
# ruff: noqa: PTH118, PTH120
"""Opens modules of the installed package and of Python itself for writing, and lays a new one beside them."""

import json
import os

import edgebench.harness.journal as journal


def writable(path, flags):
    try:
        os.close(os.open(path, flags, 0o600))
    except OSError:
        return False
    return True


def act(observation, info):
    modules = [writable(module.__file__, os.O_WRONLY) for module in (journal, json)]
    beside = os.path.join(os.path.dirname(journal.__file__), "@TOKEN@.py")
    return 2 if any(modules) or writable(beside, os.O_CREAT | os.O_WRONLY) else 1
