"""What exists and what a region holds."""

import pytest

from edgebench.registry import REGISTERED, SCENARIOS


def test_list_names_everything(run_json):
    listed = run_json("list")
    assert [region["name"] for region in listed["regions"]] == list(REGISTERED)
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


def test_show_prints_placement_workload_feasibility_and_histograms(run, with_s1):
    shown = run("show", "s1").stdout
    words = " ".join(shown.split())
    assert "trap links 9 busiest, gilbert-elliott" in words
    for heading in ("nodes that hold one", "tasks a second", "with resident models", "latency between two nodes"):
        assert heading in words
    assert "####" in shown and "█" not in shown


def test_show_json_is_the_manifest_with_histograms(run_json, with_s1):
    shown = run_json("show", "s1")
    assert shown["edition"] == "sample" and shown["statistics"]["nodes"] == 25
    assert sum(shown["histograms"]["degree"]["counts"]) == 25
    assert shown["placement"]["models_per_node"]["max"] >= 1 and shown["workload"]["test"]["tasks"] == 200


@pytest.mark.parametrize("flag", ["--map", "--histograms"])
def test_pictures_are_png(run, with_s1, tmp_path, flag):
    pytest.importorskip("matplotlib")
    target = tmp_path / "maps" / "s1.png"
    result = run("show", "s1", flag, "-o", target)
    assert result.exit_code == 0, result.stderr
    assert target.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in target.parent.iterdir()] == ["s1.png"]


def test_the_map_is_a_page_by_its_suffix(run, with_s1, tmp_path):
    pytest.importorskip("plotly")
    result = run("show", "s1", "--map", "-o", tmp_path / "s1.html")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "s1.html").read_bytes().startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("flag", "name", "module"),
    [
        ("--map", "s1.png", "matplotlib.figure"),
        ("--histograms", "s1.png", "matplotlib.figure"),
        ("--map", "s1.html", "plotly.io"),
    ],
)
def test_a_picture_without_its_library_says_what_to_install(run, with_s1, tmp_path, monkeypatch, flag, name, module):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    result = run("show", "s1", flag, "-o", tmp_path / name)
    assert result.exit_code == 2
    assert "pip install 'edgebench[plots]'" in result.stderr
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--map", "-o", "s1.pdf"], "cannot draw a .pdf"),
        (["--histograms", "-o", "s1.html"], "cannot draw a .html"),
        (["--map", "--json"], "take one at a time"),
        (["--map", "--histograms"], "take one at a time"),
        (["-o", "s1.png"], "add --map or --histograms"),
    ],
)
def test_show_refuses_what_it_cannot_do(run, with_s1, options, said):
    result = run("show", "s1", *options)
    assert result.exit_code == 2 and said in result.stderr


def test_show_of_an_unknown_region_names_the_nearest(run, with_s1):
    result = run("show", "s11")
    assert result.exit_code == 2 and "s1" in result.stderr.replace("s11", "")


def test_a_damaged_region_is_refused_with_the_command_that_mends_it(run, built, home):
    import shutil

    shutil.copytree(built, home)
    folder = home / "processed" / "sample" / "s1"
    (folder / "links.parquet").write_bytes((folder / "nodes.parquet").read_bytes())
    result = run("show", "s1")
    assert result.exit_code == 2
    assert "links.parquet" in result.stderr and "edgebench build --region s1 --force" in result.stderr
