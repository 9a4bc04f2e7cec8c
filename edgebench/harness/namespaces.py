"""Linux's means of taking things away from a process, by name: namespaces, mounts, capabilities.

Every function here acts on the process that calls it, and what is taken away stays away from all it starts. Each
raises OSError where the kernel refuses, so that the caller can say which means it has. Numbers are those of Linux's
headers, the same on every architecture.
"""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

NAMESPACES: Final = ("user", "network", "mount", "ipc", "pid")
"""In the order in which they are made: the first lends an ordinary user the right to make the others."""

_UNSHARE: Final = {"user": 0x10000000, "network": 0x40000000, "mount": 0x20000, "ipc": 0x08000000, "pid": 0x20000000}
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 36, 38
_SIGKILL: Final = 9
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 8, 0x1000, 0x4000, 0x40000
_SYS_MOUNT_SETATTR: Final = 442
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_READ_ONLY, _NO_SET_USER_ID, _NO_DEVICES = 1, 2, 4
_HARMLESS_DEVICES: Final = ("null", "zero", "full", "random", "urandom")
_CAPABILITY_VERSION_3: Final = 0x20080522
_OWN_PROCESS_NUMBERS: Final = (6, 14)


def kernel() -> tuple[int, int]:
    """The version of Linux, major and minor."""
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(char for char in minor if char.isdigit()))


def own_namespace(name: str) -> None:
    """Leave the `name` namespace (of `NAMESPACES`) for a new one; after `pid` only processes started later are in it.

    In the new user namespace this process keeps its user and group under the same numbers, and no namespace can be
    made within it by anybody who has no capabilities.
    """
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _UNSHARE[name])
    if name == "user":
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    elif name == "mount":
        _mount("none", "/", "", _MS_REC | _MS_PRIVATE)


def mount_proc() -> None:
    """Show at /proc only the processes of this process's own pid namespace."""
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)


def limit_process_numbers(most: int) -> int:
    """Let this pid namespace number at most `most` processes and threads, root's too (Linux 6.14); at least 301.

    Call it after `mount_proc`. On an older Linux it would set the limit of the whole machine, and refuses.
    """
    if kernel() < _OWN_PROCESS_NUMBERS:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    most = max(most, 301)
    Path("/proc/sys/kernel/pid_max").write_text(str(most))
    return most


def mount_everything_read_only() -> None:
    """Make all file systems read-only here, to their owners and root alike, and shut all devices (Linux 5.12).

    Open stay the devices that lead nowhere, `/dev/null` for one: a disk's is not, it could be written to as it is.
    """
    _change_mount("/", to_set=_READ_ONLY | _NO_SET_USER_ID | _NO_DEVICES, flags=_AT_RECURSIVE)
    for name in _HARMLESS_DEVICES:
        device = f"/dev/{name}"
        _mount(device, device, "", _MS_BIND)
        _change_mount(device, to_clear=_NO_DEVICES)


def mount_writable(folder: str) -> None:
    """Except one folder from `mount_everything_read_only`."""
    _mount(folder, folder, "", _MS_BIND)
    _change_mount(folder, to_clear=_READ_ONLY)


def mount_in_memory(folder: str, size_mb: int) -> None:
    """Cover `folder` with an empty one that holds `size_mb` at most and is gone with its last process."""
    options = f"size={size_mb}m,nr_inodes=10000,mode=700"
    _mount("tmpfs", folder, "tmpfs", _MS_NOSUID | _MS_NODEV, options)


def mount_nothing(folder: str) -> None:
    """Cover `folder` with one that is empty and stays so."""
    _mount("tmpfs", folder, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=4k,nr_inodes=1,mode=500")


def mount_also_at(folder: str, place: str) -> None:
    """Show `folder` at `place` too."""
    _mount(folder, place, "", _MS_BIND)


def drop_privileges() -> None:
    """Give up every capability for good: no program run later can regain one, one of root's neither."""
    forbid_new_privileges()
    number = 0
    try:
        while True:
            _call("prctl", _PR_CAPBSET_DROP, number, 0, 0, 0)
            number += 1
    except OSError as error:
        # EINVAL: past the last capability. EPERM: an ordinary user without any to lose.
        if error.errno not in (errno.EINVAL, errno.EPERM):
            raise
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def forbid_new_privileges() -> None:
    """No program run from here on gains anything by its set-user-id bit or file capabilities."""
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Have this process killed when the one that started it ends."""
    _call("prctl", _PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none is lost sight of."""
    _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def hide_memory() -> None:
    """Refuse this process's memory to other processes of the same user."""
    _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _call("mount", source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode())


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("to_set", "to_clear", "propagation", "user_namespace")]


def _change_mount(place: str, *, to_set: int = 0, to_clear: int = 0, flags: int = 0) -> None:
    attributes = _MountAttributes(to_set=to_set, to_clear=to_clear)
    size, path = ctypes.c_size_t(ctypes.sizeof(attributes)), ctypes.c_char_p(os.fsencode(place))
    _call("syscall", ctypes.c_long(_SYS_MOUNT_SETATTR), _AT_FDCWD, path, flags, ctypes.byref(attributes), size)


def _call(function: str, *arguments: Any) -> None:
    if getattr(_libc(), function)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), function)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
