"""Help, unknown names and exit statuses."""

import subprocess
import sys

import pytest

from edgebench import __version__
from edgebench.cli import VERBS, main


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_explains_itself_with_an_example(run, verb):
    result = run(verb, "--help")
    assert result.exit_code == 0, result.output
    words = " ".join(result.output.split())
    assert f"Example: edgebench {verb} " in words
    assert result.output.startswith(f"Usage: edgebench {verb} ")


@pytest.mark.parametrize("verb", list(VERBS))
def test_the_group_lists_every_verb_once(run, verb):
    lines = [line for line in run("--help").output.splitlines() if line.startswith(f"  {verb} ")]
    assert len(lines) == 1 and VERBS[verb].split()[0] in lines[0]


def test_help_imports_nothing_heavy():
    code = (
        "import sys, edgebench.cli\n"
        "try: edgebench.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('modules:', *sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.rpartition("modules:")[2].split())
    assert "edgebench.cli" in loaded
    assert not loaded & {"torch", "pandas", "polars", "numba", "scipy", "pyarrow", "matplotlib", "networkx", "builders"}


def test_the_installed_script_and_the_module_answer():
    for command in (["-m", "edgebench.cli"], ["-c", "from edgebench.cli import main; main(prog_name='edgebench')"]):
        result = subprocess.run([sys.executable, *command, "--version"], capture_output=True, text=True, check=False)
        assert (result.returncode, result.stdout) == (0, f"edgebench, version {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["buidl"], "did you mean 'build'?"),
        (["build", "--region", "s11"], "did you mean 's1'?"),
        (["show", "S1"], "unknown region 'S1'\n  mend: did you mean 's1'?"),
        (["record", "neerest", "edgebench/a-v0"], "did you mean 'nearest'?"),
        (["verify", __file__], "this is an agent, a run's folder is wanted"),
        (["verify", "leaderboardz/route"], "there is no such folder\n  where: leaderboardz"),
        (["eval", "neerest"], "did you mean 'nearest'?"),
        (["eval", "nearest", "--regions", "s7"], "unknown region 's7'"),
        (["eval", "nearest", "--scenario", "trapp"], "did you mean 'trap'?"),
        (["eval", "nearest", "--split", "tset"], "did you mean 'test'?"),
        (["eval", "nearest", "--track", "rout"], "did you mean 'route'?"),
        (["eval", "nowhere.py"], "no such agent file"),
        (["eval", "no.such:Agent"], "no module 'no.such'"),
        (["eval", "nearest", "--edition", "mine"], "edgebench build --region s1 --cells FILE --edition mine"),
        (["show", "s1"], "region 's1' of edition 'sample' is not built"),
        (["build"], "which regions?"),
        (["build", "--all", "--region", "s1"], "which regions?"),
        (["build", "--region", ","], "no region named"),
        (["build", "--region", "s1", "--cells", "no.csv"], "no.csv"),
        (["build", "--region", "s1", "--edition", "mine"], "edition 'mine' needs cells"),
        (["build", "--region", "s1", "--seed", "-1"], "seed -1 is out of range"),
        (["leaderboard"], "has no entries"),
        (["leaderboard", "--track", "rout"], "did you mean 'route'?"),
        (["submit", ".", "--name", "Bad Name"], "cannot name an entry"),
        (["gate", "--track", "rout"], "did you mean 'route'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_without_traceback(run, home, arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not home.exists()


@pytest.mark.parametrize("arguments", [["--debug", "show", "s9"], ["show", "s9", "--debug"]])
def test_debug_shows_the_traceback(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" in result.stderr and "EdgeBenchError" in result.stderr


@pytest.mark.parametrize("arguments", [["build", "--nonsense"], ["submit", "."], ["list", "tracks", "x"], ["eval"]])
def test_wrong_usage_has_status_2(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: edgebench" in result.stderr


def test_an_agent_with_a_syntax_error_is_refused_with_its_line(run, home, tmp_path):
    agent = tmp_path / "broken.py"
    agent.write_text("def act(observation, info):\n    return (\n")
    result = run("eval", agent)
    assert result.exit_code == 2
    assert "syntax error" in result.stderr and "broken.py:" in result.stderr
    assert not home.exists()


def test_ctrl_c_has_status_130(run, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("edgebench.archive.load_safely", interrupted)
    result = run("show", "s1")
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")


def test_a_full_disk_is_told_without_traceback(run, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr("edgebench.archive.load_safely", full)
    result = run("show", "s1")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: the disk is full\n  where: somewhere\n  mend: ")


def test_main_is_the_entry_point():
    from importlib.metadata import entry_points

    (entry,) = entry_points(group="console_scripts", name="edgebench")
    assert entry.load() is main
