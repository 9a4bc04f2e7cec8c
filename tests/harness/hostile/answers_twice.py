# expected: error
"""Answers each question with a second reply of its own a moment after the first."""

import os
import stat

from edgebench.harness.wire import ACTION, Reply, pack_reply


def again():
    for fd in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                os.write(fd, pack_reply(Reply(3, ACTION, 2)))
        except OSError:
            continue


class Agent:
    asked = 0

    def act(self, observation):
        self.asked += 1
        if self.asked == 2:
            again()
        return 1
