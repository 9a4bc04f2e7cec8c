"""Many independent tasks at once, each in a process of its own: here, or over the nodes of a Ray cluster.

A task is a function's name and plain arguments, so that it can be sent anywhere. It may tell how far it is. A process
that dies is replaced and its task begun again; a task must be able to go on where its last attempt left it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from edgebench.errors import EdgeBenchError
from edgebench.track import named

ATTEMPTS: Final = 3
"""How often a task is begun whose process dies."""
_TOLD, _DONE, _FAILED = "told", "done", "failed"
_STOP: Final = "stop"


@dataclass(frozen=True)
class Task:
    """Something to be done.

    Attributes:
        function: `module:attribute` of `function(tell, stop, **arguments)`; `tell(value)` says how far it is, `stop()`
            asks whether to leave off, and what it returns is the result.
        arguments: Plain values.
    """

    function: str
    arguments: Mapping[str, Any]


OnTold = Callable[[int, Any], None]
"""Called with a task's number and what it told."""


class Stopped(Exception):
    """The tasks were asked to leave off, and did."""


def run_here(tasks: Sequence[Task], processes: int, on_told: OnTold = lambda number, value: None) -> list[Any]:
    """Run tasks in that many processes; their results in order.

    After Ctrl-C the tasks are asked to leave off; `Stopped` is raised when all have.

    Raises:
        EdgeBenchError: A task raised it, or its process died `ATTEMPTS` times.
        Stopped: Ctrl-C.
    """
    crew = _Crew(tasks, on_told)
    try:
        crew.work(processes)
    except KeyboardInterrupt:
        crew.leave_off()
        raise Stopped from None
    finally:
        crew.end()
    return crew.results


class _Crew:
    """Processes at work, each on one task."""

    def __init__(self, tasks: Sequence[Task], on_told: OnTold) -> None:
        self._tasks, self._on_told = tasks, on_told
        self._waiting = list(range(len(tasks)))
        self._attempts = [0] * len(tasks)
        self._at_work: dict[Connection, tuple[int, BaseProcess]] = {}
        self.results: list[Any] = [None] * len(tasks)

    def work(self, processes: int) -> None:
        """Until nothing is left to do."""
        while self._waiting or self._at_work:
            while self._waiting and len(self._at_work) < processes:
                self._start(self._waiting.pop(0))
            for ready in wait(list(self._at_work)):
                assert isinstance(ready, Connection)
                self._listen(ready)

    def leave_off(self) -> None:
        """Ask all to stop and hear them out."""
        self._waiting.clear()
        for connection in self._at_work:
            connection.send(_STOP)
        self.work(0)

    def end(self) -> None:
        """Kill whoever is still there: only after an error."""
        for _, process in self._at_work.values():
            process.kill()
            process.join()
        self._at_work.clear()

    def _start(self, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        task = self._tasks[number]
        process = context.Process(target=_do, args=(there, task.function, dict(task.arguments)), daemon=False)
        self._attempts[number] += 1
        process.start()
        there.close()
        self._at_work[here] = (number, process)

    def _listen(self, connection: Connection) -> None:
        number, process = self._at_work[connection]
        try:
            kind, value = connection.recv()
        except EOFError:
            self._bury(connection, number, process)
            return
        if kind == _TOLD:
            self._on_told(number, value)
            return
        del self._at_work[connection]
        process.join()
        if kind == _FAILED:
            raise EdgeBenchError(**value)
        self.results[number] = value

    def _bury(self, connection: Connection, number: int, process: BaseProcess) -> None:
        """Begin the task of a process that died once more."""
        del self._at_work[connection]
        process.join()
        if self._attempts[number] >= ATTEMPTS:
            raise EdgeBenchError(
                f"the process of a task died {ATTEMPTS} times, the last time with exit status {process.exitcode}",
                where=str(dict(self._tasks[number].arguments)),
                mend="see what it printed; a machine short of memory kills its largest process",
            )
        self._waiting.insert(0, number)


def _do(connection: Connection, function: str, arguments: dict[str, Any]) -> None:
    """The life of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the crew passes Ctrl-C on, once and to all
    threading.Thread(target=_end_with_crew, daemon=True).start()

    def tell(value: Any) -> None:
        connection.send((_TOLD, value))

    try:
        result = named(function)(tell, connection.poll, **arguments)
    except EdgeBenchError as error:
        connection.send((_FAILED, {"what": error.what, "where": error.where, "mend": error.mend}))
    else:
        connection.send((_DONE, result))


def _end_with_crew() -> None:
    """End this process when the one that started it has ended, however it did: nobody would hear of the result."""
    crew = multiprocessing.parent_process()
    assert crew is not None
    crew.join()
    os._exit(1)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
