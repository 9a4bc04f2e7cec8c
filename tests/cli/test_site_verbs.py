"""The site and the report at the command line."""

import json
import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "my_agent.py"


@pytest.fixture
def own_home(built, home):
    """A data folder of one's own with s1 and a finished run on it."""
    from edgebench.harness.run import evaluate

    shutil.copytree(built, home)
    evaluate(str(EXAMPLE), regions=["s1"], seeds=1, out=home / "runs" / "mine")
    return home


def test_from_a_run_to_the_site_and_the_report(run, run_json, own_home, tmp_path):
    site = tmp_path / "site"
    shown = run_json("leaderboard", "--html", site)
    assert shown["pages"] == 4 and shown["notes"] == []
    assert shown["bytes"] == sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "Runs on this machine" in page and "my_agent" in page
    again = run("leaderboard", "--html", site)
    assert again.exit_code == 0 and "4 pages" in again.stderr
    own = own_home / "runs" / "mine"
    told = run("report", own, "--out", tmp_path / "r.html", "--latex", tmp_path / "t.tex")
    assert told.exit_code == 0, told.stderr
    assert "runs/mine/agent.py" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "\\begin{tabular}" in (tmp_path / "t.tex").read_text(encoding="utf-8")
    figures = run_json("report", own)
    assert figures["summary"]["total"]["statuses"]["ok"] == 4 and figures["references"] == []
    assert json.loads((own / "summary.json").read_text())["total"]["score"] == figures["summary"]["total"]["score"]


def test_a_folder_that_is_no_site_is_refused(run, home, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    refused = run("leaderboard", "--html", tmp_path / "mine")
    assert refused.exit_code == 2 and "this is no site made here, and not empty" in refused.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_an_empty_data_folder_has_a_site_too(run, home, tmp_path):
    assert run("leaderboard", "--html", tmp_path / "site").exit_code == 0
    assert "No entry yet" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("more", [["--regions", "s1"], ["--total"], ["--paste", "README.md"]])
def test_the_site_is_of_everything(run, home, tmp_path, more):
    refused = run("leaderboard", "--html", tmp_path / "site", *more)
    assert refused.exit_code == 2 and "--html shows everything there is" in refused.stderr


@pytest.mark.parametrize("more", [["--out", "r.txt"], ["--latex", "t.html"], ["--out", "."]])
def test_a_report_is_not_written_over_other_things(run, home, tmp_path, more):
    refused = run("report", tmp_path, *more)
    assert refused.exit_code == 2 and "no name of a file to write" in refused.stderr


def test_a_folder_without_a_run_has_no_report(run, home, tmp_path):
    refused = run("report", tmp_path, "--out", tmp_path / "r.html")
    assert refused.exit_code == 2 and "no run is here" in refused.stderr
    assert list(tmp_path.glob("*.html")) == []
