# expected: error timeout
"""Writes a hundred megabytes to every pipe it holds."""

import os
import stat


def act(observation, info):
    for fd in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                for _ in range(100):
                    os.write(fd, b"EBr1" + bytes(2**20))
        except OSError:
            continue
    return 1
