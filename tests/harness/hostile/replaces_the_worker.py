# expected: error invalid
"""Replaces the functions through which its process answers."""

import sys

worker = sys.modules["edgebench.harness.worker"]
worker.pack_reply = lambda reply: b"EBr1" + b"\xff" * 508


def act(observation, info):
    return 1
