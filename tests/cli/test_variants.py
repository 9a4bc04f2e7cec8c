"""Regions of graphs, other scenarios and privileged agents, from the command line to a table."""

import shutil

import pytest

from edgebench.registry import REGISTERED

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
