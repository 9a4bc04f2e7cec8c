# expected: error
"""Writes bytes that are no message to every pipe it holds."""

import os
import stat


def act(observation, info):
    for fd in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                os.write(fd, os.urandom(512))
        except OSError:
            continue
    return 1
