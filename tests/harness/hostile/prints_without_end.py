# expected: timeout
"""Writes to both output streams without end."""

import sys


def act(observation, info):
    while True:
        print("x" * 100_000)
        sys.stderr.write("y" * 100_000)
