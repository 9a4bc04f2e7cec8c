"""From an agent to a scored run at the command line: resumed, interrupted, failing, refused."""

import json
import os
import shutil
from pathlib import Path

import pytest

import edgebench.harness.run
from edgebench.harness.agents import CHECKPOINT_FILES, CURVE
from edgebench.harness.run import RUN_FILES

EXAMPLE = Path(__file__).parents[2] / "examples" / "my_agent.py"
QUICK = ("--regions", "s1", "--seeds", "1")


@pytest.fixture
def agent(tmp_path):
    """Write an agent whose act has this body."""

    def write(body):
        path = tmp_path / "agent.py"
        path.write_text(f"import os, sys, time\ndef act(observation, info):\n    {body}\n")
        return path

    return write


def rows(folder):
    """Rows of a run without the CPU time, which no two runs share."""
    return [line.rpartition(",")[0] for line in (folder / "episodes.csv").read_text().splitlines()]


def test_an_agent_is_scored_and_its_run_kept(run, with_s1, tmp_path):
    result = run("eval", EXAMPLE, *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    words = " ".join(result.stdout.split())
    for said in ("s1 total", "score", "95 % interval", "p99 s", "decision ms", "episodes 4 4"):
        assert said in words
    assert str(tmp_path / "run") in result.stderr
    assert sorted(path.name for path in (tmp_path / "run").glob("[!.]*")) == sorted(
        {*RUN_FILES} - {*CHECKPOINT_FILES, CURVE}
    )


def test_json_holds_the_summary_and_the_manifest(run_json, with_s1, tmp_path):
    got = run_json("eval", EXAMPLE, *QUICK, "--out", tmp_path / "run")
    assert got["summary"] == json.loads((tmp_path / "run" / "summary.json").read_text())
    assert got["manifest"]["seeds"] == 1 and got["folder"] == str(tmp_path / "run")


def test_a_cut_run_is_resumed_to_the_same_rows(run, with_s1, tmp_path):
    folder = tmp_path / "run"
    assert run("eval", EXAMPLE, *QUICK, "--out", folder).exit_code == 0
    whole, kept = rows(folder), (folder / "episodes.csv").read_text().splitlines()[:3]
    (folder / "episodes.csv").write_text("\n".join(kept) + "\n")
    assert run("eval", EXAMPLE, *QUICK, "--out", folder).exit_code == 0
    assert rows(folder) == whole
    assert (folder / "episodes.csv").read_text().splitlines()[:3] == kept


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(run, with_s1, tmp_path, monkeypatch):
    real, folder, played = edgebench.harness.run.run_episode, tmp_path / "run", []

    def interrupted(*arguments, **names):
        if len(played) == 2:
            raise KeyboardInterrupt
        played.append(names)
        return real(*arguments, **names)

    with monkeypatch.context() as patch:
        patch.setattr(edgebench.harness.run, "run_episode", interrupted)
        result = run("eval", EXAMPLE, *QUICK, "--out", folder)
    assert result.exit_code == 130
    assert result.stderr == f"interrupted: 2 of 4 episodes are kept in {folder}; the same command goes on from there\n"
    assert len(rows(folder)) == 3
    assert run("eval", EXAMPLE, *QUICK, "--out", folder).exit_code == 0
    assert len(rows(folder)) == 5


def test_other_conditions_in_the_same_folder_are_refused(run, with_s1, tmp_path):
    assert run("eval", EXAMPLE, *QUICK, "--out", tmp_path / "run").exit_code == 0
    before = rows(tmp_path / "run")
    result = run("eval", EXAMPLE, *QUICK, "--scenario", "calm", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "scenario was trap, now calm" in result.stderr and "--overwrite" in result.stderr
    assert rows(tmp_path / "run") == before


def test_budgets_of_ones_own_are_recorded(run_json, with_s1, tmp_path):
    got = run_json("eval", EXAMPLE, *QUICK, "--decision-cpu-s", "0.5", "--out", tmp_path / "run")
    assert got["manifest"]["budgets"]["decision_cpu_s"] == 0.5
    assert got["manifest"]["overrides"] == ["decision_cpu_s"]


def test_the_usual_folder_tells_agents_and_conditions_apart(run, built, home, tmp_path):
    shutil.copytree(built, home)
    copy = tmp_path / "my_agent.py"
    copy.write_text(EXAMPLE.read_text() + "# changed\n")
    for arguments in ((EXAMPLE,), (EXAMPLE, "--scenario", "calm"), (copy,), (EXAMPLE,)):
        assert run("eval", *arguments, *QUICK).exit_code == 0
    assert len(list((home / "runs").iterdir())) == 3


def test_a_region_that_is_not_built_is_built_first_and_said_so(run, home, tmp_path):
    result = run("eval", EXAMPLE, *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "s1 is not built yet: building it from the bundled sample" in result.stderr
    assert (home / "processed" / "sample" / "s1" / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ("return float('nan')", "invalid", "wrong type: act returned float nan"),
        ("return 'first'", "invalid", "wrong type: act returned str 'first'"),
        ("return 99", "invalid", "action 99 is outside 0 … 31"),
        ("return None", "invalid", "wrong type: act returned NoneType"),
        ("raise ValueError('no idea')", "error", "ValueError: no idea"),
        ("sys.exit(3)", "error", "SystemExit: 3"),
        ("os._exit(3)", "error", "exit"),
        ("time.sleep(600)", "timeout", "0.3 s"),
    ],
)
def test_a_failing_agent_is_counted_and_told_apart(run, with_s1, agent, tmp_path, body, status, detail):
    folder = tmp_path / "run"
    result = run("eval", agent(body), *QUICK, "--decision-wall-s", "0.3", "--out", folder)
    assert result.exit_code == 1, result.output
    assert f"{status} episodes 4 4" in " ".join(result.stdout.split())
    assert f"4 of 4 episodes failed: {status}: " in result.stderr and detail in result.stderr
    assert "  where: first in region s1, window 0, seed 0\n  mend: " in result.stderr
    assert len(rows(folder)) == 5


def test_an_agent_that_lacks_a_module_is_told_once_and_what_to_do(run, with_s1, tmp_path):
    path = tmp_path / "lacking.py"
    path.write_text("import no_such_module\n\n\ndef act(observation, info):\n    return 0\n")
    result = run("eval", path, *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 1, result.output
    assert result.stderr.count("episodes failed") == 1
    assert "4 of 4 episodes failed: error: ModuleNotFoundError: No module named 'no_such_module'" in result.stderr
    assert "  mend: install that module beside EdgeBench, or do without it\n" in result.stderr


FORKS = pytest.param(
    "os.wait() if os.fork() else os._exit(0)", marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
)


@pytest.mark.parametrize("body", ["print('x' * 2**20)", FORKS])
def test_a_loud_or_forking_agent_does_no_harm(run, with_s1, agent, tmp_path, body):
    path = agent(f"{body}\n    return int(observation['action_mask'].argmax())")
    result = run("eval", path, *QUICK, "--decision-wall-s", "5", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout) < 10_000
    assert "episodes 4 4" in " ".join(result.stdout.split())


@pytest.mark.parametrize("compiled", [True, False])
def test_the_first_run_says_that_it_compiles(run, with_s1, tmp_path, monkeypatch, compiled):
    from edgebench.sim import compiled as machine_code

    monkeypatch.setattr(machine_code, "is_compiled", lambda own: compiled)
    result = run("eval", "nearest", "--regions", "s1", "--seeds", "1", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert ("compiling the simulator" in result.stderr) == (not compiled)
