"""Writes that leave either the old file or folder or the new one, never half of one, nor a leftover for good.

So it is when the process is killed at any moment. A file, though not what a folder holds, is on the disk before it
takes its name, so that it is whole after a power cut too. A write that the system refuses is an error that says what
to do about it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edgebench.errors import refused_write
from edgebench.scratch import scratch
from edgebench.scratch import sweep as sweep_scratches

_HERE: Final = -100
"""AT_FDCWD of Linux: paths are taken as they stand."""
_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of Linux."""
_UNKNOWN: Final = (errno.ENOSYS, errno.EINVAL)
"""What a kernel or a file system answers that cannot exchange names."""


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; it replaces `target` when the block ends without error.

    Raises:
        EdgeBenchError: The disk is full, or the folder may not be written to; `target` is what it was.
    """
    with telling_refusal(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch(_prefix(target), target.parent, folder=False) as temporary:
            yield temporary
            temporary.chmod(0o644)
            _to_disk(temporary)
            temporary.replace(target)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 `text` with LF line ends to `target`, atomically."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's content, atomically."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(source.read_bytes())


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target`; it replaces `target` when the block ends without error.

    Raises:
        EdgeBenchError: As `atomic_path`.
    """
    with telling_refusal(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch(_prefix(target), target.parent) as temporary:
            yield temporary
            temporary.chmod(0o755)
            _put(temporary, target)


def remove_folder(target: Path) -> None:
    """Take a folder away: it is whole until it has lost its name, and nothing where there is none.

    Raises:
        EdgeBenchError: It may not be written to; `target` is what it was.
    """
    with telling_refusal(target):
        if target.exists():
            with scratch(_prefix(target), target.parent) as temporary:
                target.replace(temporary / "old")
        else:
            sweep(target)


def sweep(target: Path) -> None:
    """Remove what killed writers of `target` have left beside it; whoever writes it next does so too."""
    if target.parent.is_dir():
        sweep_scratches(_prefix(target), target.parent)


@contextmanager
def telling_refusal(target: Path) -> Iterator[None]:
    """Turn what the system answers to a write of `target` that it refuses into an error that says what to do."""
    try:
        yield
    except OSError as error:
        told = refused_write(error, str(target)) if _concerns(error, target) else None
        if told is None:
            raise
        raise told from error


def _concerns(error: OSError, target: Path) -> bool:
    """Whether an error is about `target`, a file beside it or a folder above it, as far as it tells."""
    if error.filename is None:
        return True
    place, folder = Path(error.filename).resolve(), target.parent.resolve()
    return place.is_relative_to(folder) or folder.is_relative_to(place)


def _prefix(target: Path) -> str:
    return f".{target.name}."


def _to_disk(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put(new: Path, target: Path) -> None:
    """Give the folder `new` the name `target`; one that had it lies at `new` afterwards, or is gone."""
    if not target.exists():
        try:
            new.replace(target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # else another process was quicker
                raise
    if not _exchanged(new, target):
        with scratch(_prefix(target), target.parent) as retired:
            target.replace(retired / "old")
            new.replace(target)


def _exchanged(first: Path, second: Path) -> bool:
    """Exchange two names in one step; False where the system cannot: a kill between two steps leaves no `second`."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), str(second))
