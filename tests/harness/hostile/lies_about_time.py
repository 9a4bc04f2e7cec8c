# expected: timeout
"""Makes every clock of its process stand still and computes past its budget."""

import time

real = time.process_time_ns
for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "process_time", "process_time_ns"):
    setattr(time, name, lambda: 0)


def act(observation, info):
    end = real() + 400_000_000
    while real() < end:
        pass
    return 1
