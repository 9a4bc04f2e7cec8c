"""Tasks in processes of their own: in order, told, stopped, begun again when their process dies."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from edgebench.crew import ATTEMPTS, Task, run_here
from edgebench.errors import EdgeBenchError


def double(tell, stop, *, number):
    tell(number)
    return 2 * number


def refuse(tell, stop, *, what):
    raise EdgeBenchError("no such thing", where=what, mend="ask for another")


def die_at_first(tell, stop, *, folder, times):
    marks = len(list(Path(folder).iterdir()))
    Path(folder, str(marks)).touch()
    if marks < times:
        os.kill(os.getpid(), signal.SIGKILL)
    return marks


def task(name, **arguments):
    return Task(f"test_crew:{name}", arguments)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_results_are_in_order_and_all_is_told():
    told = []
    results = run_here([task("double", number=number) for number in range(4)], 2, lambda *news: told.append(news))
    assert results == [0, 2, 4, 6]
    assert sorted(told) == [(number, number) for number in range(4)]


def test_an_error_comes_back_whole():
    with pytest.raises(EdgeBenchError, match="no such thing") as caught:
        run_here([task("refuse", what="x")], 1)
    assert (caught.value.where, caught.value.mend) == ("x", "ask for another")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_task_whose_process_dies_is_begun_again(tmp_path):
    assert run_here([task("die_at_first", folder=str(tmp_path), times=ATTEMPTS - 1)], 1) == [ATTEMPTS - 1]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_task_whose_process_always_dies_is_given_up(tmp_path):
    with pytest.raises(EdgeBenchError, match=f"died {ATTEMPTS} times"):
        run_here([task("die_at_first", folder=str(tmp_path), times=99)], 1)
    assert len(list(tmp_path.iterdir())) == ATTEMPTS


def wait_for_stop(tell, stop, *, folder):
    tell("begun")
    while not stop():
        time.sleep(0.01)
    Path(folder, "left off").touch()


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ on Windows")
def test_ctrl_c_lets_tasks_leave_off(tmp_path):
    from edgebench.crew import Stopped

    def interrupt(number, value):
        signal.raise_signal(signal.SIGINT)

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where tests run in the background
    try:
        with pytest.raises(Stopped):
            run_here([task("wait_for_stop", folder=str(tmp_path))], 1, interrupt)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert (tmp_path / "left off").exists()
