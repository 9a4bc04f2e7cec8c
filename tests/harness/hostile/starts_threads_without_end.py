# expected: error timeout
"""Starts threads that never end."""

import threading


def act(observation, info):
    while True:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
