# expected: error timeout
"""Takes memory, and goes on after the first refusal by another way."""

import mmap


def act(observation, info):
    kept = []
    try:
        while True:
            kept.append(bytearray(2**24))
    except MemoryError:
        while True:
            kept.append(mmap.mmap(-1, 2**24))
