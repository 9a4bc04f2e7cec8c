"""The parent's side of the pipes to an agent's process: every wait has a deadline, output kept is capped."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from edgebench.harness.wire import Reply, read_reply

TAIL_BYTES: Final = 8192
"""What is kept of an agent's output, for messages."""
_CHUNK: Final = 65536


class DeadlineError(Exception):
    """The other side did not read or answer in time."""


class Channel:
    """Whole messages to and from a child over two pipes.

    Args:
        write_fd: The pipe the child reads.
        read_fd: The pipe the child writes.
    """

    def __init__(self, write_fd: int, read_fd: int) -> None:
        self._write_fd, self._read_fd = write_fd, read_fd
        self._wait_writable = _waiter(write_fd, writing=True)
        self._wait_readable = _waiter(read_fd, writing=False)

    def send(self, frame: bytes, deadline: float) -> None:
        """Write `frame` by `deadline` (of `time.monotonic`).

        Raises:
            DeadlineError: The child does not read.
            OSError: The child is gone.
        """
        rest = memoryview(frame)
        while rest:
            try:
                rest = rest[os.write(self._write_fd, rest) :]
            except BlockingIOError:
                self._wait_writable(deadline)

    def receive(self, deadline: float) -> Reply:
        """The child's next reply.

        Raises:
            DeadlineError: It did not come in time.
            EOFError: The child closed its end.
            WireError: It is no reply.
        """

        def read() -> bytes:
            self._wait_readable(deadline)
            return os.read(self._read_fd, _CHUNK)

        return read_reply(read)


if sys.platform == "win32":

    def _waiter(fd: int, *, writing: bool) -> Callable[[float], None]:
        import _winapi
        import msvcrt

        handle = msvcrt.get_osfhandle(fd)

        def wait(deadline: float) -> None:
            try:
                while not writing and not _winapi.PeekNamedPipe(handle, 0)[0]:
                    if time.monotonic() > deadline:
                        raise DeadlineError
                    time.sleep(0.0002)
            except BrokenPipeError:
                return  # reading it will tell that the stream has ended

        return wait

else:

    def _waiter(fd: int, *, writing: bool) -> Callable[[float], None]:
        os.set_blocking(fd, False)
        poll = select.poll()
        poll.register(fd, select.POLLOUT if writing else select.POLLIN)

        def wait(deadline: float) -> None:
            left_ms = 1000.0 * (deadline - time.monotonic())
            if left_ms <= 0.0 or not poll.poll(left_ms):
                raise DeadlineError

        return wait


class Tail:
    """Drains a stream in the background and remembers its last 8 KB, so that no writer ever blocks or fills a disk.

    `write_fd` is the end to hand to a child; close it in the parent once the child has it.
    """

    def __init__(self) -> None:
        self._read_fd, self.write_fd = os.pipe()
        self._kept = b""
        self._thread = threading.Thread(target=self._drain, name="agent-output", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while data := os.read(self._read_fd, _CHUNK):
            self._kept = (self._kept + data)[-TAIL_BYTES:]
        os.close(self._read_fd)

    def text(self, wait_s: float = 0.5) -> str:
        """The end of the output, after waiting at most `wait_s` for the stream to end."""
        self._thread.join(wait_s)
        return self._kept.decode("utf-8", "replace")
