"""What exists and what a region holds."""

import pytest

from edgebench.registry import REGIONS, SCENARIOS


def test_list_names_everything(run_json):
    listed = run_json("list")
    assert [region["name"] for region in listed["regions"]] == list(REGIONS)
    assert [scenario["name"] for scenario in listed["scenarios"]] == list(SCENARIOS)
    assert {agent["name"] for agent in listed["agents"]} >= {"random-valid", "nearest", "greedy-estimate"}


@pytest.mark.parametrize("kind", ["regions", "tracks", "scenarios", "splits", "agents"])
def test_list_of_one_kind(run, run_json, kind):
    assert list(run_json("list", kind)) == [kind]
    shown = run("list", kind)
    assert shown.exit_code == 0 and shown.stdout.startswith(kind)


def test_list_tells_which_editions_are_built(run_json, with_s1):
    editions = {region["name"]: region["editions built"] for region in run_json("list", "regions")["regions"]}
    assert editions["s1"] == "sample" and editions["s2"] == "none"


def test_show_prints_figures_beside_the_specification(run, with_s1):
    words = " ".join(run("show", "s1").stdout.split())
    assert "s1 · Switzerland · edition sample" in words
    assert "nodes 25 25" in words
    assert "compute 16 – 54, mean 34.6 16 – 54, mean 34.6" in words
    assert "fewer than 2 samples" in words


def test_show_json_is_the_manifest(run_json, with_s1):
    manifest = run_json("show", "s1")
    assert manifest["edition"] == "sample" and manifest["statistics"]["nodes"] == 25


def test_the_map_is_a_png(run, with_s1, tmp_path):
    pytest.importorskip("matplotlib")
    target = tmp_path / "maps" / "s1.png"
    result = run("show", "s1", "--map", "-o", target)
    assert result.exit_code == 0, result.stderr
    assert target.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in target.parent.iterdir()] == ["s1.png"]


def test_a_map_without_matplotlib_says_what_to_install(run, with_s1, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    result = run("show", "s1", "--map", "-o", tmp_path / "s1.png")
    assert result.exit_code == 2
    assert "pip install 'edgebench[plots]'" in result.stderr
    assert not (tmp_path / "s1.png").exists()


def test_a_damaged_region_is_refused_with_the_command_that_mends_it(run, built, home):
    import shutil

    shutil.copytree(built, home)
    folder = home / "processed" / "sample" / "s1"
    (folder / "links.parquet").write_bytes((folder / "nodes.parquet").read_bytes())
    result = run("show", "s1")
    assert result.exit_code == 2
    assert "links.parquet" in result.stderr and "edgebench build --region s1 --force" in result.stderr
