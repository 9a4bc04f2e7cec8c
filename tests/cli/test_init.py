"""A first agent of every track: written, refused, better than random."""

import dataclasses
from pathlib import Path

import pytest

from edgebench.registry import TRACKS


@pytest.mark.parametrize("track", sorted(TRACKS))
def test_a_first_agent_beats_random(run, run_json, with_s1, tmp_path, track):
    file = tmp_path / "my_agent.py"
    told = run_json("init", file, "--track", track)
    assert told["next"][0].startswith(f"edgebench eval {file}")
    text = file.read_text(encoding="utf-8")
    assert "class Agent" in text and "edgebench explain" in text and text.count("#") >= 1
    got = run_json("eval", file, "--track", track, "--regions", "s1", "--out", tmp_path / "run")
    score = got["summary"]["total"]["score"]
    assert score["low"] > 0.0, score
    assert got["summary"]["total"]["statuses"]["ok"] == 20


def test_the_walk_in_the_docs_begins_with_the_agent_that_is_written(run, tmp_path):
    assert run("init", tmp_path / "my_agent.py").exit_code == 0
    text = (tmp_path / "my_agent.py").read_text(encoding="utf-8")
    page = (Path(__file__).parents[2] / "docs" / "first_agent.md").read_text(encoding="utf-8")
    blocks = [block.partition("\n```")[0] for block in page.split("```python\n")[1:]]
    first, body, mended = blocks
    assert first in text and all(line.strip() in text for line in body.splitlines())
    assert mended.replace('"measured_extra_s", ', "") == first


def test_the_commands_that_are_printed_name_the_file_and_the_track(run, tmp_path):
    result = run("init", tmp_path / "mine.py", "--track", "offload")
    assert result.exit_code == 0, result.stderr
    lines = [line.split("  #")[0].split() for line in result.stdout.splitlines() if line.startswith("    edgebench")]
    assert [words[1] for words in lines] == ["eval", "explain", "play", "eval"]
    assert all(
        words[words.index("--track") :][:2] == ["--track", "offload"] for words in lines if words[1] != "explain"
    )
    assert "eval mine.py" in (tmp_path / "mine.py").read_text(encoding="utf-8")


def test_a_file_that_is_there_is_kept_but_for_force(run, tmp_path):
    file = tmp_path / "my_agent.py"
    file.write_text("mine")
    result = run("init", file)
    assert (result.exit_code, file.read_text()) == (2, "mine")
    assert "there is such a file" in result.stderr and "--force" in result.stderr
    assert run("init", file, "--force").exit_code == 0
    assert "class Agent" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["agent.txt"], "end it with .py"), (["agent.py", "--track", "rout"], "did you mean 'route'?")],
)
def test_mistakes_are_told(run, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    result = run("init", *arguments)
    assert result.exit_code == 2 and said in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_track_that_names_no_such_parts_is_refused(run, with_s1, tmp_path, monkeypatch):
    bare = dataclasses.replace(TRACKS["route"], first_agent="", hand="")
    monkeypatch.setitem(TRACKS, "route", bare)
    result = run("init", tmp_path / "my_agent.py")
    assert result.exit_code == 2 and "these have one: offload, allocate, place" in result.stderr
    result = run("play")
    assert result.exit_code == 2 and "the track route cannot be played by hand" in result.stderr
