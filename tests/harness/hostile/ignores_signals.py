# expected: timeout
"""Ignores every signal that can be ignored, and goes to sleep."""

import signal
import time

for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)


def act(observation, info):
    time.sleep(1e6)
