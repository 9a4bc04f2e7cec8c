# expected: ok
# ruff: noqa: PTH208
"""Opens disks and the machine's memory as devices."""

import os
import stat


def opens(path, flags):
    try:
        os.close(os.open(path, flags | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def act(observation, info):
    paths = [f"/dev/{name}" for name in os.listdir("/dev")]
    disks = [path for path in paths if stat.S_ISBLK(os.lstat(path).st_mode)]
    return 2 if any(opens(path, os.O_RDONLY) for path in [*disks, "/dev/mem", "/dev/kmsg"]) else 1
