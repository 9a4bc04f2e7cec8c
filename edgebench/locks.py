"""One process at a time: locks that end with the process that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edgebench.atomic import telling_refusal
from edgebench.errors import EdgeBenchError

FOLDER_LOCK: Final = ".lock"
"""The file that is locked in a folder which one process at a time may fill."""
_ENDING_S: Final = 5.0
"""How long to wait for a process that is about to end."""


@contextmanager
def alone(lock: Path, busy: str, mend: str, *, patience_s: float = _ENDING_S) -> Iterator[None]:
    """Hold the file `lock`, made where there is none; the system lets go of it when this process ends, however it does.

    Args:
        lock: In a folder that is made where there is none.
        busy: What is wrong where another process holds it, in one sentence.
        mend: What to do about it.
        patience_s: How long to wait for that process.

    Raises:
        EdgeBenchError: Another process holds it all that time, or the folder may not be written to.
    """
    from filelock import FileLock, Timeout

    held = FileLock(lock, timeout=patience_s)
    try:
        with telling_refusal(lock):
            lock.parent.mkdir(parents=True, exist_ok=True)
            held.acquire()
    except Timeout as error:
        raise EdgeBenchError(busy, where=str(lock), mend=mend) from error
    try:
        yield
    finally:
        held.release()
