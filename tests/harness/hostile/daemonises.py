# expected: ok
"""Leaves a process behind in a session of its own, with no parent and another name."""

import os
import sys
import time

SLEEP = ["sleeper", "-c", "import time; time.sleep(1e6)", "@TOKEN@"]


def act(observation, info):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            os.execv(sys.executable, SLEEP)
        os._exit(0)
    time.sleep(0.05)
    return 1
