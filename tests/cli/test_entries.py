"""The path of an entry at the command line: eval, submit, validate, leaderboard."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from edgebench.registry import REGIONS

EXAMPLE = Path(__file__).parents[2] / "examples" / "my_agent.py"


@pytest.fixture(scope="module")
def world(built, tmp_path_factory):
    """A data folder whose boards are of s1 alone, with the run of the example and that of random-valid."""
    from edgebench.harness.run import evaluate

    home = tmp_path_factory.mktemp("world") / "home"
    shutil.copytree(built, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(home))
        for agent, name in ((str(EXAMPLE), "example"), ("random-valid", "random")):
            evaluate(agent, regions=["s1"], out=home / "runs" / name)
    return home


@pytest.fixture
def own_home(world, home, monkeypatch):
    """A copy of that folder to write into."""
    monkeypatch.setattr("edgebench.registry.REGIONS", {"s1": REGIONS["s1"]})
    shutil.copytree(world, home)
    return home


def test_from_run_to_ranked_table(run, run_json, own_home):
    runs, board = own_home / "runs", own_home / "leaderboards" / "route" / "sample"
    for name in ("example", "random"):
        entered = run("submit", runs / name, "--name", name)
        assert entered.exit_code == 0, entered.stderr
        checked = run("validate", board / "trap" / name)
        assert (checked.exit_code, checked.stdout) == (0, "")
        assert "in order" in checked.stderr
    shown = run("leaderboard")
    assert shown.exit_code == 0, shown.stderr
    assert sorted(path.name for path in board.iterdir()) == ["leaderboard.csv", "leaderboard.md", "trap"]
    assert sorted(path.name for path in (board / "trap").iterdir()) == ["example", "random"]
    records = run_json("leaderboard")
    assert [(record["rank"], record["name"]) for record in records] == [(1, "example"), (2, "random")]
    assert records[0]["score"] > 0.1 and abs(records[1]["score"]) < 1e-9


def test_the_scores_go_out_as_rliable_takes_them(run, run_json, own_home, tmp_path):
    assert run("submit", own_home / "runs" / "random", "--name", "random").exit_code == 0
    target = tmp_path / "scores.json"
    records = run_json("leaderboard", "--regions", "s1", "--run", own_home / "runs" / "example", "--rliable", target)
    scores = {name: np.array(runs) for name, runs in json.loads(target.read_text()).items()}
    assert {name: array.shape for name, array in scores.items()} == {"my_agent (this run)": (1, 1), "random": (1, 1)}
    for record in records:  # rliable's own aggregate, the interquartile mean over runs and tasks
        assert scipy.stats.trim_mean(scores[record["name"]], 0.25, axis=None) == pytest.approx(record["score"])
    for odd in (["--total", "--rliable", target], ["--html", tmp_path, "--rliable", target], ["--radar", target]):
        assert run("leaderboard", *odd).exit_code == 2


def test_a_run_is_shown_among_the_entries_without_being_written(run, own_home):
    assert run("submit", own_home / "runs" / "random", "--name", "random").exit_code == 0
    shown = run("leaderboard", "--regions", "s1", "--run", own_home / "runs" / "example")
    assert shown.exit_code == 0, shown.stderr
    assert "my_agent (this run)" in shown.stdout and "random" in shown.stdout
    assert all(len(line.rstrip()) <= 80 for line in shown.stdout.splitlines())
    assert not (own_home / "leaderboards" / "route" / "sample" / "leaderboard.md").exists()


def test_runs_are_shown_beside_each_other_in_their_table_alone(run, run_json, own_home):
    example, random = own_home / "runs" / "example", own_home / "runs" / "random"
    records = run_json("leaderboard", "--regions", "s1", "--run", example, "--run", random, "--run", example)
    assert [record["name"] for record in records] == ["my_agent (this run)", "random-valid (this run)"]
    board = own_home / "leaderboards" / "route" / "sample"
    assert run("submit", random, "--name", "random").exit_code == 0
    shutil.copytree(board / "trap" / "random", board / "calm" / "random")
    manifest = board / "calm" / "random" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"scenario": "trap"', '"scenario": "calm"'))
    assert len(run_json("leaderboard", "--regions", "s1")) == 2
    assert len(run_json("leaderboard", "--regions", "s1", "--run", example)) == 2


def test_a_taken_name_and_a_tampered_run_are_refused(run, own_home):
    example, random = own_home / "runs" / "example", own_home / "runs" / "random"
    assert run("submit", example, "--name", "a").exit_code == 0
    assert run("submit", example, "--name", "a").exit_code == 0  # the same run: there is nothing to do
    other = run("submit", random, "--name", "a")
    assert other.exit_code == 2 and "there is an entry 'a'" in other.stderr
    assert run("submit", random, "--name", "a", "--force").exit_code == 0
    summary = json.loads((example / "summary.json").read_text())
    summary["total"]["means"]["utility"] += 0.1
    (example / "summary.json").write_text(json.dumps(summary))
    tampered = run("submit", example, "--name", "b")
    assert tampered.exit_code == 2 and "summary.json: total.means.utility is" in tampered.stderr
    assert not (own_home / "leaderboards" / "route" / "sample" / "trap" / "b").exists()


def test_validate_lists_all_problems_with_rows(run, own_home):
    example = own_home / "runs" / "example"
    lines = (example / "episodes.csv").read_text().splitlines()
    lines[2] = lines[2].replace(",ok,", ",fine,")
    (example / "episodes.csv").write_text("\n".join([*lines[:-1], ""]))
    checked = run("validate", example)
    assert checked.exit_code == 1
    assert "episodes.csv, row 3: status is 'fine'" in checked.stdout
    assert "1 episodes of region s1 are missing: window 3 seed 4" in checked.stdout
    listed = run("validate", example, "--json")
    assert listed.exit_code == 1
    assert {"file": "episodes.csv", "row": 3} in [
        {"file": problem["file"], "row": problem["row"]} for problem in json.loads(listed.stdout)
    ]


def test_validate_of_nothing_names_what_is_missing(run, home, tmp_path):
    absent = run("validate", tmp_path / "nowhere")
    assert absent.exit_code == 2 and "no such file or folder" in absent.stderr
    checked = run("validate", tmp_path)
    assert checked.exit_code == 1
    for file in ("manifest.json", "episodes.csv", "summary.json"):
        assert f"{file}: cannot be read" in checked.stdout


def test_the_table_is_pasted_into_a_page(run, own_home, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- leaderboard -->\n<!-- /leaderboard -->\n")
    assert run("submit", own_home / "runs" / "example", "--name", "example").exit_code == 0
    assert run("leaderboard", "--paste", page).exit_code == 0
    assert "| 1 | example |" in page.read_text()
