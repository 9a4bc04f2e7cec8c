"""Two processes at once: one waits or is refused, nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from killed_world import standing

from edgebench.errors import EdgeBenchError
from edgebench.harness.journal import read_rows
from edgebench.harness.processes import descendants
from edgebench.leaderboard.ledger import FILE, read_ledger
from edgebench.locks import FOLDER_LOCK, alone
from edgebench.registry import TRACKS

SLOW_AGENT = """
import time

def act(observation, info):
    time.sleep(0.003)
    return int(observation["action_mask"].argmax())
"""
CREW = """
from edgebench.crew import Task, run_here
if __name__ == "__main__":
    run_here([Task("test_two_at_once:wait_long", {"mark": sys.argv[1]})], 1)
"""


def wait_long(tell, stop, *, mark):
    Path(mark).write_text(str(os.getpid()))
    time.sleep(600)


def outcome(processes):
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
    return sorted((code, told) for told, code in ended)


def test_two_evaluations_into_one_folder_end_in_one_right_run(home, begin):
    (home / "slow.py").write_text(SLOW_AGENT)
    words = ("eval", "slow.py", "--regions", "s1", "--seeds", "1", "--out", "runs/shared")
    (first, _), (second, told) = outcome([begin(*words), begin(*words)])
    assert first == 0 and second in (0, 2), told
    assert second == 0 or "another process plays into this folder" in told
    rows = read_rows(home / "runs" / "shared" / "episodes.csv", TRACKS["route"])
    assert [(row["window"], row["status"]) for row in rows] == [(str(window), "ok") for window in range(4)]
    assert standing(home)["run shared"].scores is not None


def test_entries_submitted_at_once_and_a_board_written_meanwhile_lose_nothing(home, begin):
    submits = [begin("submit", "runs/nearest", "--name", name) for name in ("third", "fourth")]
    assert [code for code, _ in outcome([*submits, begin("leaderboard")])] == [0, 0, 0]
    last = {(line.entry, line.what) for line in read_ledger(home / "leaderboards" / FILE)[-2:]}
    assert last == {("third", "added"), ("fourth", "added")}
    assert {"entry first", "entry second", "entry third", "entry fourth"} < standing(home).keys()


def test_a_folder_in_which_another_process_trains_is_refused(home, tmp_path, monkeypatch):
    from edgebench.learning.job import Job
    from edgebench.learning.training import forget, train

    monkeypatch.setattr("edgebench.learning.training.alone", impatient)
    job = Job("ppo", regions=("s1",), steps=100, settings={"each": 4, "minibatch": 256})
    with alone(tmp_path / "made" / FOLDER_LOCK, "", ""):
        for refused in (lambda: train(job, tmp_path / "made"), lambda: forget(tmp_path / "made")):
            with pytest.raises(EdgeBenchError, match="another process trains in this folder"):
                refused()
    assert [path.name for path in (tmp_path / "made").iterdir()] == [FOLDER_LOCK]


def impatient(*words):
    return alone(*words, patience_s=0.0)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_processes_of_a_crew_end_with_it(tmp_path):
    mark = tmp_path / "mark"
    crew = subprocess.Popen(
        [sys.executable, "-c", "import sys\n" + CREW, mark], env={**os.environ, "PYTHONPATH": _path()}
    )
    limit = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()) and time.monotonic() < limit:
        time.sleep(0.02)
    worker = int(mark.read_text())
    assert worker in descendants(crew.pid)
    os.kill(crew.pid, signal.SIGKILL)
    crew.wait()
    while _is_alive(worker) and time.monotonic() < limit:
        time.sleep(0.02)
    assert not _is_alive(worker)


def _path():
    return os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2] / "benchmarks"), *sys.path])


def _is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
