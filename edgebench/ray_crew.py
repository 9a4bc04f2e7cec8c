"""The tasks of `edgebench.crew` over a Ray cluster."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from edgebench.crew import ATTEMPTS, OnTold, Task
from edgebench.errors import EdgeBenchError
from edgebench.track import named

_CONNECT_S: Final = 10.0
_LOOK_S: Final = 0.5
"""How often it is asked how far the tasks are."""


def run_on_ray(
    tasks: Sequence[Task],
    address: str,
    on_told: OnTold = lambda number, value: None,
    on_done: OnTold = lambda number, value: None,
) -> list[Any]:
    """Run tasks on the cluster at `address`, one a core; their results in order.

    A node needs EdgeBench of this version and the regions of the tasks, built.

    Args:
        tasks: What is to be done.
        address: `auto`, `host:port`, `ray://host:port`, or `local` for a cluster of this machine that ends with the
            run.
        on_told: As `edgebench.crew.run_here`.
        on_done: Called with a task's number and result as soon as it is there.

    Raises:
        EdgeBenchError: Ray is not installed, the cluster cannot be reached, a task raised it, or its process died
            `edgebench.crew.ATTEMPTS` times.
    """
    ray = _ray()
    mine = not ray.is_initialized()
    if mine:
        _join(ray, address)
    try:
        return _run(ray, tasks, on_told, on_done)
    finally:
        if mine:
            ray.shutdown()


def _ray() -> Any:
    if importlib.util.find_spec("ray") is None:
        raise EdgeBenchError("Ray is not installed", mend='pip install "edgebench[ray]"')
    import ray

    return ray


def _join(ray: Any, address: str) -> None:
    host, colon, port = address.rpartition(":")
    try:
        if colon and port.isdecimal() and "://" not in address:
            # Ray itself tries an address where nobody listens for minutes.
            socket.create_connection((host, int(port)), _CONNECT_S).close()
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level="ERROR",
            include_dashboard=False if address == "local" else None,
        )
    except (OSError, ValueError, RuntimeError) as error:
        mend = "start one: ray start --head; its address is what ray start prints"
        raise EdgeBenchError(f"no Ray cluster: {error}", where=address, mend=mend) from error


def _run(ray: Any, tasks: Sequence[Task], on_told: OnTold, on_done: OnTold) -> list[Any]:
    notices = ray.remote(num_cpus=0)(_Notices).remote()
    # Once for every task: a worker that is killed in the middle is replaced and the task begun again.
    do = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_do)
    waiting = {
        do.remote(notices, number, task.function, dict(task.arguments)): number for number, task in enumerate(tasks)
    }
    results: list[Any] = [None] * len(tasks)
    while waiting:
        ready, _ = ray.wait(list(waiting), timeout=_LOOK_S)
        for number, value in ray.get(notices.take.remote()):
            on_told(number, value)
        for reference in ready:
            number = waiting.pop(reference)
            results[number] = _result(ray, reference)
            on_done(number, results[number])
    return results


def _result(ray: Any, reference: Any) -> Any:
    try:
        kind, value = ray.get(reference)
    except ray.exceptions.WorkerCrashedError as error:
        raise EdgeBenchError(f"the process of a task died {ATTEMPTS} times", mend="see the logs of Ray") from error
    if kind == "failed":
        raise EdgeBenchError(**value)
    return value


class _Notices:
    """The last that each task told, until it is taken."""

    def __init__(self) -> None:
        self._last: dict[int, Any] = {}

    def tell(self, number: int, value: Any) -> None:
        self._last[number] = value

    def take(self) -> list[tuple[int, Any]]:
        taken, self._last = list(self._last.items()), {}
        return taken


def _do(notices: Any, number: int, function: str, arguments: dict[str, Any]) -> tuple[str, Any]:
    def tell(value: Any) -> None:
        notices.tell.remote(number, value)

    stop: Callable[[], bool] = lambda: False  # noqa: E731 - what Ray cancels is killed
    try:
        return "done", named(function)(tell, stop, **arguments)
    except EdgeBenchError as error:
        return "failed", {"what": error.what, "where": error.where, "mend": error.mend}
