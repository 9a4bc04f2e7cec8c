"""Regions of graphs, other scenarios and privileged agents, from the command line to a table."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from edgebench.registry import REGIONS, REGISTERED, SCENARIOS

SEES_LABELS = Path(__file__).parents[1] / "harness" / "sees_labels.py"
QUICK = ("--seeds", "1")


@pytest.fixture
def own_home(built, home):
    """A data folder with s1 that the test may write into."""
    shutil.copytree(built, home)
    return home


def test_a_region_of_graphs_is_built_checked_and_scored(run, run_json, own_home, tmp_path):
    chains = run_json("show", "s1")
    (graphs,) = run_json("build", "--region", "s1-dag")
    for table in ("nodes", "links", "instances"):
        assert graphs["tables"][table] == chains["tables"][table]
    assert run("check", "s1-dag").exit_code == 0
    result = run("eval", "greedy-estimate", "--regions", "s1-dag", *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "s1-dag total" in " ".join(result.stdout.split())
    assert {region["name"] for region in run_json("list", "regions")["regions"]} == set(REGISTERED)


def test_graphs_and_chains_are_not_ranked_together(run, own_home):
    result = run("leaderboard", "--regions", "s1,s1-dag")
    assert result.exit_code == 2
    assert "several families cannot be ranked together: s1 (standard), s1-dag (dag)" in result.stderr


def test_a_privileged_run_bears_its_mark_in_every_result(run, run_json, own_home):
    command = ("eval", SEES_LABELS, "--regions", "s1", "--privileged", *QUICK)
    shown = run(*command)
    assert shown.exit_code == 0, shown.output
    assert "sees_labels · route, trap, test, edition sample, privileged" in " ".join(shown.stdout.split())
    got = run_json(*command)
    folder = Path(got["folder"])
    assert "-privileged-" in folder.name
    assert got["manifest"]["privileged"] is got["summary"]["privileged"] is True
    for file in ("manifest.json", "summary.json"):
        assert json.loads((folder / file).read_text())["privileged"] is True


def test_the_mark_is_there_without_privilege_too(run_json, own_home):
    got = run_json("eval", "nearest", "--regions", "s1", *QUICK)
    assert got["manifest"]["privileged"] is got["summary"]["privileged"] is False
    assert "privileged" not in got["folder"]


def test_without_the_flag_there_are_no_labels(run, with_s1, tmp_path):
    result = run("eval", SEES_LABELS, "--regions", "s1", *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "KeyError: 'labels'" in result.stderr


def test_the_flag_makes_another_run(run, with_s1, tmp_path):
    command = ("eval", SEES_LABELS, "--regions", "s1", *QUICK, "--out", tmp_path / "run")
    assert run(*command, "--privileged").exit_code == 0
    refused = run(*command)
    assert refused.exit_code == 2 and "privileged was True, now False" in refused.stderr


def test_a_privileged_entry_has_no_rank(run, run_json, own_home, monkeypatch):
    monkeypatch.setattr("edgebench.registry.REGIONS", {"s1": REGIONS["s1"]})
    for agent, name, flags in ((SEES_LABELS, "sees-labels", ["--privileged"]), ("random-valid", "random", [])):
        folder = own_home / "runs" / name
        assert run("eval", agent, "--regions", "s1", "--out", folder, *flags).exit_code == 0
        entered = run("submit", folder, "--name", name)
        assert entered.exit_code == 0, entered.stderr
    shown = run("leaderboard")
    assert shown.exit_code == 0, shown.stderr
    lines = [line.split() for line in shown.stdout.splitlines() if "sees-labels" in line or "random" in line]
    assert [line[:2] for line in lines] == [["–", "sees-labels"], ["1", "random"]] and "(privileged)" in shown.stdout
    assert all(len(line.rstrip()) <= 80 for line in shown.stdout.splitlines())
    board = own_home / "leaderboards" / "route" / "sample"
    assert "| – | sees-labels &#40;privileged&#41; |" in (board / "leaderboard.md").read_text(encoding="utf-8")
    with (board / "leaderboard.csv").open(encoding="utf-8") as table:
        written = [(row["rank"], row["name"], row["privileged"]) for row in csv.DictReader(table)]
    assert written == [("", "sees-labels", "True"), ("1", "random", "False")]
    told = [(record["rank"], record["name"], record["privileged"]) for record in run_json("leaderboard")]
    assert told == [(None, "sees-labels", True), (1, "random", False)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_is_scored_from_end_to_end(run_json, own_home, scenario):
    got = run_json("eval", "greedy-estimate", "--regions", "s1", "--scenario", scenario, *QUICK)
    assert got["manifest"]["scenario"] == got["summary"]["scenario"] == scenario
    (region,) = got["summary"]["regions"]
    kept = json.loads((own_home / "processed" / "sample" / "s1" / "references.json").read_text())
    (of_region,) = kept.values()
    assert of_region[f"route/{scenario}/test/1"] == {"random": region["random"], "bound": region["bound"]}
    assert 0.2 < region["score"]["value"] < 1.0 and got["summary"]["total"]["statuses"]["ok"] == 4


def test_scenarios_have_tables_of_their_own(run, run_json, own_home, monkeypatch):
    monkeypatch.setattr("edgebench.registry.REGIONS", {"s1": REGIONS["s1"]})
    for scenario in ("outage", "trap"):
        folder = own_home / "runs" / scenario
        assert run("eval", "nearest", "--regions", "s1", "--scenario", scenario, "--out", folder).exit_code == 0
        assert run("validate", folder).exit_code == 0
        assert run("submit", folder, "--name", scenario).exit_code == 0
    told = [(record["scenario"], record["rank"], record["name"]) for record in run_json("leaderboard")]
    assert told == [("trap", 1, "trap"), ("outage", 1, "outage")]


def test_an_unknown_scenario_names_the_nearest(run, with_s1):
    result = run("eval", "nearest", "--regions", "s1", "--scenario", "outages")
    assert result.exit_code == 2 and "did you mean 'outage'" in result.stderr
