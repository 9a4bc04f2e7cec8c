# expected: error timeout
"""Forks, and every copy forks."""

import os


def act(observation, info):
    while True:
        os.fork()
