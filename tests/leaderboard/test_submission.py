"""Entering a run: checked, whole or not at all, never over another entry."""

import pytest
from board_toy import all_rows, rules, write_run

from edgebench.errors import EdgeBenchError
from edgebench.leaderboard.problems import MAX_BYTES
from edgebench.leaderboard.rerun import read_submission
from edgebench.leaderboard.submission import submit
from edgebench.leaderboard.validate import validate


@pytest.fixture
def board(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    return tmp_path / "leaderboards" / "route" / "sample" / "trap"


def test_a_run_in_order_is_entered_and_stays_in_order(board, tmp_path):
    run = write_run(tmp_path / "run")
    (run / "notes.txt").write_text("mine")
    target = submit(run, "my-agent", rules=rules)
    assert target == board / "my-agent"
    assert sorted(path.name for path in target.iterdir()) == [
        "agent.py",
        "episodes.csv",
        "manifest.json",
        "summary.json",
    ]
    assert validate(target, rules) == []


def test_an_entry_is_replaced_only_with_force(board, tmp_path):
    submit(write_run(tmp_path / "one"), "a", rules=rules)
    other = write_run(tmp_path / "two", all_rows(0.3))
    with pytest.raises(EdgeBenchError, match="there is an entry 'a'"):
        submit(other, "a", rules=rules)
    assert (board / "a" / "episodes.csv").read_bytes() == (tmp_path / "one" / "episodes.csv").read_bytes()
    submit(other, "a", force=True, rules=rules)
    assert (board / "a" / "episodes.csv").read_bytes() == (other / "episodes.csv").read_bytes()
    assert [path.name for path in board.iterdir()] == ["a"]


def test_a_run_with_problems_is_refused_with_all_of_them(board, tmp_path):
    run = write_run(tmp_path / "run")
    (run / "agent.py").unlink()
    (run / "summary.json").unlink()
    with pytest.raises(EdgeBenchError) as refused:
        submit(run, "a", rules=rules)
    assert "2 problems" in refused.value.what
    assert "agent.py" in refused.value.what and "summary.json" in refused.value.what
    assert not board.exists()


def test_a_link_and_a_file_without_end_are_refused_unread(board, tmp_path):
    run = write_run(tmp_path / "run")
    (run / "curve.csv").symlink_to(run / "episodes.csv")
    with (run / "weights.safetensors").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(EdgeBenchError) as refused:
        submit(run, "a", rules=rules)
    assert "2 problems" in refused.value.what and "a link, not a file" in refused.value.what
    with pytest.raises(EdgeBenchError, match=r"weights\.safetensors: larger than"):
        read_submission(run)


@pytest.mark.parametrize("name", ["", "A", "a b", "../a", "a/b", "aux", "a" * 65, "é"])
def test_an_unsafe_name_is_refused(board, tmp_path, name):
    with pytest.raises(EdgeBenchError, match="cannot name an entry"):
        submit(write_run(tmp_path / "run"), name, rules=rules)
    assert not board.exists()
