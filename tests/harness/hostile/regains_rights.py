# expected: ok
"""Tries to get back what its process gave up: a namespace of its own, writable mounts, another user, higher limits."""

import ctypes
import os
import resource

CLONE_NEWUSER, CLONE_NEWNS, MS_REMOUNT, MS_BIND = 0x10000000, 0x20000, 32, 4096
libc = ctypes.CDLL(None)


def raises_limit():
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def succeeds(way):
    try:
        return way() != -1
    except (OSError, ValueError):
        return False


def act(observation, info):
    ways = [
        lambda: libc.unshare(CLONE_NEWUSER | CLONE_NEWNS),
        lambda: libc.mount(b"none", b"/", b"", ctypes.c_ulong(MS_REMOUNT | MS_BIND), b""),
        lambda: libc.umount2(b"/proc", 2),
        lambda: os.setuid(12345),
        lambda: os.chroot("/tmp"),
        raises_limit,
    ]
    return 2 if any(map(succeeds, ways)) else 1
