# expected: timeout
"""Sleeps past its budget."""

import time


def act(observation, info):
    time.sleep(1e6)
