"""`edgebench show REGION --episode`: a picture, figures, refusals."""

import pytest


def test_an_episode_is_drawn_under_its_name(run, with_s1, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    for episode, name in (("trap:0", "s1-trap-0.png"), ("outage:3:1", "s1-outage-3-1.png")):
        result = run("show", "s1", "--episode", episode)
        assert result.exit_code == 0, result.stderr
        assert f"wrote {name}" in result.stderr and result.stdout == ""
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 2


def test_an_episode_is_drawn_where_it_is_wanted(run, with_s1, tmp_path):
    pytest.importorskip("matplotlib")
    assert run("show", "s1", "--episode", "jitter:1", "-o", tmp_path / "new" / "a.png").exit_code == 0
    assert (tmp_path / "new" / "a.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_the_episode_and_draws_nothing(run_json, with_s1, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = run_json("show", "s1", "--episode", "outage:3:3")
    assert (shown["scenario"], shown["seed"], shown["window"]) == ("outage", 3, 3)
    assert shown["agent"] == "greedy-estimate" and shown["tasks"] == 50
    assert any(shown["by_slot"]["nodes_down"])
    assert not list(tmp_path.iterdir())
    assert shown == run_json("show", "s1", "--episode", "outage:3:3")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--episode", "trap"], "SCENARIO:SEED"),
        (["--episode", "trap:first"], "SCENARIO:SEED"),
        (["--episode", "tarp:0"], "did you mean 'trap'"),
        (["--episode", "trap:0:4"], "no window 4"),
        (["--episode", "trap:0:4", "--json"], "give 0 … 3"),
        (["--episode", "trap:99999999999999999999"], "SCENARIO:SEED"),
        (["--episode", "trap:9999999999999999999"], "give 0 … 2^63 - 1"),
        (["--episode", "trap:0", "-o", "x.svg"], "cannot draw a .svg"),
        (["--episode", "trap:0", "--map"], "take one at a time"),
        (["--episode", "trap:0", "--histograms", "--json"], "take one at a time"),
        (["--episode", "trap:0", "--json", "-o", "x.png"], "nothing to write"),
    ],
)
def test_what_cannot_be_shown_is_refused(run, with_s1, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    result = run("show", "s1", *options)
    assert result.exit_code == 2 and said in result.stderr
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_it_says_what_to_install(run, with_s1, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    result = run("show", "s1", "--episode", "trap:0", "-o", tmp_path / "a.png")
    assert result.exit_code == 2 and "pip install 'edgebench[plots]'" in result.stderr
    assert not (tmp_path / "a.png").exists()
