# expected: error
"""Writes the answers to the next questions before they are asked."""

import os
import stat

from edgebench.harness.wire import ACTION, Reply, pack_reply


def act(observation, info):
    for fd in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                for sequence in range(1, 50):
                    os.write(fd, pack_reply(Reply(sequence, ACTION, 2)))
        except OSError:
            continue
    return 1
