"""Temporary files and folders that a killed process cannot leave behind for good.

Whoever makes one holds it by a lock of the operating system, which ends with the process. Whoever next makes one of
that name at that place removes those that nobody holds any more. Windows has no such lock on a folder: there nothing
is swept.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

SUFFIX: Final = ".tmp"
"""How the names of scratches end; the eight characters before it are drawn."""
_DRAWN: Final = r"[a-z0-9_]{8}"


class Scratch:
    """An empty temporary file or folder, there until `drop`.

    Args:
        prefix: How its name begins.
        parent: The folder it lies in, which exists; the system's folder of temporary files where None.
        folder: Whether it is a folder.

    Attributes:
        path: Where it is.
    """

    def __init__(self, prefix: str, parent: Path | None = None, *, folder: bool = True) -> None:
        place = Path(tempfile.gettempdir()) if parent is None else parent
        sweep(prefix, place)
        self.path, self._lock = _held(prefix, place, folder=folder)

    def drop(self) -> None:
        """Remove what is at `path` by now, if anything, and let go of it."""
        _remove(self.path)
        if self._lock is not None:
            os.close(self._lock)


@contextmanager
def scratch(prefix: str, parent: Path | None = None, *, folder: bool = True) -> Iterator[Path]:
    """Yield the path of a `Scratch`, dropped when the block ends."""
    made = Scratch(prefix, parent, folder=folder)
    try:
        yield made.path
    finally:
        made.drop()


def sweep(prefix: str, parent: Path) -> None:
    """Remove the scratches of that name in `parent` whose makers have ended."""
    form = re.compile(re.escape(prefix) + _DRAWN + re.escape(SUFFIX))
    with os.scandir(parent) as entries:
        found = [Path(entry.path) for entry in entries if form.fullmatch(entry.name)]
    for path in found:
        lock = _lock(path, wait=False)
        if lock is not None:
            with suppress(OSError):  # what cannot be removed is in nobody's way
                _remove(path)
            os.close(lock)


def _held(prefix: str, parent: Path, *, folder: bool) -> tuple[Path, int | None]:
    while True:
        if folder:
            path = Path(tempfile.mkdtemp(SUFFIX, prefix, parent))
        else:
            handle, name = tempfile.mkstemp(SUFFIX, prefix, parent)
            os.close(handle)
            path = Path(name)
        lock = _lock(path, wait=True)
        if path.exists():
            return path, lock
        if lock is not None:  # swept away before it was held
            os.close(lock)


def _lock(path: Path, *, wait: bool) -> int | None:
    """A descriptor that holds `path` until it is closed; None where another process has it, or it cannot be held."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _remove(path: Path) -> None:
    """Remove a file, or a folder though parts of it may have been shut; what links point to stays as it is."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    path.chmod(0o700)
    for place, names, _ in os.walk(path):
        for inner in (Path(place, name) for name in names):
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(path)
