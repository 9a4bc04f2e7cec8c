# expected: timeout
"""Computes in a thread while the harness believes that it has answered."""

import threading
import time


def compute():
    while True:
        sum(range(1000))


class Agent:
    asked = 0

    def act(self, observation):
        self.asked += 1
        if self.asked == 1:
            threading.Thread(target=compute, daemon=True).start()
        end = time.process_time() + 0.4
        while time.process_time() < end:
            time.sleep(0.01)
        return 1
