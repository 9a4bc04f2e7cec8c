# expected: ok
# ruff: noqa: PTH208
"""Looks up the answers in the built regions on disk."""

import os


def act(observation, info):
    try:
        return 2 if os.listdir("@REGIONS@") else 1
    except OSError:
        return 1
