"""The parent's side of the pipes to an agent's process: every wait has a deadline, output kept is capped."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Final

from edgebench.harness.wire import ARRAY, REPLY_BYTES, Reply, WireError, unpack_reply

TAIL_BYTES: Final = 8192
"""What is kept of an agent's output, for messages."""
_CHUNK: Final = 65536
_PIPE_BYTES: Final = 2**20
"""What a pipe may hold at most where the system lets an ordinary user say so (Linux)."""


class DeadlineError(Exception):
    """The other side did not read or answer in time."""


if sys.platform == "win32":
    import _winapi
    import msvcrt

    class _Waiter:
        def __init__(self, write_fd: int, read_fd: int) -> None:
            self._handle = msvcrt.get_osfhandle(read_fd)

        def is_readable(self) -> bool:
            return bool(_winapi.PeekNamedPipe(self._handle, 0)[0])

        def until_readable(self, deadline: float) -> None:
            try:
                while not self.is_readable():
                    if time.monotonic() > deadline:
                        raise DeadlineError
                    time.sleep(0.0002)
            except BrokenPipeError:
                return  # reading it will tell that the stream has ended

        def until_writable(self, deadline: float) -> None:
            if time.monotonic() > deadline:
                raise DeadlineError

else:
    import select

    class _Waiter:
        def __init__(self, write_fd: int, read_fd: int) -> None:
            os.set_blocking(write_fd, False)
            self._readable, self._writable = select.poll(), select.poll()
            self._readable.register(read_fd, select.POLLIN)
            self._writable.register(write_fd, select.POLLOUT)
            if sys.platform == "linux":
                _widen(write_fd)

        def is_readable(self) -> bool:
            return any(event & select.POLLIN for _, event in self._readable.poll(0))

        def until_readable(self, deadline: float) -> None:
            _wait(self._readable, deadline)

        def until_writable(self, deadline: float) -> None:
            _wait(self._writable, deadline)

    def _wait(poll: select.poll, deadline: float) -> None:
        left_ms = 1000.0 * (deadline - time.monotonic())
        if left_ms <= 0.0 or not poll.poll(left_ms):
            raise DeadlineError

    def _widen(fd: int) -> None:
        """Let the pipe hold a large observation in one piece; systems short of pipe memory refuse, and it stays."""
        import fcntl

        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except PermissionError:
            return


class Channel:
    """Whole messages to and from a child over two pipes.

    Args:
        write_fd: The pipe the child reads.
        read_fd: The pipe the child writes.
    """

    def __init__(self, write_fd: int, read_fd: int) -> None:
        self._write_fd, self._read_fd = write_fd, read_fd
        self._waiter = _Waiter(write_fd, read_fd)

    def send(self, frame: bytes, deadline: float) -> None:
        """Write `frame` by `deadline` (of `time.monotonic`).

        Raises:
            DeadlineError: The child does not read.
            OSError: The child is gone.
        """
        sent = 0
        while sent < len(frame):
            try:
                sent += os.write(self._write_fd, memoryview(frame)[sent:] if sent else frame)
            except BlockingIOError:
                self._waiter.until_writable(deadline)

    def has_reply(self) -> bool:
        """Whether something has come that no question was asked for."""
        return self._waiter.is_readable()

    def receive(self, deadline: float, values: int = 0) -> Reply:
        """The child's next reply, with the bytes that follow its record where it is an array of `values` bytes.

        Raises:
            DeadlineError: It did not come in time.
            EOFError: The child closed its end.
            WireError: It is no reply, or more than one.
        """
        data = self._at_least(REPLY_BYTES, bytearray(), deadline, 2 * REPLY_BYTES + values)
        reply = unpack_reply(data[:REPLY_BYTES])
        if reply.outcome == ARRAY:
            if reply.action != values or not values:
                raise WireError(f"an action of {reply.action} bytes where {values} are asked for")
            data = self._at_least(REPLY_BYTES + values, data, deadline, values + 1)
            reply = reply._replace(values=bytes(data[REPLY_BYTES : REPLY_BYTES + values]))
        if len(data) > REPLY_BYTES + len(reply.values):
            raise WireError("more than one message at a time")
        return reply

    def _at_least(self, size: int, data: bytearray, deadline: float, most: int) -> bytearray:
        while len(data) < size:
            self._waiter.until_readable(deadline)
            more = os.read(self._read_fd, most)
            if not more:
                raise EOFError
            data += more
        return data


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
