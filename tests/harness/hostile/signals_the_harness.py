# expected: ok
"""Asks whether it could send a signal to the harness, or to anybody but its own."""

import os


def act(observation, info):
    try:
        os.kill(int("@HARNESS@"), 0)
    except OSError:
        return 1
    return 2
